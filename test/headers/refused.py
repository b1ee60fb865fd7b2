#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Tests what the library refuses by static_assert, which a test program cannot test. Each function
below must cause one error, with the message next to it; the functions at the end must cause none.
All of them are compiled once, with the flags of the library."""

import collections
import os
import pathlib
import re
import subprocess
import sys

from compile_alone import library_flags

BYTES = "what the function returns must own its bytes"
UPDATE_COROUTINE = "update() takes a plain function: a coroutine would never run"
VIEW_COROUTINE = "view() takes a plain function: a coroutine would never run"
COPYABLE = "the function must be copyable: pass std::ref(fn)"
RESULT = "a watch callback returns void, Flow, awaitable<void> or awaitable<Flow>"

REFUSED = [
    ("(void)db.update([](kw::Transaction&) -> asio::awaitable<void> { co_return; });",
     UPDATE_COROUTINE),
    ("(void)db.update([](kw::Transaction&) -> asio::awaitable<int> { co_return 1; });",
     UPDATE_COROUTINE),
    ("(void)db.view([](const kw::Snapshot&) -> asio::awaitable<int> { co_return 1; });",
     VIEW_COROUTINE),
    ("(void)db.update([](int) {});", "update() takes a function of keywatch::Transaction&"),
    ("(void)db.view([](kw::Transaction&) {});",
     "view() takes a function of const keywatch::Snapshot&"),
    ("(void)db.update(uncopyable);", COPYABLE),
    ("(void)db.view(uncopyable);", COPYABLE),
    ("(void)db.update([](kw::Transaction& tx) { return tx.btree(\"b\"); });", BYTES),
    ("(void)db.view([](const kw::Snapshot& s) { return s.btree(\"b\").range(\"a\", \"b\"); });",
     BYTES),
    ("(void)db.view([](const kw::Snapshot& s) { return s.list(\"b\").range(\"k\"); });", BYTES),
    ("(void)db.view([](const kw::Snapshot& s) { return s; });", BYTES),
    ("(void)db.view([](const kw::Snapshot& s) -> auto& { return s; });", BYTES),
    ("(void)db.view([](const kw::Snapshot&) { return std::optional<std::string_view>(); });",
     BYTES),
    ("(void)db.view([](const kw::Snapshot&) { return std::vector<std::span<int>>(); });", BYTES),
    ("(void)db.watch(\"b\", kw::all(), [](const kw::Message&) { return 1; });", RESULT),
    ("(void)db.watch(\"b\", kw::all(), [](const kw::Commit&) -> asio::awaitable<int> "
     "{ co_return 1; });", RESULT),
    ("(void)db.watch(\"b\", kw::all(), [](int) {});",
     "a watch callback takes const keywatch::Message& or const keywatch::Commit&"),
    ("(void)db.watch(\"b\", kw::all(), [](const auto&) {});",
     "a watch callback must take one of const Message& and const Commit&, not both"),
    ("(void)db.watch(\"b\", kw::all(), [p = std::unique_ptr<int>()](const kw::Message&) {});",
     "a watch callback must be copyable: pass std::ref(callback)"),
]

ACCEPTED = [
    "(void)db.update([](kw::Transaction& tx) { return tx.revision(); });",
    "(void)db.update(std::ref(uncopyable));",
    "(void)db.view([](const kw::Snapshot& s) { return s.buckets(); });",
    "(void)db.view([](const kw::Snapshot& s) { return s.list(\"b\").range(\"k\").to_vector(); });",
    "(void)db.watch(\"b\", kw::all(), [](const kw::Message&) { return kw::Flow::stop; });",
    "(void)db.watch(\"b\", kw::all(), [](kw::Commit) -> asio::awaitable<void> { co_return; });",
]

PROLOGUE = """
#include <keywatch/keywatch.hpp>
#include <functional>
#include <memory>
#include <span>
namespace asio = boost::asio;
namespace kw = keywatch;
struct Uncopyable {
    Uncopyable() = default;
    Uncopyable(const Uncopyable&) = delete;
    void operator()(const kw::Snapshot&) {}
};
"""


def source_of(statements):
    """Puts each statement into a function of its own."""
    functions = [f"void use_{number}(kw::Database db, Uncopyable& uncopyable)"
                 f" {{ (void)db, (void)uncopyable; {statement} }}\n"
                 for number, statement in enumerate(statements)]
    return PROLOGUE + "".join(functions)


def errors_of(flags, build, statements):
    """Returns the compiler's errors."""
    command = [*flags, "-Wno-error", "-fsyntax-only", "-x", "c++", "-"]
    done = subprocess.run(command, input=source_of(statements), cwd=build, text=True,
                          capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
    return re.findall(r"error: (.*)", done.stderr)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    errors = errors_of(library_flags(build), build,
                       [statement for statement, _ in REFUSED] + ACCEPTED)
    wanted = collections.Counter(message for _, message in REFUSED)
    checks = [(f"refused {count} times: {message}",
               sum(message in error for error in errors) == count)
              for message, count in wanted.items()]
    checks.append(("each is refused with one error", len(errors) == len(REFUSED)))
    for number, (name, passed) in enumerate(checks, 1):
        print(f"{'ok' if passed else 'not ok'} {number} - {name}", flush=True)
    print(f"1..{len(checks)}")
    failed = not all(passed for _, passed in checks)
    if failed:
        print("\n".join(errors), file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
