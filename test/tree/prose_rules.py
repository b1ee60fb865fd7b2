# SPDX-License-Identifier: BSL-1.0
"""The rules of prose: documents, and the comments in C++ files. See rules.py."""

import re

from cpp_text import line_of, without_comments_and_literals
from tree import CODE

# Words that make prose hard to read for people who learnt English late, and what to write instead.
DIALECT = [
    (r"(?:who|whoever|whom|everybody|somebody|anybody|nobody)", "a thing of the code: the caller, "
                                                                "the worker, another thread"),
    (r"(?<!fall )(?<!falls )(?<!fell )(?<!falling )(?<!fallen )behind", "after, newer than, lags"),
    (r"(?:but for|also if|at the most)", "except, even if, at most"),
    (r"(?:lies|lie|lay) (?:down|in|between|before|after)", "is, waits"),
    (r"(?:goes on|go on|went on|goes away|go away|thrown away|left out|lets? go)",
     "continues, is destroyed, discarded, skipped, releases"),
    (r"pok(?:e|es|ed|ing)|rous(?:e|es|ed|ing)", "wakes, resumes"),
]
BEGINNINGS = r"(?:Of|As|The same|What|Who|Whether|So|Those|Nor|Not)\b"

# (header, what is in it, the page that names all of it)
REFERENCE = [
    ("error.hpp", "enum class Error", "doc/errors.md"),
    ("options.hpp", "struct Options", "doc/options.md"),
    ("options.hpp", "struct HistoryLimits", "doc/options.md"),
    ("watch_options.hpp", "struct WatchOptions", "doc/options.md"),
    ("bulk_writer.hpp", "struct BulkWriterOptions", "doc/options.md"),
]
# An enumerator, or a data member.
NAMED_IN_BLOCK = re.compile(r"^ {4}(?:[\w:]+ )?(\w+)(?: = [^;\n]+)?[,;]\s*$", re.MULTILINE)


def paths_in_documents_exist(tree):
    """A path in `code` is one of the tree's, below its root or where its layer or suite is."""
    folders = {name.rsplit("/", 1)[0] for name in tree.files if "/" in name}
    suites = "|".join(sorted({name.split("/")[1] for name in folders
                              if name.startswith("test/")}))
    for name, text in tree.files.items():
        if not name.endswith(".md") or name == "CHANGELOG.md":
            continue
        for match in re.finditer(rf"`((?:[\w-]+/)+\w+\.(?:hpp|cpp|py|md)|(?:{suites})/(?:\w+/)*"
                                 r"\w+)`", text):
            path = match.group(1)
            places = [root + path + ending for ending in ("", ".cpp", ".py")
                      for root in ("", "lib/", "include/", "test/", "doc/")]
            if not any(place in tree.files or place in folders for place in places):
                yield f"{name}:{line_of(text, match.start())}: there is no {path}"


def prose_is_plain(tree):
    """CONTRIBUTING.md, "Plain English": in comments of C++ files and in documents."""
    words = [(re.compile(rf"\b(?:{word})\b", re.IGNORECASE), instead) for word, instead in DIALECT]
    for name, line, begins, text in prose(tree):
        text = re.sub(r"`[^`]*`", "", text)
        if begins and re.match(BEGINNINGS, text):
            yield f"{name}:{line}: a comment begins with a verb or a noun phrase"
        for word, instead in words:
            if match := word.search(text):
                yield f"{name}:{line}: \"{match.group()}\": write {instead}"


def prose(tree):
    """(path, line, whether a comment begins here, text) of each line of prose."""
    for name, text in tree.code(*CODE):
        inside = False
        for number, line in enumerate(text.splitlines(), 1):
            match = re.search(r"(?:^|\s)///?<?(?:\s|$)(.*)", line)
            if match:
                yield name, number, not inside or "///<" in line, match.group(1)
            inside = match is not None and line.lstrip().startswith("//")
    for name, text in tree.files.items():
        if name.endswith(".md"):
            quoted = False
            for number, line in enumerate(text.splitlines(), 1):
                quoted ^= line.startswith("```")
                if not quoted and not line.startswith("    "):
                    yield name, number, False, line


def readme_quotes_what_is_compiled(tree):
    """Every C++ block of README is found, indentation aside, in a sample or test; and the quick
    start is there whole."""
    if "README.md" not in tree.files:
        return
    readme = tree.files["README.md"]
    compiled = [dedented(text) for _, text in tree.code("samples", "test")]
    blocks = list(re.finditer(r"^```cpp\n(.*?)^```", readme, re.MULTILINE | re.DOTALL))
    for block in blocks:
        if not any(dedented(block.group(1)).strip("\n") in text for text in compiled):
            yield (f"README.md:{line_of(readme, block.start())}: "
                   "not found word for word in samples/ or test/")
    quick_start = tree.files.get("samples/quick_start.cpp", "").partition("\n")[2].strip("\n")
    if not quick_start or quick_start not in [block.group(1).strip("\n") for block in blocks]:
        yield "README.md:1: samples/quick_start.cpp is not quoted whole"


def dedented(text):
    """Every line without its indentation: a quotation may stand deeper than what it quotes."""
    return "\n".join(line.strip() for line in text.splitlines())


def options_and_errors_are_documented(tree):
    """Each is named, as `code`, on the page that is its reference."""
    for header, kind, page in REFERENCE:
        text = without_comments_and_literals(tree.files.get(f"include/keywatch/{header}", ""))
        block = re.search(rf"^{kind} \{{\n(.*?)^\}};", text, re.MULTILINE | re.DOTALL)
        if not block:
            continue
        for match in NAMED_IN_BLOCK.finditer(block.group(1)):
            if f"`{match.group(1)}`" not in tree.files.get(page, ""):
                yield f"{page}:1: {match.group(1)} of {kind} is missing"
