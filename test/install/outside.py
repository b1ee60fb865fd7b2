# SPDX-License-Identifier: BSL-1.0
"""Functions shared by the tests of an installation: running commands, building programs that use
only what was installed, and TAP."""

import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

EXPECTED = {"quick_start.cpp": "put 42 = alice\n", "outside.cpp": "all holds\n",
            "outside_json.cpp": "all holds\n"}
# The dependencies of a program besides keywatch.
NEEDED = {"outside_json.cpp": ["nlohmann_json"]}


def run(*command, **environment):
    """Runs a command that must succeed, and returns its output."""
    done = subprocess.run([str(word) for word in command], env={**os.environ, **environment},
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n"
                             f"{done.stdout}{done.stderr}")
    return done.stdout


def is_installed(package):
    return subprocess.run(["pkg-config", "--exists", package], check=False).returncode == 0


def programs(source):
    """Returns the sources of the programs to build: those whose dependencies are installed."""
    outside = source / "test" / "install"
    all_programs = [source / "samples" / "quick_start.cpp", outside / "outside.cpp",
                    outside / "outside_json.cpp"]
    return [program for program in all_programs
            if all(map(is_installed, NEEDED.get(program.name, [])))]


def pkg_config(prefix, *question):
    """Asks the only .pc file below a prefix, even if that prefix has been moved."""
    [file] = prefix.rglob("keywatch.pc")
    return run("pkg-config", f"--define-variable=prefix={prefix}", *question, "keywatch",
               PKG_CONFIG_PATH=str(file.parent)).split()


def build_and_run(compiler, prefix, source, *extra):
    """Compiles a program with exactly what pkg-config says, and runs it."""
    library_folder = next(flag[2:] for flag in pkg_config(prefix, "--libs") if flag[:2] == "-L")
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder, "program")
        for package in NEEDED.get(source.name, []):
            extra += tuple(run("pkg-config", "--cflags", package).split())
        run(*compiler, "-std=c++20", source, *pkg_config(prefix, "--cflags"), *extra,
            *pkg_config(prefix, "--libs"), "-o", program)
        output = run(program, LD_LIBRARY_PATH=library_folder)
    assert output == EXPECTED[source.name], output


def installed_headers(prefix):
    folder = prefix / "include" / "keywatch"
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def public_headers(source):
    return sorted(path.name for path in (source / "include" / "keywatch").glob("*.hpp"))


def exported(library):
    """Yields (kind, mangled name) of everything that a shared library exports."""
    for line in run("nm", "--dynamic", "--defined-only", library).splitlines():
        yield line.split()[-2:]


def tap(cases):
    """Runs (name, function) one after another, and prints TAP. Returns the exit status."""
    failures = number = 0
    for number, (name, case) in enumerate(cases, 1):
        print(f"# running {name}", flush=True)
        try:
            case()
            print(f"ok {number} - {name}", flush=True)
        except Exception:  # the other cases are run, whatever the failure
            failures += 1
            traceback.print_exc(file=sys.stderr)
            print(f"not ok {number} - {name}", flush=True)
    print(f"1..{number}")
    return failures > 0
