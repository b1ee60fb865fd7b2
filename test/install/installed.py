#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Installs a build folder into a folder of its own, as packagers do, and uses the result.

Arguments: the build folder, the source folder, the compiler."""

import pathlib
import sys
import tempfile

from outside import build_and_run, installed_headers, pkg_config, programs, public_headers, run, tap

BUILD, SOURCE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
COMPILER = sys.argv[3:]


def main():
    with tempfile.TemporaryDirectory() as root:
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", root)
        [header] = pathlib.Path(root).rglob("keywatch.hpp")
        prefix = header.parents[2]

        def headers():
            assert installed_headers(prefix) == public_headers(SOURCE), installed_headers(prefix)

        def nothing_else():
            files = {path.name for path in prefix.rglob("*") if path.is_file()}
            others = files - set(public_headers(SOURCE))
            libraries = {name for name in others if name.startswith("libkeywatch.")}
            assert libraries and others - libraries == {"keywatch.pc"}, others

        def no_include_path_of_the_system():
            flags = pkg_config(prefix, "--cflags")
            assert flags[0] == f"-I{prefix}/include", flags
            assert all(flag.startswith(("-D", "-pthread")) for flag in flags[1:]), flags

        cases = [("every public header is installed", headers),
                 ("nothing but headers, library and pkg-config file is installed", nothing_else),
                 ("the flags add no folder but the one of the headers",
                  no_include_path_of_the_system)]
        for source in programs(SOURCE):
            cases.append((f"{source.name} is built with pkg-config's flags and runs",
                          lambda source=source: build_and_run(COMPILER, prefix, source)))
        return tap(cases)


if __name__ == "__main__":
    sys.exit(main())
