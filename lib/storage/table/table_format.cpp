// SPDX-License-Identifier: BSL-1.0
#include "table_format.hpp"

#include "bytes/numbers.hpp"
#include "storage/format/checksum.hpp"

#include <string>

namespace keywatch::storage {

namespace {

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
    out.resize(footer_bytes - table_magic.size());
    out += table_magic;
    return out;
}

bool fits(const BlockHandle& handle, std::uint64_t file_size)
{
    return handle.offset < file_size && handle.size < file_size;
}

}  // namespace

std::optional<BlockHandle> parse_handle(std::string_view bytes)
{
    bytes::ByteReader reader(bytes);
    const BlockHandle handle = read_handle(reader);
    return reader.failed() || reader.left() > 0 ? std::nullopt : std::optional(handle);
}

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
    return masked(crc32c(block.substr(0, covered))) ==
           little_endian<std::uint32_t>(block.substr(covered));
}

}  // namespace keywatch::storage
