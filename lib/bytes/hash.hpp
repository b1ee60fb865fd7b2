// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

namespace keywatch::bytes {

/// Returns a hash that is the same on every machine and in every version, so that the stored bytes
/// depend only on the operations performed. It is the 64-bit FNV-1a, mixed afterwards, since its
/// low bits alone depend on too little of the input.
constexpr std::uint64_t stable_hash(std::string_view bytes) noexcept
{
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char each : bytes) {
        hash = (hash ^ static_cast<unsigned char>(each)) * 0x100000001b3;
    }
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
    hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
    return hash ^ (hash >> 33);
}

}  // namespace keywatch::bytes
