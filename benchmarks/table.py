#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Prints the medians of Google Benchmark's JSON outputs as one Markdown table."""
import json
import platform
import statistics
import sys


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def runs_by_name(files):
    runs = {}
    for name in files:
        with open(name, encoding="utf-8") as file:
            for run in json.load(file)["benchmarks"]:
                if run["run_type"] == "iteration":
                    question = run["name"].split("/iterations")[0]
                    runs.setdefault(question, []).append(run)
    return runs


def median(runs, counter):
    values = [run[counter] for run in runs if counter in run]
    return statistics.median(values) if values else None


def number(value):
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def main():
    print(f"{processor()}, {platform.system()} {platform.release()}\n")
    print("| benchmark | unit | floor | keywatch | ratio | |")
    print("|---|---|---|---|---|---|")
    for question, runs in runs_by_name(sys.argv[1:]).items():
        unit = next(unit for unit in ("ns", "bytes", "times") if "keywatch_" + unit in runs[0])
        extra = ", ".join(
            f"{number(median(runs, counter))} {counter.replace('_per_s', '/s')}"
            for counter in ("commits_per_s", "messages_per_s")
            if counter in runs[0]
        )
        print(
            f"| {question} | {unit} | {number(median(runs, 'floor_' + unit))} "
            f"| {number(median(runs, 'keywatch_' + unit))} | {number(median(runs, 'ratio'))} "
            f"| {extra} |"
        )


if __name__ == "__main__":
    main()
