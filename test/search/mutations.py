#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Breaks the machine of a watch, one decision after the other, and has the quick search notice it.
Each mutation is compiled, and linked with the model in place of the machine.

Arguments: the build folder, the source folder, the archives to link."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "headers"))
from compile_alone import library_flags  # pylint: disable=wrong-import-position

# What it does, the text that is replaced, the text that replaces it.
MUTATIONS = [
    ("a watch that began at the present has yet to catch up",
     "caught_up_(config.at_present)", "caught_up_(false)"),
    ("a start within a commit does not wait for that",
     "config.start + (config.within_next ? 1 : 0)", "config.start"),
    ("falling behind is a new beginning, whatever the reason",
     "by_itself ? began_away_by_ : never", "never"),
    ("it is too slow before it has caught up",
     "if (!caught_up_ || began_away_by_ == never", "if (began_away_by_ == never"),
    ("it is too slow as soon as it lags by more than at its beginning",
     "return began_away_by_ + near_;", "return began_away_by_;"),
    ("sleeps though that was refused",
     "return go(At::yield, Do::yield);", "return {};"),
    ("an abortion is not explained by the error",
     "if (aborted && signals.error)", "if (false)"),
    ("an abortion is not explained by the close",
     "if (aborted && signals.close_now)", "if (false)"),
    ("a drain is not taken for an end to come",
     "std::min(signals.drain_at.value_or(never), signals.close_at.value_or(never))",
     "signals.close_at.value_or(never)"),
    ("does not look when it comes to the end of its bucket",
     "std::min(signals.detached_at, last_)", "last_"),
    ("does not look when it comes to where it is drained or closed",
     "std::min(signals.detached_at, last_)", "signals.detached_at"),
    ("an end does not wait for the snapshot",
     "revision && !from_state_ && position_", "revision && position_"),
    ("an end comes one commit late",
     "position_ >= *revision", "position_ > *revision"),
    ("the end of a bucket comes one commit late",
     "if (position_ >= signals.detached_at) {", "if (position_ > signals.detached_at) {"),
    ("an error does not end it",
     "    if (signals.error) {\n        return end(Ending::pipeline_failed);",
     "    if (false) {\n        return end(Ending::pipeline_failed);"),
    ("a stop comes before a cancellation",
     "    if (signals.cancel) {\n        return end_at_position(Ending::cancelled);",
     "    if (signals.cancel && !signals.stop) {\n"
     "        return end_at_position(Ending::cancelled);"),
    ("a close that has waited for long enough waits on",
     "if (signals.close_now || reached(", "if (reached("),
    ("a drain is no reason to end", "if (reached(signals.drain_at))", "if (false)"),
    ("a close is no reason to end", "|| reached(signals.close_at)", ""),
    ("a drain or a close does not hurry a paced watch",
     "action.flag = last_ == never && !signals", "action.flag = !signals"),
    ("the end of a bucket does not hurry a paced watch",
     "last_ == never && !signals.bucket_deleted", "last_ == never"),
    ("the time is not looked at",
     "if (paced_) {\n        Action", "if (false) {\n        Action"),
    ("a live watch ends at what it has delivered",
     "if (!is_live()) {\n        return end(ending);", "if (true) {\n        return end(ending);"),
    ("what is early does not rest",
     "if (timing == Timing::early) {", "if (false) {"),
    ("takes what came while it was too early",
     "only_if_empty_ ? Do::take_if_empty : Do::take_inbox", "Do::take_inbox"),
    ("takes nothing any more once it was too early",
     "only_if_empty_ = timing == Timing::early_but_empty;",
     "only_if_empty_ = only_if_empty_ || timing == Timing::early_but_empty;"),
    ("is not woken for what came while it was too early",
     "expect(At::take);\n    return look();", "expect(At::take);\n    return settle();"),
    ("rests though that was refused",
     "expect(At::rest);\n    return look();", "expect(At::rest);\n    return {};"),
    ("at its end it takes what it does not deliver as if it did",
     "Do::take_inbox);\n        action.flag = true;", "Do::take_inbox);"),
    ("a drained watch reads on", "next_detached(std::min(routed, last_))",
     "next_detached(routed)"),
    ("takes the inbox before it has read history up to its join",
     "if (position_ < joined_at_) {", "if (false) {"),
    ("reads history after its join",
     "return read_history(joined_at_);", "return read_history(routed);"),
    ("does not wait until R has reached the start",
     "if (routed < position_ || routed < begins_at_)", "if (routed < begins_at_)"),
    ("does not wait for the commit that it starts within",
     "if (routed < position_ || routed < begins_at_)", "if (routed < position_)"),
    ("is woken too early for the commit that it starts within",
     "action.revision = std::max(position_, begins_at_);", "action.revision = position_;"),
    ("joins from afar", "if (lag <= near_) {", "if (true) {"),
    ("too slow is what lags as far as it bears", "lag > bears()", "lag >= bears()"),
    ("is too slow though it is about to end", "last_ == never && lag > ", "lag > "),
    ("stop does not end what is too slow",
     "if (too_slow && overflow_ == Overflow::stop)", "if (false)"),
    ("skip leaves nothing out of history",
     "if (too_slow && overflow_ == Overflow::skip)", "if (false)"),
    ("latest reads each commit of history",
     "overflow_ == Overflow::latest ? How::newest : How::each", "How::each"),
    ("waits for its start as if it were live",
     "return go(At::wait, Do::sleep);",
     "Action action = go(At::wait, Do::sleep);\n    action.flag = true;\n    return action;"),
    ("what was routed when it joined is the position",
     "joined_at_ = routed;", "joined_at_ = position_;"),
    ("an error of the predicate in history is passed over", "error_ = read.error;", ""),
    ("a gap does not give another try",
     "began_away_by_ = never;  // it gets another try", ""),
    ("reads again what the inbox says there is none of", "advance(taken.nothing_up_to);", ""),
    ("goes beyond the end of its bucket",
     "std::min(target_, signals.detached_at)", "target_"),
    ("at its end it passes what waits in its inbox",
     "if (!taken.any && !signals.fell_behind)", "if (!signals.fell_behind)"),
    ("at its end it passes what was dropped from its inbox",
     "if (!taken.any && !signals.fell_behind)", "if (!taken.any)"),
    ("at its end it does not pass what was routed",
     "            advance(reached);\n", ""),
    ("an error of the predicate is put after its commit",
     "taken.error ? taken.before_error : reached", "reached"),
    ("an error of the predicate is passed over", "error_ = taken.error;", ""),
    ("what was dropped counts as delivered", "fell_behind_ = signals.fell_behind;", ""),
    ("falls behind by itself without its fault", "full_ = signals.full;", "full_ = true;"),
    ("a full inbox is never its fault", "overflowed_ = signals.overflowed;", ""),
    ("a callback cannot stop it",
     "if (stopped_) {\n        return end(Ending::stopped);", "if (false) {\n        return {};"),
    ("the rest of a batch that was broken off counts as delivered",
     "if (broken_) {", "if (false) {"),
    ("what was not taken by the outbox counts as delivered",
     "    expect(At::deliver);\n    detach();\n    return look();",
     "    expect(At::deliver);\n    return settle();"),
    ("a batch that came back half counts as whole",
     "    if (whole) {\n        return settle();\n    }\n    detach();", "    if (true) {\n"
     "        return settle();\n    }\n    detach();"),
    ("the position at an error of the predicate is before the batch",
     "if (error_) {\n        advance(target_);", "if (error_) {"),
    ("the snapshot is read again", "from_state_ = false;\n        advance(target_);",
     "advance(target_);"),
    ("the marker does not move the position", "from_state_ = false;\n        advance(target_);",
     "from_state_ = false;\n        position_ = 0;"),
    ("history that does not match is read again",
     "case Batch::history:\n        advance(target_);", "case Batch::history:"),
    ("a bucket that ended in history is not lost",
     "ends_bucket_ ? go(At::lose, Do::lose_buckets) : after_batch()", "after_batch()"),
    ("any full inbox ends it, though that is not its fault",
     "if (overflowed_ && overflow_ == Overflow::stop", "if (overflow_ == Overflow::stop"),
    ("a full inbox ends it, whatever its policy",
     "overflowed_ && overflow_ == Overflow::stop", "overflowed_"),
    ("a full inbox ends it, though it is about to end",
     "Overflow::stop && last_ == never", "Overflow::stop"),
    ("falling behind does not lead away",
     "detach(full_ && !overflowed_);", ""),
    ("a whole inbox is not catching up", "    caught_up_ = true;\n", ""),
    ("a whole inbox does not move the position",
     "began_away_by_ = never;\n    advance(target_);", "began_away_by_ = never;"),
    ("it goes on though its last bucket was lost", "    if (all) {\n", "    if (false) {\n"),
    ("stays in the index though a bucket was lost in history",
     "return joined_ ? go(At::part, Do::part) : after_batch();", "return after_batch();"),
    ("parts, and is joined all the same",
     "expect(At::part);\n    detach();", "expect(At::part);"),
    ("progress is not looked at",
     "paced_ ? go(At::progress, Do::check_progress) : after_progress()", "after_progress()"),
    ("progress is not told", "    if (!due) {\n", "    if (true) {\n"),
    ("sleeps though it has fallen behind", "if (!is_live() || !from_inbox_)",
     "if (!from_inbox_)"),
    ("sleeps as if it were not live", "Do::sleep);\n    action.flag = true;", "Do::sleep);"),
]


class Mutants:
    """Programs of the quick search, with the machine as it is or broken."""

    def __init__(self, build, source, archives, folder):
        self.build = build
        self.flags = library_flags(build)
        self.archives = [build / archive for archive in archives]
        self.folder = pathlib.Path(folder)
        # Compiled once: where it is of no use, it is only included.
        header = self.folder / "machine.hpp"
        header.write_text('#include "watch/delivery_fsm.hpp"\n', encoding="utf-8")
        self.quick = [*self.flags, "-O0", "-w"]
        self.call(*self.quick, "-x", "c++-header", header, "-o", f"{header}.gch")
        self.quick += ["-include", header]
        self.sources = {path: path.read_text(encoding="utf-8")
                        for path in sorted((source / "lib" / "watch").glob("delivery_fsm*.cpp"))}

    def run(self, number, old="", new=""):
        """What the quick search says, and whether it noticed something."""
        found = [path for path, text in self.sources.items() if old and old in text]
        if old and (len(found) != 1 or self.sources[found[0]].count(old) != 1):
            raise AssertionError("the text is not there once")
        objects = [self.compile(number, path, text.replace(old, new) if path in found else text)
                   for path, text in self.sources.items()]
        program = self.folder / f"mutant{number}"
        # The objects come first, so that the archive's own are not looked at.
        self.call(*self.flags, *objects, *self.archives, "-o", program)
        done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=300)
        program.unlink()
        return done.stdout.strip(), done.returncode != 0

    def compile(self, number, path, text):
        mutated = self.folder / f"{number}_{path.name}"
        mutated.write_text(text, encoding="utf-8")
        result = mutated.with_suffix(".o")
        self.call(*self.quick, f"-I{path.parent}", "-c", mutated, "-o", result)
        return result

    def call(self, *command):
        done = subprocess.run([str(word) for word in command], cwd=self.build, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)


def check(mutants, number, name, old, new):
    try:
        said, noticed = mutants.run(number, old, new)
    except AssertionError as error:
        said, noticed = str(error), False
    return name, noticed, said


def main():
    build, source = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder, \
         concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        mutants = Mutants(build, source, sys.argv[3:], folder)
        said, noticed = mutants.run(0)
        results = [("the machine as it is passes", not noticed, said)]
        jobs = [pool.submit(check, mutants, number, *mutation)
                for number, mutation in enumerate(MUTATIONS, 1)]
        results += [job.result() for job in jobs]
    print(f"1..{len(results)}")
    for number, (name, passed, said) in enumerate(results, 1):
        print(f"{'ok' if passed else 'not ok'} {number} - {name}", flush=True)
        if not passed or "-v" in sys.argv:
            print(said, file=sys.stderr)
    return not all(passed for _, passed, _ in results)


if __name__ == "__main__":
    sys.exit(main())
