// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// Numbers as bytes. They are big-endian and of fixed size if they must sort, or must be found
/// without reading what precedes them. Otherwise they are LEB128 varints.
namespace keywatch::bytes {

/// Converts a number between native and big-endian byte order.
template <std::unsigned_integral T>
constexpr T big_endian(T number) noexcept
{
    if constexpr (std::endian::native == std::endian::big) {
        return number;
    }
    T swapped = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        swapped = static_cast<T>((swapped << 8) | ((number >> (8 * i)) & 0xff));
    }
    return swapped;
}

template <std::unsigned_integral T>
T load_fixed(const char* bytes) noexcept
{
    T number;
    std::memcpy(&number, bytes, sizeof number);
    return big_endian(number);
}

template <std::unsigned_integral T>
void store_fixed(char* bytes, T number) noexcept
{
    const T stored = big_endian(number);
    std::memcpy(bytes, &stored, sizeof stored);
}

template <std::unsigned_integral T>
void append_fixed(std::string& out, T number)
{
    char raw[sizeof number];
    store_fixed(raw, number);
    out.append(raw, sizeof raw);
}

constexpr std::size_t varint_bytes(std::uint64_t number) noexcept
{
    return static_cast<std::size_t>(std::bit_width(number | 1) + 6) / 7;
}

inline void append_varint(std::string& out, std::uint64_t number)
{
    while (number >= 0x80) {
        out += static_cast<char>(number | 0x80);
        number >>= 7;
    }
    out += static_cast<char>(number);
}

inline void append_string(std::string& out, std::string_view bytes)
{
    append_varint(out, bytes.size());
    out += bytes;
}

constexpr std::size_t string_bytes(std::string_view bytes) noexcept
{
    return varint_bytes(bytes.size()) + bytes.size();
}

/// Reads untrusted bytes. If a read does not fit, the reader has failed permanently, and every read
/// from then on returns zero or an empty string. So a caller may read several fields before it
/// checks `failed`.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) noexcept
        : at_(bytes.data()), end_(bytes.data() + bytes.size())
    {
    }

    bool failed() const noexcept { return failed_; }
    std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

    std::uint8_t byte() noexcept
    {
        return at_ != end_ ? static_cast<std::uint8_t>(*at_++) : std::uint8_t{fail()};
    }

    template <std::unsigned_integral T>
    T fixed() noexcept
    {
        if (left() < sizeof(T)) {
            return fail();
        }
        const char* const begin = at_;
        at_ += sizeof(T);
        return load_fixed<T>(begin);
    }

    std::uint64_t varint() noexcept
    {
        if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) {
            return static_cast<unsigned char>(*at_++);
        }
        return long_varint();
    }

    std::string_view string() noexcept
    {
        const std::uint64_t size = varint();
        if (size > left()) {
            fail();
            return {};
        }
        const char* begin = at_;
        at_ += size;
        return {begin, static_cast<std::size_t>(size)};
    }

private:
    std::uint8_t fail() noexcept
    {
        failed_ = true;
        at_ = end_;
        return 0;
    }

    std::uint64_t long_varint() noexcept
    {
        std::uint64_t number = 0;
        for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
            const auto byte = static_cast<unsigned char>(*at_++);
            if (shift == 63 && byte > 1) {
                break;
            }
            number |= std::uint64_t{byte & 0x7fU} << shift;
            if (byte < 0x80) {
                return number;
            }
        }
        return fail();
    }

    const char* at_;
    const char* end_;
    bool failed_ = false;
};

}  // namespace keywatch::bytes
