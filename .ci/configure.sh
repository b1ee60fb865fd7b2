# SPDX-License-Identifier: BSL-1.0
# Sourced by the run scripts: configuring a folder below build/.

jobs=${JOBS:-$(nproc)}

# configure FOLDER COMPILER MESON-OPTION...
# A folder that was configured with the same options is kept, and brought up to date with changed
# meson.build files: what is asked of it before the build must not be old. Otherwise it is made anew.
configure() {
    local folder=$1 compiler=$2
    shift 2
    if command -v ccache >/dev/null; then
        compiler="ccache $compiler"
        # Without these it would not cache what uses a precompiled header.
        export CCACHE_SLOPPINESS=pch_defines,time_macros
    fi
    local stamp="$compiler $*"
    if [ -f "$folder/build.ninja" ] && [ "$(cat "$folder/configured" 2>/dev/null)" = "$stamp" ]; then
        ninja -C "$folder" --quiet build.ninja >&2
        return
    fi
    rm -rf "$folder"
    CXX=$compiler meson setup "$folder" "$@" >&2 || return 1
    echo "$stamp" >"$folder/configured"
}
