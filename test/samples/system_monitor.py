#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs the samples as their users do: system_monitor is killed, its audit file is torn, its options
are misspelt. Prints TAP; the first argument is system_monitor, the second quick_start."""

import fcntl
import json
import os
import pathlib
import pty
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import traceback

MONITOR, QUICK_START = (os.path.abspath(path) for path in sys.argv[1:3])
PATIENCE = 60
seed = int(os.environ.get("KEYWATCH_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
chance = random.Random(seed)


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.002)
    return result


def finish(process, expected):
    """Waits for a program to end with this status, and returns its output."""
    out, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == expected, f"status {process.returncode}: {out}{errors}"
    return out, errors


class Monitor:
    """A running system_monitor in a folder, with 50 samples a second. It is always stopped at the
    end."""

    def __init__(self, folder, *options):
        self.folder = pathlib.Path(folder)
        self.process = subprocess.Popen(
            [MONITOR, "--data", str(folder), "--interval", "20", *options], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def wait_for_lines(self, count, name="audit.jsonl"):
        """Waits until the file has this many more lines."""
        path = self.folder / name
        before = line_count(path)

        def grown():
            assert self.process.poll() is None, f"it has ended: {self.process.communicate()}"
            return line_count(path) >= before + count

        wait_for(grown, f"{count} lines more in {name}")

    def end(self, number):
        """Sends the signal, and returns what the program has printed."""
        self.process.send_signal(number)
        return finish(self.process, -number if number == signal.SIGKILL else 0)[0]


def line_count(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def audit(path):
    """Returns the lines of an audit file, all of which must be complete."""
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n"), "the last line is torn"
    return [json.loads(line) for line in text.splitlines()]


def check_contiguous(lines, first=1):
    """Checks that every revision is there exactly once, with the matching position, and that all
    are of one history."""
    revisions = [line["revision"] for line in lines]
    assert revisions == list(range(first, first + len(lines))), f"not contiguous: {revisions}"
    assert len({line["position"].split(":")[0] for line in lines}) == 1, "several histories"
    for line in lines:
        assert line["position"].endswith(f":{line['revision']}"), line
        assert "cpu" in line["put"] and "memory" in line["put"], line


def printed_samples(out):
    """Returns the figures of each revision that the table has shown in its plain form."""
    samples = {}
    for revision, figures in re.findall(r"^[\d:]+ #(\d+) (.*)$", out, re.MULTILINE):
        pairs = [figure.split("=") for figure in figures.split()]
        samples[int(revision)] = {name: re.sub(r"(%|kB/s)$", "", value) for name, value in pairs}
    return samples


def tear(path):
    """Changes the last line as a crash or a bad disk may."""
    data = path.read_bytes()
    last = data.rfind(b"\n", 0, len(data) - 1) + 1
    cut = chance.randrange(last + 1, len(data))
    path.write_bytes(chance.choice([data[:cut], data[:cut] + b"\n", data + data[last:cut]]))


def check_history(folder, lines):
    """Compares the audit file with history: a second audit file begins with the first commit."""
    with Monitor(folder, "--audit", str(folder / "second")) as monitor:
        monitor.wait_for_lines(len(lines) + 3, "second")
        monitor.end(signal.SIGINT)
    second = audit(folder / "second")
    check_contiguous(second)
    assert len(second) > len(lines), "the last run has committed nothing"
    assert second[:len(lines)] == lines, "the audit file is not what history says"


def killed_at_any_moment_the_audit_has_every_commit_once(folder):
    path = folder / "audit.jsonl"
    shown = {}
    for attempt in range(8):
        with Monitor(folder) as monitor:
            if attempt < 5:
                monitor.wait_for_lines(chance.randrange(1, 20))
            time.sleep(chance.uniform(0, 0.03 if attempt < 5 else 0.2))
            shown |= printed_samples(monitor.end(signal.SIGKILL))
        if attempt % 2:
            tear(path)
    with Monitor(folder) as monitor:
        monitor.wait_for_lines(3)
        shown |= printed_samples(monitor.end(signal.SIGINT))
    lines = audit(path)
    check_contiguous(lines)
    assert len(shown) > 5, "nothing was printed"
    for revision, figures in shown.items():
        assert lines[revision - 1]["put"] == figures, f"revision {revision} is not what was shown"
    assert sum("bucket_created" in line for line in lines) == 1
    check_history(folder, lines)


def a_signal_ends_it_after_everything_was_delivered(folder):
    for number in (signal.SIGINT, signal.SIGTERM):
        before = line_count(folder / "audit.jsonl")
        with Monitor(folder) as monitor:
            monitor.wait_for_lines(5)
            out = monitor.end(number)
        commits, lines = map(int, re.search(r"commits (\d+), alerts \d+, audit lines (\d+)",
                                            out.splitlines()[-1]).groups())
        assert commits == lines == len(printed_samples(out)), out
        assert line_count(folder / "audit.jsonl") == before + lines, out
    check_contiguous(audit(folder / "audit.jsonl"))


def a_second_one_in_the_same_folder_is_refused(folder):
    with Monitor(folder) as first:
        first.wait_for_lines(1)
        with Monitor(folder) as second:
            _, errors = finish(second.process, 1)
        assert "open already" in errors, errors
        first.wait_for_lines(1)
        first.end(signal.SIGINT)
    check_contiguous(audit(folder / "audit.jsonl"))


def the_audit_of_another_database_is_kept_and_a_new_one_begun(folder):
    with Monitor(folder / "one", "--seconds", "0.3") as monitor:
        finish(monitor.process, 0)
    (folder / "two").mkdir()
    shutil.copy(folder / "one/audit.jsonl", folder / "two/audit.jsonl")
    outs = []
    for _ in range(2):
        with Monitor(folder / "two", "--seconds", "0.3") as monitor:
            outs.append(finish(monitor.process, 0)[0])
    assert "belongs to another database" in outs[0] and "audit.jsonl.1" in outs[0], outs[0]
    assert audit(folder / "two/audit.jsonl") == audit(folder / "one/audit.jsonl")
    note, *lines = audit(folder / "two/audit.jsonl.1")
    assert "belongs to another database" in note["note"], note
    check_contiguous(lines)
    assert "begins after" not in outs[1] and not (folder / "two/audit.jsonl.2").exists(), outs[1]
    assert len(lines) == sum(len(printed_samples(out)) for out in outs)


def a_lost_database_does_not_mix_audits(folder):
    with Monitor(folder) as monitor:
        monitor.wait_for_lines(3)
        monitor.end(signal.SIGINT)
    old = audit(folder / "audit.jsonl")
    shutil.copytree(folder / "database", folder / "backup")
    with Monitor(folder) as monitor:
        monitor.wait_for_lines(3)
        monitor.end(signal.SIGINT)
    shutil.rmtree(folder / "database")
    (folder / "backup").rename(folder / "database")
    with Monitor(folder, "--seconds", "0.1") as monitor:
        out, _ = finish(monitor.process, 0)
    assert "lies ahead" in out, out
    note, *lines = audit(folder / "audit.jsonl.1")
    assert "lies ahead" in note["note"], note
    check_contiguous(lines)
    assert lines[:len(old)] == old


def a_file_that_is_no_audit_is_not_changed(folder):
    diary = folder / "diary"
    diary.write_text("monday\ntuesday", encoding="utf-8")
    with Monitor(folder, "--audit", str(diary)) as monitor:
        _, errors = finish(monitor.process, 1)
    assert "no audit file" in errors, errors
    assert diary.read_text(encoding="utf-8") == "monday\ntuesday"


def an_alert_is_raised_once_while_its_figure_stays_above(folder):
    with Monitor(folder, "--alert", "memory>0.0", "--alert", "memory>100") as monitor:
        monitor.wait_for_lines(10)
        out = monitor.end(signal.SIGINT)
    assert len(re.findall(r"ALERT memory [\d.]+ > 0 %", out)) == 1, out
    assert out.count("ALERT") == 1 and "alerts 1," in out, out


def terminal_output(folder, done):
    """Returns what the program writes to a terminal until done(text) holds; then types Ctrl-C
    there."""
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        [MONITOR, "--data", str(folder), "--interval", "20"], stdin=inside, stdout=inside,
        stderr=inside, env=dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8"),
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(inside)
    text, typed, end = "", False, time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    text += os.read(terminal, 65536).decode("utf-8", "replace")
                except OSError:
                    break
            if not typed and done(text):
                os.write(terminal, b"\x03")
                typed = True
        assert process.wait(PATIENCE) == 0, text[-2000:]
        return text
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def on_a_terminal_the_figures_change_in_place(folder):
    def values(text):
        return set(re.findall(r"memory +([\d.]+) %", text))

    ballast = []

    def changed(text):
        tables = text.count("Ctrl-C ends")
        if tables > 5 and len(values(text)) < 2 and len(ballast) < 20:
            # the figures are those of the machine, so change the machine
            ballast.append(b"\1" * (64 << 20))
        return tables > 5 and len(values(text)) > 1

    text = terminal_output(folder, changed)
    assert len(values(text)) > 1, "the figures do not change"
    assert re.search("\x1b\\[\\d+A", text), "nothing was redrawn in place"
    assert re.search(r"commits \d+, alerts \d+, audit lines \d+", text), text[-500:]
    check_contiguous(audit(folder / "audit.jsonl"))


def help_lists_the_options(_):
    out, errors = finish(start(MONITOR, "--help"), 0)
    for word in ("--data", "--audit", "--interval", "--alert", "--seconds", "memory", "cpu"):
        assert word in out, out
    assert errors == ""


def bad_options_are_refused_with_two(folder):
    for options in (["--nonsense"], ["stray"], ["--interval", "0"], ["--interval", "soon"],
                    ["--interval"], ["--seconds", "-1"], ["--seconds", "nan"], ["--alert", "cpu"],
                    ["--alert", ">1"], ["--alert", "cpu>"], ["--alert", "cpu>1x"],
                    ["--alert", "no.such>1"], ["--data", ""], ["--sec", "1"], ["--alert", ""]):
        process = start(MONITOR, *options, cwd=folder)
        out, errors = finish(process, 2)
        assert errors.startswith("system_monitor: ") and out == "", (options, out, errors)
    assert not list(folder.iterdir()), "a refused command has left files"


def quick_start_prints_its_message(_):
    out, _ = finish(start(QUICK_START), 0)
    assert out == "put 42 = alice\n", out


def start(*command, cwd=None):
    return subprocess.Popen(command, cwd=cwd, text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


CASES = [
    quick_start_prints_its_message,
    help_lists_the_options,
    bad_options_are_refused_with_two,
    a_signal_ends_it_after_everything_was_delivered,
    killed_at_any_moment_the_audit_has_every_commit_once,
    a_second_one_in_the_same_folder_is_refused,
    the_audit_of_another_database_is_kept_and_a_new_one_begun,
    a_lost_database_does_not_mix_audits,
    a_file_that_is_no_audit_is_not_changed,
    an_alert_is_raised_once_while_its_figure_stays_above,
    on_a_terminal_the_figures_change_in_place,
]


def main():
    print(f"# seed {seed} (KEYWATCH_SEED)")
    failures = 0
    for number, case in enumerate(CASES, 1):
        print(f"# running {case.__name__}", flush=True)
        with tempfile.TemporaryDirectory(prefix="keywatch.") as folder:
            try:
                case(pathlib.Path(folder))
                print(f"ok {number} - {case.__name__}", flush=True)
            except Exception:  # pylint: disable=broad-except
                traceback.print_exc()
                failures += 1
                print(f"not ok {number} - {case.__name__}", flush=True)
    print(f"1..{len(CASES)}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
