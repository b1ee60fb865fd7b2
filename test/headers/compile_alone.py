#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Compiles every header of include/ and lib/ alone, with the flags of the library, so that none of
them depends on what its user has included before. Internal headers that their own source includes
first are skipped: the style check compiles those alone, without a precompiled header."""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys


def library_flags(build):
    """Returns the compiler and flags of the library's first source, without the arguments that name
    input and output."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    entry = next(entry for entry in entries if "libkeywatch_internals.a.p" in entry["output"])
    flags, words = [], iter(shlex.split(entry["command"]))
    for word in words:
        if word in ("-o", "-MF", "-MQ"):
            next(words)
        elif word in ("-include", "-include-pch"):
            next(words)  # the precompiled header
        elif word not in ("-c", "-MD", entry["file"], "ccache"):
            flags.append(word)
    return flags


def compile_header(flags, build, header):
    command = [*flags, "-fsyntax-only", "-include", str(header), "-x", "c++", os.devnull]
    return subprocess.run(command, cwd=build, capture_output=True, text=True, check=False)


def needs_compiling(header):
    """Returns true if no source of the same name includes this header before anything else."""
    source = header.with_suffix(".cpp")
    if not source.exists():
        return True
    includes = [line for line in source.read_text(encoding="utf-8").splitlines()
                if line.startswith("#include")]
    return not includes or not includes[0].rstrip().endswith((f'"{header.name}"',
                                                              f'/{header.name}"'))


def needs_json(header):
    """Returns true if this is keywatch/json.hpp or a part of it, for programs that have
    nlohmann_json."""
    return header.parent.name == "keywatch" and re.match(r"json(_\w+)?\.hpp$", header.name)


def main():
    build, root = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    flags = library_flags(build)
    headers = [*sorted(root.glob("include/**/*.hpp")),
               *filter(needs_compiling, sorted(root.glob("lib/**/*.hpp")))]
    with_json = compile_header(flags, build, "nlohmann/json.hpp").returncode == 0
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda header: compile_header(flags, build, header), headers)
        for number, (header, result) in enumerate(zip(headers, results), 1):
            name = header.relative_to(root)
            if needs_json(header) and not with_json:
                print(f"ok {number} - {name} # SKIP there is no nlohmann_json", flush=True)
                continue
            if result.returncode != 0:
                failures += 1
                print(result.stderr, file=sys.stderr)
            print(f"{'not ok' if result.returncode else 'ok'} {number} - {name}",
                  flush=True)
    print(f"1..{len(headers)}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
