#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks everything that a public header includes, as the compiler lists it. Of Boost, it may
include only what Asio's awaitable.hpp and any_io_executor.hpp and the error codes need; JSON,
LevelDB and internal headers are not allowed. Every user of the header pays for it in compile time.
Users of keywatch/json.hpp pay for JSON and hexadecimal digits, too."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

from compile_alone import compile_header, library_flags, needs_json

# The Boost headers that all public headers together may include.
ALLOWED = """
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
"""
# The additional headers that keywatch/json.hpp may include.
ALLOWED_WITH_JSON = "#include <boost/algorithm/hex.hpp>\n"


def included(flags, build, text):
    """Returns the real paths of all files that this source includes, directly or indirectly."""
    done = subprocess.run([*flags, "-M", "-x", "c++", "-"], input=text, cwd=build, text=True,
                          capture_output=True, check=True)
    names = done.stdout.split(":", 1)[1].replace("\\\n", " ").split()
    return {os.path.realpath(os.path.join(build, name)) for name in names if name != "-"}


def what_is_wrong(root, header, files, allowed):
    """Yields the files that this header must not include."""
    for file in sorted(files - allowed):
        others = ["/boost/", "/leveldb/", f"{root}/lib/"]
        if not needs_json(header):
            others.append("/nlohmann/")
        if any(part in file for part in others):
            yield file


def main():
    build, root = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    flags = library_flags(build)
    allowed = included(flags, build, ALLOWED)
    allowed_with_json = included(flags, build, ALLOWED + ALLOWED_WITH_JSON)
    headers = sorted(root.glob("include/keywatch/*.hpp"))
    if compile_header(flags, build, "nlohmann/json.hpp").returncode != 0:
        headers = [header for header in headers if not needs_json(header)]
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        listed = pool.map(lambda header: included(flags, build, f'#include "{header}"\n'), headers)
        for number, (header, files) in enumerate(zip(headers, listed), 1):
            assert str(header) in files, "the compiler's list is not understood"
            wrong = list(what_is_wrong(root, header, files,
                                       allowed_with_json if needs_json(header) else allowed))
            for file in wrong:
                print(f"{header.name} pulls in {file}", file=sys.stderr)
            failures += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {number} - {header.name}", flush=True)
    print(f"1..{len(headers)}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
