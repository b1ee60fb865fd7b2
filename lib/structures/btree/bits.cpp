// SPDX-License-Identifier: BSL-1.0
#include "bits.hpp"

#include <utility>

namespace keywatch::structures {

namespace {

unsigned mask_of(std::uint64_t offset)
{
    return 0x80U >> (offset % 8);
}

}  // namespace

bool bit_at(std::string_view bytes, std::uint64_t offset)
{
    const std::uint64_t byte = offset / 8;
    return byte < bytes.size() && (static_cast<unsigned char>(bytes[byte]) & mask_of(offset)) != 0;
}

std::uint64_t bytes_with_bit(std::uint64_t offset)
{
    return offset / 8 + 1;
}

std::string with_bit(std::string bytes, std::uint64_t offset, bool bit)
{
    if (bytes.size() < bytes_with_bit(offset)) {
        bytes.resize(bytes_with_bit(offset));
    }
    char& byte = bytes[offset / 8];
    const unsigned others = static_cast<unsigned char>(byte) & ~mask_of(offset);
    byte = static_cast<char>(others | (bit ? mask_of(offset) : 0U));
    return bytes;
}

}  // namespace keywatch::structures
