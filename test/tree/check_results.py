#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that test/support/results.py finds every failure in the output of meson, counts nothing
else as a failure, and names it. Prints TAP."""

import json
import pathlib
import subprocess
import sys
import tempfile

TESTS = {
    "unit/test_a": ("unit", "tap", ["a"]),
    "unit/test_ab": ("unit", "tap", ["ab"]),
    "contract/test_a": ("contract", "tap", ["support", "a2"]),
    "tree/check": ("tree", "exitcode", []),
}
# Written like the output of TapReporter.
ALL_WELL = "# running one\nok 1 - one\n# running two\nok 2 - two\n1..2\n"


def run_of(name, output="", result="OK", status=0, errors=""):
    return {"name": f"keywatch:{name.split('/')[0]} / {name}", "stdout": output, "stderr": errors,
            "result": result, "returncode": status}


class Folder:
    """A build folder as left by meson."""

    def __init__(self, script, path):
        self.script, self.path = script, path
        (path / "meson-info").mkdir()
        (path / "meson-logs").mkdir()
        tests = [{"name": name, "suite": [f"keywatch:{suite}"], "protocol": protocol,
                  "depends": depends} for name, (suite, protocol, depends) in TESTS.items()]
        targets = [{"id": id, "filename": [str(path / "test" / id)]}
                   for _, _, depends in TESTS.values() for id in depends]
        (path / "meson-info" / "intro-tests.json").write_text(json.dumps(tests))
        (path / "meson-info" / "intro-targets.json").write_text(json.dumps(targets))

    def ask(self, question, *wanted, suites=""):
        """Returns what results.py prints, and what it prints as errors."""
        done = subprocess.run(
            [sys.executable, self.script, self.path, "--suites", suites, question, *wanted],
            text=True, capture_output=True, check=True)
        return done.stdout.split("\n")[:-1], done.stderr.split("\n")[:-1]

    def count(self, *runs, of="test_ab", suites=""):
        """Returns what results.py reports for these runs: the counts, and its messages."""
        (self.path / "meson-logs" / "testlog.json").write_text(
            "".join(json.dumps(run) + "\n" for run in runs))
        counts, said = self.ask("count", of, suites=suites)
        return counts[0], said


def names_and_targets(folder):
    yield folder.ask("names")[0] == list(TESTS)
    yield folder.ask("names", "test_a")[0] == ["unit/test_a", "unit/test_ab", "contract/test_a"]
    # the whole name of a test selects only that test
    yield folder.ask("names", "unit/test_a")[0] == ["unit/test_a"]
    yield folder.ask("names", "no such")[0] == []
    yield folder.ask("names", "test_a", suites="contract,tree")[0] == ["contract/test_a"]
    yield folder.ask("targets", "test_a")[0] == ["test/a", "test/a2", "test/ab", "test/support"]
    yield folder.ask("targets", "check")[0] == []


def passed_cases_are_counted(folder):
    yield folder.count(run_of("unit/test_ab", ALL_WELL)) == ("2 0", [])
    for skip in ("SKIP no such compiler", "skip"):
        skipped = ALL_WELL.replace("- two", f"- two # {skip}")
        yield folder.count(run_of("unit/test_ab", skipped)) == ("1 0", [])
    yield folder.count(run_of("unit/test_ab", "okay then\n" + ALL_WELL)) == ("2 0", [])
    yield folder.count(run_of("tree/check"), of="check") == ("1 0", [])


def a_case_that_failed_is_named(folder):
    counts, said = folder.count(run_of("unit/test_ab", ALL_WELL.replace("ok 2", "not ok 2"),
                                       "ERROR", 201))
    yield counts == "1 1"
    yield said == ["FAILED unit/test_ab: two"]
    yield folder.count(run_of("tree/check", "", "FAIL", 1), of="check") == (
        "0 1", ["FAILED tree/check (FAIL)"])


def a_test_that_does_not_finish_fails(folder):
    cut = ALL_WELL.split("ok 2")[0]
    for result in ("TIMEOUT", "ERROR"):
        counts, said = folder.count(run_of("unit/test_ab", cut, result, -6))
        yield counts == "1 1"
        yield said == [f"FAILED unit/test_ab: {result} in two, exit status -6"]
    # A failure after all cases: a leak, or a destructor.
    counts, said = folder.count(run_of("unit/test_ab", ALL_WELL, "FAIL", 23))
    yield counts == "2 1"
    yield said == ["FAILED unit/test_ab: FAIL outside of a case, exit status 23"]
    # The program ended early, whatever its exit status.
    for early in ("ok 1 - one\n", "ok 1 - one\n1..2\n"):
        yield folder.count(run_of("unit/test_ab", early))[0] == "1 1"
    yield folder.count(run_of("tree/check", "", "TIMEOUT"), of="check") == (
        "0 1", ["FAILED tree/check (TIMEOUT)"])


def a_test_without_cases_fails(folder):
    for output in ("", "1..0\n"):
        yield folder.count(run_of("unit/test_ab", output))[0] == "0 1"


def a_test_that_did_not_run_fails(folder):
    yield folder.count() == ("0 1", ["FAILED unit/test_ab: did not run"])
    yield folder.count(run_of("unit/test_a", ALL_WELL), run_of("contract/test_a", ALL_WELL),
                       of="test_a") == ("4 1", ["FAILED unit/test_ab: did not run"])
    log = folder.path / "meson-logs" / "testlog.json"
    log.write_text(json.dumps(run_of("unit/test_ab", ALL_WELL)) + '\n{"name": "keywa')
    counts, said = folder.ask("count", "test_a")
    yield counts == ["2 2"]
    yield said == ["FAILED unit/test_a: did not run", "FAILED contract/test_a: did not run"]
    log.unlink()
    yield folder.ask("count", "test_ab")[0] == ["0 1"]


def the_reason_of_a_failure_is_repeated(folder):
    why = '\x1b[1;31ma.cpp(7): error: in "suite/two": check x == 3 has failed [2 != 3]\x1b[0m'
    errors = "noise\n" * 1000 + why + "\nSUMMARY: AddressSanitizer: heap-use-after-free\n"
    bad = run_of("unit/test_ab", ALL_WELL.replace("ok 2", "not ok 2"), "ERROR", 201, errors)
    _, said = folder.count(bad)
    yield said == ["FAILED unit/test_ab: two",
                   '    a.cpp(7): error: in "suite/two": check x == 3 has failed [2 != 3]',
                   "    SUMMARY: AddressSanitizer: heap-use-after-free"]
    for line in ("KEYWATCH_SEED=5", "==9==ERROR: LeakSanitizer: detected memory leaks",
                 "terminate called without an active exception", "a.cpp:1: Assertion `x' failed."):
        printed = ALL_WELL.replace("ok 2", line + "\nnot ok 2")
        _, said = folder.count(run_of("unit/test_ab", printed, "ERROR", 201))
        yield said == ["FAILED unit/test_ab: two", "    " + line]
    # A test that passed has no reasons, whatever it printed; a test that failed has a limited
    # number.
    yield folder.count(run_of("unit/test_ab", ALL_WELL, errors=errors)) == ("2 0", [])
    bad["stderr"] = (why + "x" * 1000 + "\n") * 1000
    yield sum(len(line) for line in folder.count(bad)[1]) < 5000


CASES = [names_and_targets, passed_cases_are_counted, a_case_that_failed_is_named,
         a_test_that_does_not_finish_fails, a_test_without_cases_fails,
         a_test_that_did_not_run_fails, the_reason_of_a_failure_is_repeated]


def main():
    script = pathlib.Path(sys.argv[1]).resolve() / "test" / "support" / "results.py"
    failures = 0
    print(f"1..{len(CASES)}")
    for number, case in enumerate(CASES, 1):
        with tempfile.TemporaryDirectory() as path:
            checks = list(case(Folder(script, pathlib.Path(path))))
        wrong = [at for at, holds in enumerate(checks, 1) if not holds]
        failures += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - {case.__name__}")
        if wrong:
            print("# of its checks these do not hold:", *wrong)
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
