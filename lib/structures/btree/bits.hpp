// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Bytes as a row of bits: bit 0 is the most significant one of byte 0. Beyond the end all are 0.
namespace keywatch::structures {

bool bit_at(std::string_view bytes, std::uint64_t offset);

/// How many bytes it takes to have this bit.
std::uint64_t bytes_with_bit(std::uint64_t offset);

/// The same with one bit changed, as long as it needs to be.
std::string with_bit(std::string bytes, std::uint64_t offset, bool bit);

}  // namespace keywatch::structures
