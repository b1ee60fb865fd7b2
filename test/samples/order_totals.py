#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Starts order_totals repeatedly, stopping some runs early. Prints TAP; the argument is the
program."""

import os
import random
import subprocess
import sys
import tempfile
import traceback

PROGRAM = os.path.abspath(sys.argv[1])
seed = int(os.environ.get("KEYWATCH_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
chance = random.Random(seed)


def run(folder, *arguments):
    done = subprocess.run([PROGRAM, os.path.join(folder, "db"), *arguments], text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def totals_after(runs):
    return [f"alice ordered {2 * runs} times, for {34 * runs}",
            f"bob ordered {runs} times, for {12 * runs}"]


def each_order_is_added_up_once():
    with tempfile.TemporaryDirectory() as folder:
        for runs in range(1, 9):
            if chance.random() < 0.5:
                run(folder, "stop")
                continue
            lines = run(folder)
            assert lines[:2] == totals_after(runs), lines
            assert lines[2].startswith("order totals: "), lines
        lines = run(folder)
        assert lines[:2] == totals_after(9), lines


def what_was_not_added_up_is_reported_as_lag():
    with tempfile.TemporaryDirectory() as folder:
        assert run(folder, "stop") == ["order totals: 3 revisions behind"]
        assert run(folder, "stop") == ["order totals: 5 revisions behind"]
        assert run(folder)[:2] == totals_after(3)


CASES = [each_order_is_added_up_once, what_was_not_added_up_is_reported_as_lag]


def main():
    print(f"# seed {seed} (KEYWATCH_SEED)")
    failures = 0
    for number, case in enumerate(CASES, 1):
        try:
            case()
            print(f"ok {number} - {case.__name__}", flush=True)
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc()
            failures += 1
            print(f"not ok {number} - {case.__name__}", flush=True)
    print(f"1..{len(CASES)}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
