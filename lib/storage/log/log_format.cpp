// SPDX-License-Identifier: BSL-1.0
#include "log_format.hpp"

#include "storage/format/checksum.hpp"

#include <algorithm>
#include <concepts>

namespace keywatch::storage {

namespace {

template <std::unsigned_integral T>
T load_little(std::string_view bytes) noexcept
{
    T number = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        number |= static_cast<T>(T{static_cast<unsigned char>(bytes[i])} << (8 * i));
    }
    return number;
}

template <std::unsigned_integral T>
void append_little(std::string& out, T number)
{
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        out += static_cast<char>(number >> (8 * i) & 0xff);
    }
}

/// Returns the masked checksum that LevelDB stores. It masks checksums because a log may hold data
/// that itself contains checksums.
std::uint32_t masked_checksum(std::string_view kind_and_payload) noexcept
{
    Checksum checksum;
    checksum.add(kind_and_payload);
    const std::uint32_t value = checksum.value();
    return (value >> 15 | value << 17) + 0xa282ead8;
}

}  // namespace

std::optional<LogFragment> parse_fragment(std::string_view rest)
{
    if (rest.size() < log_header_bytes) {
        return std::nullopt;
    }
    const std::size_t size = load_little<std::uint16_t>(rest.substr(4));
    const auto kind = static_cast<LogFragment::Kind>(rest[6]);
    if (size > rest.size() - log_header_bytes || kind < LogFragment::Kind::full ||
        kind > LogFragment::Kind::last ||
        load_little<std::uint32_t>(rest) != masked_checksum(rest.substr(6, 1 + size))) {
        return std::nullopt;
    }
    return LogFragment{kind, rest.substr(log_header_bytes, size)};
}

bool has_beginning(std::string_view block, std::size_t from)
{
    for (; from + log_header_bytes <= block.size(); ++from) {
        const auto fragment = parse_fragment(block.substr(from));
        if (fragment && fragment->begins()) {
            return true;
        }
    }
    return false;
}

std::string fragments_of(std::string_view record, std::uint64_t log_bytes)
{
    using Kind = LogFragment::Kind;
    std::string out;
    bool begins = true;
    do {
        std::size_t left =
            log_block_bytes - static_cast<std::size_t>((log_bytes + out.size()) % log_block_bytes);
        if (left < log_header_bytes) {
            out.append(left, '\0');
            left = log_block_bytes;
        }
        const std::string_view payload = record.substr(0, left - log_header_bytes);
        record.remove_prefix(payload.size());
        const bool ends = record.empty();
        const Kind kind =
            begins ? (ends ? Kind::full : Kind::first) : (ends ? Kind::last : Kind::middle);
        std::string summed(1, static_cast<char>(kind));
        summed += payload;
        append_little(out, masked_checksum(summed));
        append_little(out, static_cast<std::uint16_t>(payload.size()));
        out += summed;
        begins = false;
    } while (!record.empty());
    return out;
}

std::optional<WriteHeader> parse_write_header(std::string_view record)
{
    if (record.size() < write_header_bytes) {
        return std::nullopt;
    }
    return WriteHeader{load_little<std::uint64_t>(record),
                       load_little<std::uint32_t>(record.substr(8))};
}

std::string encode(const WriteHeader& header)
{
    std::string out;
    append_little(out, header.sequence);
    append_little(out, header.entries);
    return out;
}

}  // namespace keywatch::storage
