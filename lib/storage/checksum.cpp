// SPDX-License-Identifier: BSL-1.0
#include "checksum.hpp"

#include <array>
#include <cstddef>

namespace keywatch::storage {

namespace {

constexpr std::uint32_t polynomial = 0x82f63b78;
/// So many bytes are looked up at once.
constexpr std::size_t stride = 8;

using Tables = std::array<std::array<std::uint32_t, 256>, stride>;

/// tables[n][b]: what byte b adds when n more bytes have followed it.
constexpr Tables make_tables()
{
    Tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t sum = byte;
        for (int bit = 0; bit < 8; ++bit) {
            sum = (sum >> 1) ^ ((sum & 1) != 0 ? polynomial : 0);
        }
        tables[0][byte] = sum;
    }
    for (std::size_t n = 1; n < stride; ++n) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[n - 1][byte];
            tables[n][byte] = (before >> 8) ^ tables[0][before & 0xff];
        }
    }
    return tables;
}

constexpr Tables tables = make_tables();

std::uint32_t little_endian(const unsigned char* bytes) noexcept
{
    return std::uint32_t{bytes[0]} | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
           std::uint32_t{bytes[3]} << 24;
}

}  // namespace

void Checksum::add(std::string_view bytes) noexcept
{
    std::uint32_t sum = state_;
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    const unsigned char* const end = at + bytes.size();
    for (; static_cast<std::size_t>(end - at) >= stride; at += stride) {
        const std::uint32_t low = sum ^ little_endian(at);
        const std::uint32_t high = little_endian(at + 4);
        sum = tables[7][low & 0xff] ^ tables[6][(low >> 8) & 0xff] ^ tables[5][(low >> 16) & 0xff] ^
              tables[4][low >> 24] ^ tables[3][high & 0xff] ^ tables[2][(high >> 8) & 0xff] ^
              tables[1][(high >> 16) & 0xff] ^ tables[0][high >> 24];
    }
    for (; at != end; ++at) {
        sum = (sum >> 8) ^ tables[0][(sum ^ *at) & 0xff];
    }
    state_ = sum;
}

}  // namespace keywatch::storage
