// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Bytes as a sequence of bits: bit 0 is the most significant bit of byte 0. All bits after the end
/// are 0.
namespace keywatch::structures {

bool bit_at(std::string_view bytes, std::uint64_t offset);

/// Returns the number of bytes needed to contain this bit.
std::uint64_t bytes_with_bit(std::uint64_t offset);

/// Returns the bytes with one bit changed, extended if necessary.
std::string with_bit(std::string bytes, std::uint64_t offset, bool bit);

}  // namespace keywatch::structures
