#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Plants one violation after another in a small clean tree, and checks that exactly the intended
rule finds it. A rule without a planted violation fails, too. Prints TAP."""

import pathlib
import sys
import tempfile

from rules import RULES, Tree

SPDX = "// SPDX-License-Identifier: BSL-1.0\n"
HEADER = SPDX + "#pragma once\n"

CLEAN = {
    "include/meson.build": "# SPDX-License-Identifier: BSL-1.0\n    'keywatch/a.hpp',\n"
                           "'keywatch/error.hpp', 'keywatch/options.hpp'\n"
                           "'keywatch/json.hpp', 'keywatch/json_parts.hpp'\n",
    "include/keywatch/error.hpp": HEADER + "enum class Error {\n    closed = 1,\n    locked,\n};\n",
    "include/keywatch/options.hpp": HEADER + "struct Options {\n    Options() {}\n"
                                    "    std::size_t size = f(1);  // x\n    bool on;\n};\n",
    "doc/errors.md": "`closed` and `locked`\n",
    "doc/options.md": "`size` and `on`\n",
    "include/keywatch/a.hpp": HEADER + "#include <boost/asio/awaitable.hpp>\n// #define NO\n"
                              "namespace keywatch::watch {\nclass A;\n}\n"
                              "namespace [[gnu::visibility(\"default\")]] keywatch {\n"
                              "int x();\n}\n",
    "include/keywatch/json.hpp": HEADER + "#include <keywatch/json_parts.hpp>\n"
                                 "#include <nlohmann/json.hpp>\n",
    "include/keywatch/json_parts.hpp": HEADER + "#include <nlohmann/json.hpp>\n",
    "lib/meson.build": "# SPDX-License-Identifier: BSL-1.0\n'handles/a.cpp', 'storage/s.cpp',\n"
                       "'pipeline/p.cpp', 'watch/w.cpp', 'embedded/e.cpp'\n",
    "lib/handles/a.cpp": SPDX + '#include "pipeline/p.hpp"\n#include "storage/s.hpp"\n',
    "lib/storage/s.hpp": HEADER + "#include <leveldb/db.h>\n",
    "lib/storage/s.cpp": SPDX + '#include "s.hpp"\n#include <keywatch/a.hpp>\n',
    "lib/values/mutex.hpp": HEADER + "#define GUARDED_BY(mutex)\n",
    "lib/watch/w.hpp": HEADER,
    "lib/watch/w.cpp": SPDX + '#include "w.hpp"\n// #include <boost/asio.hpp>\n',
    "lib/engine/engine.hpp": HEADER,
    "lib/embedded/e.cpp": SPDX + '#include "engine/engine.hpp"\n#include "storage/s.hpp"\n',
    "lib/pipeline/p.hpp": HEADER + '#include "watch/w.hpp"\n#include "engine/engine.hpp"\n',
    "lib/pipeline/p.cpp": SPDX + '#include "p.hpp"\n#include <boost/asio/post.hpp>\n',
    "test/meson.build": "# SPDX-License-Identifier: BSL-1.0\n    'unit': [\n"
                        "        'watch/test_w.cpp',\n    ],\n    'support/main.cpp'\n",
    "test/unit/watch/test_w.cpp": SPDX + "// sleep_for\n",
    "test/support/main.cpp": SPDX + "#define BOOST_TEST_MODULE keywatch\n",
    "samples/meson.build": "# SPDX-License-Identifier: BSL-1.0\n'quick_start.cpp'\n",
    "samples/quick_start.cpp": SPDX + "#include <keywatch/a.hpp>\n\nint main()\n{\n    go();\n}\n",
    "benchmarks/meson.build": "# SPDX-License-Identifier: BSL-1.0\n",
    "README.md": "# x\n```cpp\n#include <keywatch/a.hpp>\n\nint main()\n{\n    go();\n}\n```\n"
                 "and in it\n\n```cpp\ngo();\n```\n",
    "build/x.cpp": "anything goes here\n",
    "subprojects/x-1.0/meson.build": "and here\n",
    "subprojects/x.wrap": "[wrap-file]\nsource_url = https://x\n"
                          f"source_hash = {'0a' * 32}\npatch_directory = x\n",
    "subprojects/packagefiles/x/meson.build": "# SPDX-License-Identifier: BSL-1.0\n",
}

QUICK_START = CLEAN["samples/quick_start.cpp"]
README = CLEAN["README.md"]
WRAP = CLEAN["subprojects/x.wrap"]

# (rule, path, text): with this file the tree breaks this rule and no other.
PLANTED = [
    ("layers_include_only_what_lies_below", "lib/watch/w.hpp",
     HEADER + '#include "storage/s.hpp"\n'),
    ("layers_include_only_what_lies_below", "lib/storage/s.hpp",
     HEADER + '#include "engine/engine.hpp"\n'),
    ("layers_include_only_what_lies_below", "lib/engine/engine.hpp",
     HEADER + '#  include "pipeline/p.hpp"\n'),
    ("layers_include_only_what_lies_below", "lib/pipeline/p.hpp",
     HEADER + '#include "storage/s.hpp"\n'),
    ("layers_include_only_what_lies_below", "lib/pipeline/p.hpp",
     HEADER + '#include "embedded/e.hpp"\n'),
    ("layers_include_only_what_lies_below", "lib/async/x.hpp", HEADER + '#include "watch/w.hpp"\n'),
    ("every_folder_of_lib_is_a_known_layer", "lib/utils/x.hpp", HEADER),
    ("pure_layers_know_no_asio", "lib/watch/w.hpp", HEADER + "#include <boost/asio/post.hpp>\n"),
    ("pure_layers_know_no_asio", "lib/storage/s.hpp", HEADER + "#include <boost/asio.hpp>\n"),
    ("only_storage_knows_leveldb", "lib/engine/engine.hpp", HEADER + "#include <leveldb/db.h>\n"),
    ("only_storage_knows_leveldb", "include/keywatch/a.hpp", HEADER + "#include <leveldb/db.h>\n"),
    ("only_key_pattern_knows_regex", "include/keywatch/a.hpp",
     HEADER + "#include <re2/re2.h>\n"),
    ("only_key_pattern_knows_regex", "lib/storage/s.hpp",
     HEADER + "#include <boost/regex/v5/x.hpp>\n"),
    ("json_is_opt_in", "include/keywatch/a.hpp", HEADER + "#include <nlohmann/json_fwd.hpp>\n"),
    ("json_is_opt_in", "lib/handles/a.cpp", SPDX + "#include <nlohmann/json.hpp>\n"),
    ("json_is_opt_in", "lib/watch/w.cpp", SPDX + "#include <keywatch/json.hpp>\n"),
    ("json_is_opt_in", "include/keywatch/a.hpp", HEADER + "#include <keywatch/json_parts.hpp>\n"),
    ("public_headers_are_light", "include/keywatch/a.hpp", HEADER + "#include <boost/asio.hpp>\n"),
    ("public_headers_are_light", "include/keywatch/a.hpp", HEADER + '#include "watch/w.hpp"\n'),
    ("public_headers_are_light", "include/keywatch/a.hpp", HEADER + "#include <keywatch/no.hpp>\n"),
    ("public_things_are_visible", "include/keywatch/a.hpp",
     HEADER + "namespace keywatch {\nclass A;\nint x();\n}\n"),
    ("public_things_are_visible", "lib/handles/a.cpp",
     SPDX + "namespace keywatch {\nint x();\n}\n"),
    ("samples_use_the_public_face", "samples/quick_start.hpp",
     HEADER + '#include "watch/w.hpp"\n'),
    ("files_begin_with_their_license", "lib/watch/w.hpp", "\n#pragma once\n"),
    ("files_begin_with_their_license", "lib/watch/w.cpp", "int x;\n"),
    ("files_begin_with_their_license", "subprojects/packagefiles/x/meson.build", "\n"),
    ("files_begin_with_their_license", "samples/run", "#!/bin/bash\necho\n"),
    ("headers_have_pragma_once", "lib/watch/w.hpp", SPDX + "int x;\n"),
    ("headers_are_clean", "lib/watch/w.hpp", HEADER + "#define X 1\n"),
    ("headers_are_clean", "lib/watch/w.hpp", HEADER + "using namespace std;\n"),
    ("files_and_lines_are_short", "lib/watch/w.hpp", HEADER + "\n" * 399),
    ("files_and_lines_are_short", "lib/watch/w.hpp", HEADER + "//" + "x" * 99 + "\n"),
    ("no_machine_paths", "lib/watch/w.hpp", HEADER + '"/ho' + 'me/x"\n'),
    ("no_machine_paths", "NOTES.md", "see /wo" + "rk/main\n"),
    ("every_file_is_built", "lib/watch/new.cpp", SPDX),
    ("every_file_is_built", "include/keywatch/new.hpp", HEADER),
    ("every_file_is_built", "test/unit/watch/test_new.cpp", SPDX),
    ("every_file_is_built", "test/integration/watch/test_w.cpp", SPDX),
    ("every_file_is_built", "samples/new/main.cpp", SPDX),
    ("every_file_is_built", "benchmarks/new.cpp", SPDX),
    ("every_file_is_built", "benchmarks/meson.build",
     "# SPDX-License-Identifier: BSL-1.0\n'gone.cpp'\n"),
    ("lists_of_sources_are_sorted", "lib/meson.build",
     "# SPDX-License-Identifier: BSL-1.0\n    'watch/w.cpp',\n    'handles/a.cpp',\n"
     "    'storage/s.cpp',\n'pipeline/p.cpp', 'embedded/e.cpp'\n"),
    ("paths_in_documents_exist", "doc/storage.md", "see `storage/gone.hpp`\n"),
    ("paths_in_documents_exist", "doc/storage.md", "see `unit/watch/test_gone`\n"),
    ("prose_is_plain", "lib/watch/w.hpp", HEADER + "int x;  ///< nobody knows\n"),
    ("prose_is_plain", "lib/watch/w.hpp", HEADER + "/// Of a list.\nint x;\n"),
    ("prose_is_plain", "doc/storage.md", "The key behind it\n"),
    ("wraps_are_whole", "subprojects/x.wrap", WRAP.replace("0a", "0g")),
    ("wraps_are_whole", "subprojects/x.wrap", WRAP.replace("https:", "")),
    ("wraps_are_whole", "subprojects/x.wrap", WRAP.replace("y = x", "y = y")),
    ("wraps_are_whole", "subprojects/packagefiles/y/meson.build",
     "# SPDX-License-Identifier: BSL-1.0\n"),
    ("unit_tests_do_not_sleep", "test/unit/watch/test_w.cpp",
     SPDX + "std::this_thread::sleep_for(1s);\n"),
    ("tests_print_what_they_compare", "test/unit/watch/test_w.cpp",
     SPDX + "#include <boost/test/unit_test.hpp>\n"),
    ("tests_name_keywatch_alike", "test/unit/watch/test_w.cpp",
     SPDX + "namespace kw = keywatch;\n"),
    ("tests_name_keywatch_alike", "test/support/main.cpp",
     SPDX + "#define BOOST_TEST_MODULE keywatch\nkw::Revision revision = 0;\n"),
    ("suites_have_heads", "test/unit/watch/test_w.cpp",
     SPDX + "\nBOOST_AUTO_TEST_SUITE(test_w)\n"),
    ("readme_quotes_what_is_compiled", "README.md", README + "```cpp\nstop();\n```\n"),
    ("readme_quotes_what_is_compiled", "README.md", "```cpp\ngo();\n```\n"),
    ("readme_quotes_what_is_compiled", "README.md", README.replace("go", "went", 1)),
    ("readme_quotes_what_is_compiled", "samples/quick_start.cpp", QUICK_START + "int x;\n"),
    ("options_and_errors_are_documented", "doc/errors.md", "`closed`, locked\n"),
    ("options_and_errors_are_documented", "doc/options.md", "`on`\n"),
    ("options_and_errors_are_documented", "doc/options.md", "`size`\n"),
]

# Statements with a lambda that g++ 12 destroys twice.
MISCOMPILED = [
    "co_await f([x] { g(); });",
    "co_await f([=] { g(); });",
    "co_await f([&, x] { g(); });",
    "co_await f([&y, x = std::move(z)](int) mutable { g(); });",
    "auto r = co_await db.update(\n    [copy = f(a, b)](T& tx) {\n        tx.put(copy); });",
    "co_await db.watch(\"b\", [x](const M& m) -> awaitable<void> { co_return; }).run();",
    "f([x] { g(); }, co_await h());",
    "co_spawn(co_await this_coro::executor, [x]() -> awaitable<void> { co_return; }, detached);",
    "co_return co_await f(\"]\", '[', [x]<class T>(T t) noexcept { g(); });",
    "auto outer = [&]() -> awaitable<void> { co_await f([x] { g(); }); };",
    "co_await (f([&] { a[i] = 1; }) && h(k[2], [x] { g(); }));",
]
# Statements without such a lambda.
COMPILED = [
    "co_await f([] { g(); });",
    "co_await f([&] { g(); });",
    "co_await f([&x, &y = z] { g(); });",
    "co_await f([this] { g(); });",
    "auto named = [x] { g(); };\nco_await f(named);",
    "co_await f([&](T& tx) { auto inner = [x] { g(); }; inner(); });",
    "auto w = db.watch([x](const M&) -> awaitable<void> { co_await h(); });",
    "auto [a, b] = co_await f();",
    "auto& [a, b] = g{co_await f(k[x])};",
    "co_await f(values[x]);",
    "// co_await f([x] { g(); });\n",
    "g(\"co_await\", [x] { h(); });",
    "while (co_await f()) {\n    auto y = 1;\n    g([x] { h(); });\n}",
    "for (;;) { co_await f(); }\ng([x] { h(); });",
    "asio::co_spawn(executor, [x]() -> awaitable<void> { co_await f(); }, detached);",
]

# Conditions that g++ 12 may miscompile.
AWAITED_CONDITIONS = [
    "if (co_await f()) { auto x = g(); }",
    "if (!co_await f() || g()) { auto x = g(); }",
    "if (auto x = co_await f(); x) { g(); }",
    "if (g(h(),\n    co_await f())) { g(); }",
    "switch (co_await f()) { default: g(); }",
    "for (int i = 0; co_await f(); ++i) { auto x = i; }",
    "for (auto x : co_await f()) { g(); }",
    "while (co_await f()) { g(); }",
    "while (co_await f());",
    "while (!co_await f()) { auto x = g(); }",
    "while (co_await f() && g()) { auto x = g(); }",
    "while (g() && co_await f()) { auto x = g(); }",
    "while (co_await f() ? g() : h()) { auto x = g(); }",
    "auto inner = [&]() -> awaitable<void> { if (co_await f()) { auto x = g(); } };",
]
# Conditions that it does not miscompile.
PLAIN_CONDITIONS = [
    "while (co_await w.wait()) { while (const auto x = w.try_next()) { g(); } }",
    "while (const auto x = co_await f()) { g(); }",
    "const bool x = co_await f();\nif (x) { co_await f(); }",
    "if (g()) { co_await f(); }",
    "for (;;) { co_await f(); }",
    "if (g([&]() -> awaitable<void> { co_await f(); })) { h(); }",
    "// if (co_await f())\n",
    "g(\"if (co_await f())\");",
    "if (co_awaited) { auto x = g(); }",
]


def in_function(statements):
    return f"{SPDX}awaitable<void> f()\n{{\n    {statements}\n}}\n"


def broken_rules(files):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        tree = Tree(root)
        return [rule.__name__ for rule in RULES if list(rule(tree))]


def checks():
    """Yields (what is checked, whether it holds)."""
    yield "the clean tree breaks no rule", broken_rules(CLEAN) == []
    for rule, path, text in PLANTED:
        yield f"{rule} in {path}", broken_rules({**CLEAN, path: text}) == [rule]
    lambdas, conditions = "no_owning_lambda_in_a_co_await", "no_co_await_in_a_condition"
    for name, expected, cases in [("miscompiled lambda", [lambdas], MISCOMPILED),
                                  ("compiled lambda", [], COMPILED),
                                  ("awaited condition", [conditions], AWAITED_CONDITIONS),
                                  ("plain condition", [], PLAIN_CONDITIONS)]:
        for at, statements in enumerate(cases):
            found = broken_rules({**CLEAN, "test/support/main.cpp": in_function(statements)})
            if found != expected:
                print(statements, found, file=sys.stderr)
            yield f"{name} {at}", found == expected
    planted = {rule for rule, _, _ in PLANTED} | {lambdas, conditions}
    yield "every rule has been broken", planted == {rule.__name__ for rule in RULES}


def main():
    failures = number = 0
    for number, (what, holds) in enumerate(checks(), 1):
        failures += not holds
        print(f"{'ok' if holds else 'not ok'} {number} - {what}", flush=True)
    print(f"1..{number}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
