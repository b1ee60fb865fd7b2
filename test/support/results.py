#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Answers the questions of test/run about a meson build folder: which tests there are, what must be
built for them, and how many of their cases passed and failed in the last run."""

import argparse
import json
import os
import re
import sys


def load(folder, *path):
    with open(os.path.join(folder, *path), encoding="utf-8") as file:
        return json.load(file)


def selected_tests(folder, suites, wanted):
    """Yields the tests that belong to one of the suites and whose name contains one of the wanted
    words. The whole name of a test selects that test only."""
    tests = load(folder, "meson-info", "intro-tests.json")
    names = {test["name"] for test in tests}
    for test in tests:
        own_suites = {suite.split(":")[-1] for suite in test["suite"]}
        by_name = not wanted or any(
            test["name"] == word if word in names else word in test["name"] for word in wanted)
        if by_name and (not suites or own_suites & suites):
            yield test


def targets(folder, tests):
    """Returns the paths, below the folder, of everything that the tests depend on."""
    files = {target["id"]: target["filename"]
             for target in load(folder, "meson-info", "intro-targets.json")}
    depends = {depend for test in tests for depend in test["depends"]}
    return sorted(os.path.relpath(path, folder) for depend in depends for path in files[depend])


def cases(output):
    """Returns the number of cases that passed, the names of those that failed, whether all planned
    cases ended, and the case that was running last."""
    good, skipped, bad, plan, running = 0, 0, [], None, None
    for line in output.splitlines():
        if match := re.match(r"1\.\.(\d+)", line):
            plan = int(match.group(1))
        elif match := re.match(r"# running (.*)", line):
            running = match.group(1)
        elif match := re.match(r"(not )?ok\b[ \d]*(?:- )?(.*)", line):
            running = None
            if match.group(1):
                bad.append(match.group(2))
            elif re.search(r"# SKIP\b", line, re.IGNORECASE):
                skipped += 1
            else:
                good += 1
    return good, bad, plan == good + len(bad) + skipped > 0, running


def count_test(run, tap):
    """Returns (passed, names of failures) of one test. A test that dies, hangs or has no case
    fails."""
    name = run["name"].split(" / ")[-1]
    if not tap:
        return (1, []) if run["result"] == "OK" else (0, [f"{name} ({run['result']})"])
    good, bad, complete, running = cases(run.get("stdout", ""))
    failures = [f"{name}: {case}" for case in bad]
    if not complete or (run["result"] != "OK" and not bad):
        what = f"in {running}" if running else "outside of a case"
        failures.append(f"{name}: {run['result']} {what}, exit status {run['returncode']}")
    return good, failures


# Matches the output of a failed check, an uncaught exception, a seed and a sanitizer.
TELLING = re.compile(r"\berror: in |^[A-Z_]*SEED=|^SUMMARY: |ERROR: |^terminate called|Assertion ")
MOST_LINES = 8


def telling_lines(run):
    """Returns the lines of a test's output that say why it failed: its summary may be all that
    remains."""
    output = run.get("stdout", "") + "\n" + run.get("stderr", "")
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in output.splitlines()]
    return [line[:400] for line in lines if TELLING.search(line)][:MOST_LINES]


def count(folder, tests):
    """Prints the failures and their reasons to stderr, and the two counts."""
    by_name = {test["name"]: test for test in tests}
    runs = []
    try:
        with open(os.path.join(folder, "meson-logs", "testlog.json"), encoding="utf-8") as file:
            for line in file:
                runs.append(json.loads(line))
    except (OSError, ValueError):
        pass  # there was no run, or it was interrupted: the missing tests did not run
    passed, failures, reasons = 0, [], []
    for run in runs:
        test = by_name.pop(run["name"].split(" / ")[-1], None)
        good, bad = count_test(run, test is not None and test["protocol"] == "tap")
        passed += good
        failures += bad
        reasons += telling_lines(run) if bad else []
    failures += [f"{name}: did not run" for name in by_name]
    for failure in failures:
        print("FAILED", failure, file=sys.stderr)
    for reason in reasons:
        print("   ", reason, file=sys.stderr)
    print(passed, len(failures))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--suites", default="")
    parser.add_argument("question", choices=["names", "targets", "count"])
    parser.add_argument("wanted", nargs="*")
    arguments = parser.parse_args()
    suites = set(filter(None, arguments.suites.split(",")))
    tests = list(selected_tests(arguments.folder, suites, arguments.wanted))
    if arguments.question == "names":
        print(*(test["name"] for test in tests), sep="\n", end="\n" if tests else "")
    elif arguments.question == "targets":
        paths = targets(arguments.folder, tests)
        print(*paths, sep="\n", end="\n" if paths else "")
    else:
        count(arguments.folder, tests)


if __name__ == "__main__":
    main()
