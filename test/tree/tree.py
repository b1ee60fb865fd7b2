# SPDX-License-Identifier: BSL-1.0
"""The source tree that the rules look at."""

import pathlib
import re

from cpp_text import includes

CODE = ("include", "lib", "test", "samples", "benchmarks")
# Build folders, unpacked subprojects, and what git keeps (in a worktree `.git` is a file).
IGNORED = re.compile(r"\.git$|(\.git|build)/|subprojects/(?!packagefiles/)\w.*/|.*__pycache__/")


class Tree:
    """The files of a tree, below a root, as {path: text}; what is IGNORED left out."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = {}
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if path.is_file() and not IGNORED.match(name):
                try:
                    self.files[name] = path.read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    pass

    def code(self, *folders, headers_only=False):
        """(path, text) of C++ files in these folders."""
        for name, text in self.files.items():
            if name.split("/")[0] in folders and name.endswith(".hpp" if headers_only
                                                               else (".hpp", ".cpp")):
                yield name, text

    def included(self, *folders):
        """(path, line, quote, included) of all includes of C++ files in these folders."""
        for name, text in self.code(*folders):
            for line, quote, path in includes(text):
                yield name, line, quote, path
