# SPDX-License-Identifier: BSL-1.0
# Lists the Debian packages that the run scripts need, and installs them. Sourced by the run
# scripts.

build_packages=(
    g++ meson ninja-build pkg-config python3
    libboost1.81-dev libboost-program-options1.81-dev libleveldb-dev libre2-dev
    nlohmann-json3-dev libbenchmark-dev
    binutils doxygen
)
sanitizer_packages=(clang-19 libclang-rt-19-dev llvm-19)
style_packages=(clang-19 clang-format-19 clang-tidy-19)

# Prints those of the given packages that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        dpkg -s "$package" 2>/dev/null | grep -q '^Status: install ok installed' || echo "$package"
    done
}

# Installs the packages that are missing. On another system than Debian, the user has to install the
# equivalents.
require_packages() {
    command -v dpkg >/dev/null && command -v apt-get >/dev/null || return 0
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -eq 0 ] && return 0

    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "Please install as root: ${missing[*]}" >&2
            return 1
        fi
        root=(sudo)
    fi
    echo "Installing: ${missing[*]}" >&2
    "${root[@]}" apt-get update -qq >&2 || echo "apt-get update failed, going on" >&2
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}
