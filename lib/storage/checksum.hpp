// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

namespace keywatch::storage {

/// CRC-32C (Castagnoli) of bytes that are given one after the other. LevelDB keeps its own to
/// itself.
class Checksum {
public:
    void add(std::string_view bytes) noexcept;
    std::uint32_t value() const noexcept { return ~state_; }

private:
    std::uint32_t state_ = ~std::uint32_t{0};
};

}  // namespace keywatch::storage
