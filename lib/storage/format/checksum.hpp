// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace keywatch::storage {

/// An incremental CRC-32C (Castagnoli). LevelDB does not export its own. Uses the processor's
/// instructions if there are any.
class Checksum {
public:
    void add(std::string_view bytes) noexcept;
    std::uint32_t value() const noexcept { return ~state_; }

private:
    std::uint32_t state_ = ~std::uint32_t{0};
};

inline std::uint32_t crc32c(std::string_view bytes) noexcept
{
    Checksum sum;
    sum.add(bytes);
    return sum.value();
}

/// Returns the form in which LevelDB stores a checksum.
constexpr std::uint32_t masked(std::uint32_t sum) noexcept
{
    return std::rotr(sum, 15) + 0xa282ead8U;
}

/// The implementations of the checksum. A state is a checksum whose bits are flipped.
namespace checksum {

using Extend = std::uint32_t (*)(std::uint32_t state, const char* bytes, std::size_t size) noexcept;

/// Uses lookup tables. Runs on any processor.
std::uint32_t extend_by_tables(std::uint32_t state, const char* bytes, std::size_t size) noexcept;
/// Returns a function that uses the processor's instructions, or null if it has none.
Extend extend_by_instructions() noexcept;

}  // namespace checksum

}  // namespace keywatch::storage
