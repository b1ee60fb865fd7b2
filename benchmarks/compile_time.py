#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Measures the compile time of a user's file that includes keywatch and spawns a watcher. The floor
is a file of the same shape that spawns a coroutine of its own, with Asio alone. The unit is the
processor time of the compiler; floor and keywatch take turns. Prints the results in the format of
Google Benchmark, for table.py.

    compile_time.py [COMPILER...]        the compiler and its flags (g++)"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

RUNS = 7
OPTIMIZATIONS = ("-O0", "-O2")
INCLUDE = pathlib.Path(__file__).resolve().parent.parent / "include"

FLOOR = """
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <iostream>
#include <string>

namespace asio = boost::asio;

asio::awaitable<void> print(std::string key)
{
    std::cout << key << '\\n';
    co_return;
}

int main()
{
    asio::io_context context(1);
    asio::co_spawn(context, print("42"), [](std::exception_ptr error) {
        if (error) {
            std::rethrow_exception(error);
        }
    });
    context.run();
}
"""

KEYWATCH = """
#include <keywatch/keywatch.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>

namespace asio = boost::asio;
namespace kw = keywatch;

asio::awaitable<void> print(const kw::Message& message)
{
    std::cout << message.key << '\\n';
    co_return;
}

int main()
{
    asio::io_context context(1);
    kw::Database db = kw::Database::open_blocking(context.get_executor(), kw::Options("memory:"));
    kw::Watcher watcher = db.watch("users", kw::key("42"), print);
    asio::co_spawn(context, watcher.run(), kw::rethrow);
    context.run();
}
"""


def compile_seconds(compiler, optimization, source):
    """Returns the processor time of the compiler in user mode."""
    command = [*compiler, "-std=c++20", optimization, f"-I{INCLUDE}", "-c", source,
               "-o", source.with_suffix(".o")]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command} failed")
    return usage.ru_utime


def compare(compiler, optimization, floor, keywatch):
    """Yields one result for each run, in nanoseconds."""
    for run in range(RUNS + 1):
        floor_seconds, keywatch_seconds = (compile_seconds(compiler, optimization, source)
                                           for source in (floor, keywatch))
        if run > 0:  # the first run warms the file cache
            yield {
                "name": f"compile_time/{optimization[1:]}",
                "run_type": "iteration",
                "floor_ns": floor_seconds * 1e9,
                "keywatch_ns": keywatch_seconds * 1e9,
                "ratio": keywatch_seconds / floor_seconds,
            }


def main():
    compiler = sys.argv[1:] or ["g++"]
    with tempfile.TemporaryDirectory() as folder:
        floor, keywatch = pathlib.Path(folder, "floor.cpp"), pathlib.Path(folder, "keywatch.cpp")
        floor.write_text(FLOOR, encoding="utf-8")
        keywatch.write_text(KEYWATCH, encoding="utf-8")
        runs = [run for optimization in OPTIMIZATIONS
                for run in compare(compiler, optimization, floor, keywatch)]
    json.dump({"benchmarks": runs}, sys.stdout)


if __name__ == "__main__":
    main()
