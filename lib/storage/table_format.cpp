// SPDX-License-Identifier: BSL-1.0
#include "table_format.hpp"

#include "checksum.hpp"

#include "bytes/numbers.hpp"

#include <string>

namespace keywatch::storage {

namespace {

constexpr std::string_view magic("\x57\xfb\x80\x8b\x24\x75\x47\xdb", 8);

std::uint32_t little_endian(std::string_view bytes)
{
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i) {
        number |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    return number;
}

void append_handle(std::string& out, const BlockHandle& handle)
{
    bytes::append_varint(out, handle.offset);
    bytes::append_varint(out, handle.size);
}

BlockHandle read_handle(bytes::ByteReader& reader)
{
    const std::uint64_t offset = reader.varint();
    const std::uint64_t size = reader.varint();
    return {offset, size};
}

std::string encode(const Footer& footer)
{
    std::string out;
    append_handle(out, footer.metaindex);
    append_handle(out, footer.index);
    out.resize(footer_bytes - magic.size());
    out += magic;
    return out;
}

bool fits(const BlockHandle& handle, std::uint64_t file_size)
{
    return handle.offset < file_size && handle.size < file_size;
}

}  // namespace

std::optional<Footer> parse_footer(std::string_view bytes, std::uint64_t file_size)
{
    bytes::ByteReader reader(bytes);
    Footer footer;
    footer.metaindex = read_handle(reader);
    footer.index = read_handle(reader);
    const bool follow = fits(footer.metaindex, file_size) && fits(footer.index, file_size) &&
                        footer.metaindex.end() == footer.index.offset &&
                        footer.index.end() + footer_bytes == file_size;
    if (!follow || encode(footer) != bytes) {
        return std::nullopt;
    }
    return footer;
}

bool is_whole_block(std::string_view block) noexcept
{
    if (block.size() < block_trailer_bytes) {
        return false;
    }
    const std::size_t covered = block.size() - 4;
    return masked(crc32c(block.substr(0, covered))) == little_endian(block.substr(covered));
}

}  // namespace keywatch::storage
