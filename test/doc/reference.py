#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Builds the reference. Checks that Doxygen has no warnings, that the reference is complete, and
that it contains nothing internal. Prints TAP.

Arguments: Doxygen, the Doxyfile, the source folder."""

import pathlib
import re
import subprocess
import sys
import tempfile

DOXYGEN, DOXYFILE, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])

PLANTED = """
/// @namespace keywatch
/// As ours.
namespace [[gnu::visibility("default")]] keywatch {
/// Has a comment.
int documented();
%s
}
"""


def doxygen(folder, *settings):
    """Runs Doxygen, with its output below this folder, and returns the result."""
    text = DOXYFILE.read_text(encoding="utf-8") + "\n".join(
        ["", f"OUTPUT_DIRECTORY = {folder}", *settings, ""])
    return subprocess.run([DOXYGEN, "-"], input=text, text=True, capture_output=True, check=False)


def warns_of(declaration):
    """Returns true if Doxygen, with our settings, refuses a header with this declaration."""
    with tempfile.TemporaryDirectory() as folder:
        header = pathlib.Path(folder, "planted.hpp")
        header.write_text(PLANTED % declaration, encoding="utf-8")
        return doxygen(folder, f"INPUT = {header}").returncode != 0


def public_classes():
    """Returns the names of everything that public headers define outside of `detail`."""
    for header in sorted((SOURCE / "include" / "keywatch").glob("*.hpp")):
        text = header.read_text(encoding="utf-8").split("namespace detail {")[0]
        yield from re.findall(r"^(?:class|struct) (\w+)(?: : [^{]*)? \{$", text, re.MULTILINE)


def checks(folder):
    """Yields (what is checked, whether it holds)."""
    result = doxygen(folder)
    if result.returncode != 0:
        print(result.stderr, file=sys.stderr)
    yield "there is nothing to warn of", result.returncode == 0
    pages = {path.name: path.read_text(encoding="utf-8")
             for path in pathlib.Path(folder).glob("*.html")}
    interface = "".join(text for name, text in pages.items()
                        if name.startswith(("class", "struct", "namespace")))
    for name in public_classes():
        yield f"{name} is there", f">{name}</a>" in interface
    for path in sorted((SOURCE / "doc").glob("*.md")):
        yield f"doc/{path.name} is there", f"md_doc_{path.stem}.html" in pages
    yield "free functions are there", "parse_position" in pages.get("namespacekeywatch.html", "")
    internal = re.search(r"detail::|WatcherImpl|PulledWatcher|DatabaseState|Workspace", interface)
    yield "nothing internal is there", internal is None
    yield "a header with all comments passes", not warns_of("")
    yield "a function without a comment is found", warns_of("int undocumented();")
    yield "a name that does not exist is found", warns_of("/// @copydoc gone\nint copied();")


def main():
    failures = number = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (what, holds) in enumerate(checks(folder), 1):
            failures += not holds
            print(f"{'ok' if holds else 'not ok'} {number} - {what}", flush=True)
    print(f"1..{number}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
