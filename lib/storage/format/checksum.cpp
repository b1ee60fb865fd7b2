// SPDX-License-Identifier: BSL-1.0
#include "checksum.hpp"

#include "checksum_tables.hpp"

namespace keywatch::storage {

namespace {

std::uint32_t little_endian(const unsigned char* bytes) noexcept
{
    return std::uint32_t{bytes[0]} | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
           std::uint32_t{bytes[3]} << 24;
}

checksum::Extend choose() noexcept
{
    const checksum::Extend instructions = checksum::extend_by_instructions();
    return instructions != nullptr ? instructions : checksum::extend_by_tables;
}

}  // namespace

std::uint32_t checksum::extend_by_tables(std::uint32_t state, const char* bytes,
                                         std::size_t size) noexcept
{
    constexpr const ByteTables& tables = byte_tables;
    const auto* at = reinterpret_cast<const unsigned char*>(bytes);
    const unsigned char* const end = at + size;
    for (; static_cast<std::size_t>(end - at) >= tables.size(); at += tables.size()) {
        const std::uint32_t low = state ^ little_endian(at);
        const std::uint32_t high = little_endian(at + 4);
        state = tables[7][low & 0xff] ^ tables[6][(low >> 8) & 0xff] ^
                tables[5][(low >> 16) & 0xff] ^ tables[4][low >> 24] ^ tables[3][high & 0xff] ^
                tables[2][(high >> 8) & 0xff] ^ tables[1][(high >> 16) & 0xff] ^
                tables[0][high >> 24];
    }
    for (; at != end; ++at) {
        state = (state >> 8) ^ tables[0][(state ^ *at) & 0xff];
    }
    return state;
}

void Checksum::add(std::string_view bytes) noexcept
{
    static const checksum::Extend extend = choose();
    state_ = extend(state_, bytes.data(), bytes.size());
}

}  // namespace keywatch::storage
