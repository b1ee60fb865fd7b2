// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// The parts of LevelDB's table format that can be checked from outside.
namespace keywatch::storage {

/// Behind the bytes of each block: its type, and the checksum of bytes and type.
constexpr std::size_t block_trailer_bytes = 5;
constexpr std::size_t footer_bytes = 48;

constexpr std::string_view table_magic("\x57\xfb\x80\x8b\x24\x75\x47\xdb", 8);

/// Reads the number that the bytes begin with, of which there are enough.
template <std::unsigned_integral T>
T little_endian(std::string_view bytes) noexcept
{
    T number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i) {
        number = static_cast<T>(number | T{static_cast<unsigned char>(bytes[i])} << (8 * i));
    }
    return number;
}

/// A place in a table, without the trailer.
struct BlockHandle {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;

    std::uint64_t end() const noexcept { return offset + size + block_trailer_bytes; }
};

/// Nothing unless these bytes are one.
std::optional<BlockHandle> parse_handle(std::string_view bytes);

/// The last bytes of a table. They have no checksum.
struct Footer {
    BlockHandle metaindex;
    BlockHandle index;
};

/// Nothing unless these are the bytes that a table of this size ends with, the handles fit exactly
/// (the metaindex, the index and the footer follow each other), and nothing else could have been
/// written: so a flipped bit anywhere in it is noticed.
std::optional<Footer> parse_footer(std::string_view bytes, std::uint64_t file_size);

/// Whether the checksum at the end of a block is right. `block` includes the trailer.
bool is_whole_block(std::string_view block) noexcept;

}  // namespace keywatch::storage
