#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks the rules of the source tree. Prints TAP, one line for each rule."""

import sys

from rules import RULES, Tree


def main():
    tree = Tree(sys.argv[1] if len(sys.argv) > 1 else ".")
    broken = 0
    for number, rule in enumerate(RULES, 1):
        violations = list(rule(tree))
        broken += bool(violations)
        print(f"{'not ok' if violations else 'ok'} {number} - {rule.__name__}", flush=True)
        for violation in violations:
            print(f"{rule.__name__}: {violation}", file=sys.stderr)
    print(f"1..{len(RULES)}")
    return broken > 0


if __name__ == "__main__":
    sys.exit(main())
