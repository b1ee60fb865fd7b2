# SPDX-License-Identifier: BSL-1.0
# Configures folders below build/. Sourced by the run scripts.

jobs=${JOBS:-$(nproc)}

# configure FOLDER COMPILER MESON-OPTION...
# Keeps a folder that was configured with the same options, and updates it if meson.build files have
# changed: the run scripts query it before they build. Otherwise creates the folder anew.
configure() {
    local folder=$1 compiler=$2
    shift 2
    if command -v ccache >/dev/null; then
        compiler="ccache $compiler"
        # Without these, ccache does not cache what uses a precompiled header.
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
