// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// The parts of LevelDB's table format that can be checked from outside.
namespace keywatch::storage {

/// The size of the trailer after each block: its type, and the checksum of bytes and type.
constexpr std::size_t block_trailer_bytes = 5;
constexpr std::size_t footer_bytes = 48;

constexpr std::string_view table_magic("\x57\xfb\x80\x8b\x24\x75\x47\xdb", 8);

/// Reads the number at the beginning of `bytes`, which must be long enough.
template <std::unsigned_integral T>
T little_endian(std::string_view bytes) noexcept
{
    T number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i) {
        number = static_cast<T>(number | T{static_cast<unsigned char>(bytes[i])} << (8 * i));
    }
    return number;
}

/// The position of a block in a table. The size does not include the trailer.
struct BlockHandle {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;

    std::uint64_t end() const noexcept { return offset + size + block_trailer_bytes; }
};

/// Returns nullopt unless the bytes are exactly one handle.
std::optional<BlockHandle> parse_handle(std::string_view bytes);

/// The last bytes of a table. They have no checksum.
struct Footer {
    BlockHandle metaindex;
    BlockHandle index;
};

/// Parses the footer of a table of this size. Returns nullopt unless the handles fit exactly (the
/// metaindex, the index and the footer follow each other) and LevelDB would write exactly these
/// bytes for them. So a flipped bit anywhere in the footer is noticed.
std::optional<Footer> parse_footer(std::string_view bytes, std::uint64_t file_size);

/// Returns true if the checksum at the end of a block is correct. `block` includes the trailer.
bool is_whole_block(std::string_view block) noexcept;

}  // namespace keywatch::storage
