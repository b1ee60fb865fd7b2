#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Another meson project uses keywatch as a subproject, as a shared library. It is built, run and
installed with a prefix, and the library is inspected from outside. Builds the whole library once.

Arguments: the source folder, the compiler."""

import pathlib
import re
import sys
import tempfile

from outside import (EXPECTED, NEEDED, build_and_run, exported, installed_headers, pkg_config,
                     programs, public_headers, run, tap)

SOURCE = pathlib.Path(sys.argv[1]).resolve()
COMPILER = sys.argv[2:]
# Macros that Asio's users must agree on are in the pkg-config file.
ASIO_MACRO = "-DBOOST_ASIO_DISABLE_SMALL_BLOCK_RECYCLING"
# The beginnings of mangled names that are internal and that a library must not export.
INTERNAL = ["storage", "structures", "watch", "async", "engine", "pipeline", "DatabaseState"]
OURS = r"_Z(?:T[VISTv]|GV|Z)*NK?R?8keywatch"
HIDDEN = re.compile(rf"{OURS}(?:{'|'.join(f'{len(name)}{name}' for name in INTERNAL)})"
                    r"|_Z(?:T[VISTv]|GV|Z)*NK?(?:7leveldb|3re2)")

PROJECT = """
project('outside', 'cpp', default_options: ['cpp_std=c++20'])
keywatch_dep = dependency('keywatch', fallback: ['keywatch', 'keywatch_dep'])
"""


class Project:
    """The outside project, in a folder of its own."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.build = self.root / "build"
        self.prefix = self.root / "prefix"

    def write(self):
        lines = [self.executable(path) for path in programs(SOURCE)]
        (self.root / "meson.build").write_text(PROJECT + "".join(lines), encoding="utf-8")
        for path in programs(SOURCE):
            (self.root / path.name).write_bytes(path.read_bytes())
        (self.root / "subprojects").mkdir()
        (self.root / "subprojects" / "keywatch").symlink_to(SOURCE)

    @staticmethod
    def executable(path):
        needed = [f"dependency('{package}')" for package in NEEDED.get(path.name, [])]
        return (f"executable('{path.stem}', '{path.name}', "
                f"dependencies: [{', '.join(['keywatch_dep', *needed])}])\n")

    def configure(self):
        self.write()
        run("meson", "setup", self.build, self.root, "--prefix", self.prefix, "-Doptimization=0",
            "-Ddebug=false", "-Dkeywatch:default_library=shared", f"-Dcpp_args={ASIO_MACRO}",
            CXX=" ".join(COMPILER))

    def compile(self):
        run("ninja", "-C", self.build)

    def has_no_tests(self):
        assert run("meson", "introspect", "--tests", self.build).strip() == "[]"

    def runs(self, name):
        assert run(self.build / pathlib.Path(name).stem) == EXPECTED[name]

    def install(self):
        run("meson", "install", "-C", self.build, "--no-rebuild")
        assert installed_headers(self.prefix) == public_headers(SOURCE)

    def library(self):
        return next(self.prefix.rglob("libkeywatch.so"))

    def strong_symbols(self):
        """Weak symbols are templates of Asio and of the standard library. They are shared with the
        program, so that each of their variables exists once."""
        foreign = [name for kind, name in exported(self.library())
                   if kind not in "WVu" and not re.match(OURS, name)]
        assert not foreign, foreign

    def internal_symbols(self):
        internal = [name for _, name in exported(self.library()) if HIDDEN.match(name)]
        assert not internal, internal

    def public_symbols(self):
        names = {name for _, name in exported(self.library())}
        assert {"_ZN8keywatch8Database4openENS_7OptionsE", "_ZTIN8keywatch9CompactedE"} <= names

    def asio_macros(self):
        assert ASIO_MACRO in pkg_config(self.prefix, "--cflags")

    def libraries_are_private(self):
        for flag in ("-lleveldb", "-lre2"):
            assert flag not in pkg_config(self.prefix, "--libs")
            assert flag in pkg_config(self.prefix, "--libs", "--static")


def main():
    with tempfile.TemporaryDirectory() as root:
        project = Project(root)
        cases = [("it is configured", project.configure),
                 ("it builds", project.compile),
                 ("as a subproject there are no tests", project.has_no_tests)]
        cases += [(f"{path.name} runs", lambda name=path.name: project.runs(name))
                  for path in programs(SOURCE)]
        cases += [("the headers are installed", project.install),
                  ("strong symbols of the library are keywatch's own", project.strong_symbols),
                  ("nothing internal is among its symbols", project.internal_symbols),
                  ("what the public headers declare is", project.public_symbols),
                  ("the pkg-config file has Asio's macros", project.asio_macros),
                  ("LevelDB and RE2 are a private matter of a shared library",
                   project.libraries_are_private)]
        cases += [(f"{path.name} is built with pkg-config's flags and runs",
                   lambda path=path: build_and_run(COMPILER, project.prefix, path))
                  for path in programs(SOURCE)]
        return tap(cases)


if __name__ == "__main__":
    sys.exit(main())
