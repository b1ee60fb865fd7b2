# SPDX-License-Identifier: BSL-1.0
"""The rules of the source tree. A rule is a function from a Tree to the violations it finds, each
in the form `path:line: what is wrong`. Its name is what it demands."""

import pathlib
import re

from cpp_text import (co_awaits_in_conditions, includes, line_of, owning_lambdas_in_co_await,
                      without_comments_and_literals)
from prose_rules import (options_and_errors_are_documented, paths_in_documents_exist,
                         prose_is_plain, readme_quotes_what_is_compiled)
from tree import CODE, Tree

# The layers from the lowest up, and what each may include besides the public headers.
LAYERS = {
    "values": {"values"},
    "bytes": {"bytes"},
    "async": {"async", "values"},
    "structures": {"structures", "bytes", "values"},
    "views": {"views", "structures", "bytes", "values"},
    "storage": {"storage", "bytes", "values"},
    "watch": {"watch", "bytes", "values"},
    "engine": {"engine", "values"},
    "embedded": {"embedded", "engine", "async", "storage", "structures", "bytes", "values"},
    "pipeline": {"pipeline", "engine", "async", "watch", "values"},
    "delivery": {"delivery", "pipeline", "engine", "async", "watch", "values"},
    "bulk": {"bulk", "engine", "async", "structures", "values"},
    "handles": {"handles", "bulk", "delivery", "pipeline", "embedded", "engine", "storage",
                "values"},
}
WITHOUT_ASIO = ("bytes", "storage", "structures", "watch")
# The layers that define the functions of the public headers.
FACE = ("values", "views", "bulk", "handles")
PUBLIC_ASIO = {"boost/asio/awaitable.hpp", "boost/asio/any_io_executor.hpp"}
# The macros for the annotations of a compiler, which exist in no other form.
ANNOTATIONS = "lib/values/mutex.hpp"
LONGEST_FILE = 400
LONGEST_LINE = 100


def layer_of(name):
    """Returns the layer of a path below lib/, or None for a file that is in no folder."""
    parts = name.split("/")
    return parts[1] if len(parts) > 2 else None


def resolved(name, path):
    """Returns the path of an internal include, relative to lib/."""
    layer = layer_of(name)
    return path if "/" in path or layer is None else f"{layer}/{path}"


def layers_include_only_what_lies_below(tree):
    for name, line, quote, path in tree.included("lib"):
        layer = layer_of(name)
        if layer is None or quote == "<":
            continue
        target = resolved(name, path)
        target_layer = target.split("/")[0]
        if target_layer not in LAYERS.get(layer, ()):
            yield f"{name}:{line}: {layer} must not include {target}"


def every_folder_of_lib_is_a_known_layer(tree):
    for name, _ in tree.code("lib"):
        if layer_of(name) not in LAYERS:
            yield f"{name}:1: unknown layer; give it a place in test/tree/rules.py"


def pure_layers_know_no_asio(tree):
    for name, line, _, path in tree.included("lib"):
        if layer_of(name) in WITHOUT_ASIO and re.match(r"boost/asio|boost/beast", path):
            yield f"{name}:{line}: no Asio in {layer_of(name)}"


def only_storage_knows_leveldb(tree):
    for name, line, _, path in tree.included("include", "lib", "samples"):
        if path.startswith("leveldb/") and not name.startswith("lib/storage/"):
            yield f"{name}:{line}: only lib/storage includes LevelDB"


def only_key_pattern_knows_regex(tree):
    """The library is implemented with RE2; no other library for regular expressions is needed."""
    for name, line, _, path in tree.included("include", "lib"):
        if path.startswith("boost/regex") or path == "regex":
            yield f"{name}:{line}: regular expressions are RE2's"
        if path.startswith("re2/") and name != "lib/values/key_pattern.cpp":
            yield f"{name}:{line}: only lib/values/key_pattern.cpp includes RE2"


def json_is_opt_in(tree):
    """Only keywatch/json.hpp and its parts, keywatch/json_*.hpp, may include JSON headers."""
    for name, line, _, path in tree.included("include", "lib"):
        uses_json = path.startswith(("nlohmann/", "keywatch/json.", "keywatch/json_"))
        if uses_json and not re.match(r"include/keywatch/json(_\w+)?\.hpp$", name):
            yield f"{name}:{line}: only keywatch/json.hpp includes JSON"


def public_headers_are_light(tree):
    for name, line, quote, path in tree.included("include"):
        if path.startswith("boost/asio") and path not in PUBLIC_ASIO:
            yield f"{name}:{line}: of Asio only {', '.join(sorted(PUBLIC_ASIO))}"
        if quote == '"' or (path.startswith("keywatch/") and
                            f"include/{path}" not in tree.files):
            yield f"{name}:{line}: {path} is no public header"


def public_things_are_visible(tree):
    """A shared library hides everything that is not in a namespace with the visibility attribute.
    clang++ also requires the attribute where a public function is defined. A source
    with a header of its own in lib/ is internal."""
    face = [(name, text) for name, text in tree.code("lib")
            if layer_of(name) in FACE and name.endswith(".cpp")
            and name.removesuffix("cpp") + "hpp" not in tree.files]
    for name, text in [*tree.code("include"), *face]:
        for block in re.finditer(r"^namespace keywatch[\w:]* \{\n(.*?)^\}", text,
                                 re.MULTILINE | re.DOTALL):
            declared = re.sub(r"^(?:class|struct) \w+;$", "", block.group(1), flags=re.MULTILINE)
            if declared.strip():
                yield (f"{name}:{line_of(text, block.start())}: "
                       'namespace [[gnu::visibility("default")]], but for forward declarations')


def samples_use_the_public_face(tree):
    for name, line, quote, path in tree.included("samples"):
        beside = (pathlib.PurePosixPath(name).parent / path).as_posix()
        if quote == '"' and beside not in tree.files:
            yield f"{name}:{line}: {path} is not in the sample's own folder"


def files_begin_with_their_license(tree):
    for name, text in tree.files.items():
        scripts = name.endswith((".py", ".sh", "/run", "meson.build", "meson_options.txt"))
        if name.endswith((".hpp", ".cpp")):
            if not text.startswith("// SPDX-License-Identifier: BSL-1.0\n"):
                yield f"{name}:1: the first line must be the SPDX line"
        elif scripts and "SPDX-License-Identifier: BSL-1.0" not in "".join(text.splitlines()[:2]):
            yield f"{name}:1: the SPDX line is missing"


def headers_have_pragma_once(tree):
    for name, text in tree.code(*CODE, headers_only=True):
        if text.splitlines()[1:2] != ["#pragma once"]:
            yield f"{name}:2: the second line must be #pragma once"


def headers_are_clean(tree):
    for name, text in tree.code(*CODE, headers_only=True):
        for number, line in enumerate(without_comments_and_literals(text).splitlines(), 1):
            if re.match(r"\s*#\s*define\b", line) and name != ANNOTATIONS:
                yield f"{name}:{number}: no macros in headers"
            if re.match(r"\s*using\s+namespace\b", line):
                yield f"{name}:{number}: no using namespace in headers"


def files_and_lines_are_short(tree):
    for name, text in tree.files.items():
        if name.split("/")[0] not in CODE:
            continue
        lines = text.splitlines()
        if len(lines) > LONGEST_FILE:
            yield f"{name}:{LONGEST_FILE}: {len(lines)} lines"
        for number, line in enumerate(lines, 1):
            if len(line) > LONGEST_LINE and name.endswith((".hpp", ".cpp", ".py")):
                yield f"{name}:{number}: {len(line)} columns"


def no_owning_lambda_in_a_co_await(tree):
    for name, text in tree.code(*CODE):
        for line in owning_lambdas_in_co_await(text):
            yield f"{name}:{line}: g++ 12 destroys these captures twice; name the lambda first"


def no_co_await_in_a_condition(tree):
    for name, text in tree.code(*CODE):
        for line in co_awaits_in_conditions(text):
            yield f"{name}:{line}: g++ 12 may miscompile this; give the result a name first"


def no_machine_paths(tree):
    places = "|".join(["home", "root", "work", "tmp", "Users", "mnt"])
    for name, text in tree.files.items():
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(rf"(?<![\w.)}}\"'/>-])/(?:{places})/|[\"'](?:/(?:{places})/|[A-Z]:\\\\)",
                         line):
                yield f"{name}:{number}: a path of somebody's machine"


def every_file_is_built(tree):
    lists = {"lib": "lib/meson.build", "test": "test/meson.build",
             "benchmarks": "benchmarks/meson.build", "samples": "samples/meson.build",
             "include": "include/meson.build"}
    for folder, build in lists.items():
        listed = set()
        for name, text in tree.files.items():
            if name.startswith(folder + "/") and name.endswith("/meson.build"):
                listed |= listed_files(name.removesuffix("/meson.build"), text)
        for name, _ in tree.code(folder):
            must = name.endswith(".hpp") if folder == "include" else name.endswith(".cpp")
            if must and name not in listed:
                yield f"{name}:1: not in {build}"
        for name in sorted(listed - set(tree.files)):
            yield f"{build}:1: {name} does not exist"


def lists_of_sources_are_sorted(tree):
    for name, text in tree.files.items():
        if not name.endswith("meson.build"):
            continue
        before = ("", -1)
        for number, line in enumerate(text.splitlines(), 1):
            match = re.match(r"\s+'([\w/]+\.[ch]pp)',$", line)
            if not match:
                continue
            if before[1] == number - 1 and match.group(1) < before[0]:
                yield f"{name}:{number}: {match.group(1)} must be before {before[0]}"
            before = (match.group(1), number)


def listed_files(folder, text):
    """Returns the C++ files that a meson.build names. The meson.build of the tests lists them below
    their suite."""
    listed, suite = set(), ""
    for line in text.splitlines():
        line = line.split("#")[0]
        if match := re.match(r"\s*'(\w+)': \[", line):
            suite = match.group(1) + "/" if folder == "test" else ""
        for path in re.findall(r"'([\w/]+\.[hc]pp)'", line):
            listed.add(f"{folder}/{suite}{path}")
        if re.match(r"\s*\],?", line):
            suite = ""
    return listed


def wraps_are_whole(tree):
    """Fetched subprojects are identified by their hash, and ports are where the wraps look for
    them."""
    ports = {name.split("/")[2] for name in tree.files
             if re.fullmatch(r"subprojects/packagefiles/[^/]+/meson\.build", name)}
    used = set()
    for name, text in tree.files.items():
        if not re.fullmatch(r"subprojects/[\w-]+\.wrap", name):
            continue
        values = dict(re.findall(r"^(\w+) = (.*)$", text, re.MULTILINE))
        used.add(values.get("patch_directory"))
        if not re.fullmatch("[0-9a-f]{64}", values.get("source_hash", "")):
            yield f"{name}:1: source_hash is no SHA-256"
        if not values.get("source_url", "").startswith("https://"):
            yield f"{name}:1: no source_url"
        if values.get("patch_directory", "") not in {"", *ports}:
            yield f"{name}:1: there is no such patch_directory"
    for port in sorted(ports - used):
        yield f"subprojects/packagefiles/{port}/meson.build:1: no wrap uses it"


def unit_tests_do_not_sleep(tree):
    for name, text in tree.code("test"):
        if name.startswith(("test/unit/", "test/integration/", "test/contract/")):
            for match in re.finditer(r"\bsleep_(?:for|until)\b|(?<![.>\w])u?sleep\s*\(",
                                     without_comments_and_literals(text)):
                yield f"{name}:{line_of(text, match.start())}: wait for a condition instead"


def tests_print_what_they_compare(tree):
    with_boost = "boost/test/unit_test.hpp"
    with_printing = "support/printing.hpp"
    for name, text in tree.code("test"):
        paths = {path: line for line, _, path in includes(text)}
        if with_boost in paths and with_printing not in paths and f"test/{with_printing}" != name:
            yield f"{name}:{paths[with_boost]}: include {with_printing} too"



def tests_name_keywatch_alike(tree):
    """Tests see all of keywatch. Only programs like those of users call it kw."""
    for name, text in tree.code("test"):
        if not name.startswith(("test/install/", "test/headers/")):
            for match in re.finditer(r"\bkw::|\bnamespace\s+kw\b",
                                     without_comments_and_literals(text)):
                yield f"{name}:{line_of(text, match.start())}: write using namespace keywatch"



def suites_have_heads(tree):
    for name, text in tree.code("test"):
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if re.match(r"BOOST_\w+_TEST_SUITE\(", line) and not lines[number - 1].startswith("//"):
                yield f"{name}:{number + 1}: say above the suite what it tests"



RULES = [
    layers_include_only_what_lies_below,
    every_folder_of_lib_is_a_known_layer,
    pure_layers_know_no_asio,
    only_storage_knows_leveldb,
    only_key_pattern_knows_regex,
    json_is_opt_in,
    public_headers_are_light,
    public_things_are_visible,
    samples_use_the_public_face,
    files_begin_with_their_license,
    headers_have_pragma_once,
    headers_are_clean,
    files_and_lines_are_short,
    no_owning_lambda_in_a_co_await,
    no_co_await_in_a_condition,
    no_machine_paths,
    every_file_is_built,
    lists_of_sources_are_sorted,
    paths_in_documents_exist,
    prose_is_plain,
    wraps_are_whole,
    unit_tests_do_not_sleep,
    suites_have_heads,
    tests_name_keywatch_alike,
    tests_print_what_they_compare,
    readme_quotes_what_is_compiled,
    options_and_errors_are_documented,
]
