// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/// Tables that advance a CRC-32C state over many bytes at once.
namespace keywatch::storage::checksum {

using ByteTable = std::array<std::uint32_t, 256>;
/// tables[n][b]: the contribution of byte b to the state after n more bytes. Computed by the
/// compiler.
using ByteTables = std::array<ByteTable, 8>;

constexpr ByteTables make_byte_tables()
{
    constexpr std::uint32_t polynomial = 0x82f63b78;
    ByteTables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t sum = byte;
        for (int bit = 0; bit < 8; ++bit) {
            sum = (sum >> 1) ^ ((sum & 1) != 0 ? polynomial : 0);
        }
        tables[0][byte] = sum;
    }
    for (std::size_t n = 1; n < tables.size(); ++n) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[n - 1][byte];
            tables[n][byte] = (before >> 8) ^ tables[0][before & 0xff];
        }
    }
    return tables;
}

inline constexpr ByteTables byte_tables = make_byte_tables();

/// Tables that advance a state over a fixed number of zero bytes: one table for each byte of the
/// state.
using ShiftTables = std::array<ByteTable, 4>;

constexpr ShiftTables make_shift_tables(std::size_t zeros)
{
    std::array<std::uint32_t, 32> of_bit{};
    for (std::size_t bit = 0; bit < of_bit.size(); ++bit) {
        std::uint32_t state = std::uint32_t{1} << bit;
        for (std::size_t i = 0; i < zeros; ++i) {
            state = (state >> 8) ^ byte_tables[0][state & 0xff];
        }
        of_bit[bit] = state;
    }
    ShiftTables tables{};
    for (std::size_t place = 0; place < tables.size(); ++place) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            for (std::size_t bit = 0; bit < 8; ++bit) {
                tables[place][byte] ^= (byte >> bit & 1) != 0 ? of_bit[8 * place + bit] : 0;
            }
        }
    }
    return tables;
}

constexpr std::uint32_t shift(const ShiftTables& tables, std::uint32_t state) noexcept
{
    return tables[0][state & 0xff] ^ tables[1][(state >> 8) & 0xff] ^
           tables[2][(state >> 16) & 0xff] ^ tables[3][state >> 24];
}

}  // namespace keywatch::storage::checksum
