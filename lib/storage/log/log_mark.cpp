// SPDX-License-Identifier: BSL-1.0
#include "log_mark.hpp"

#include "log_format.hpp"

namespace keywatch::storage {

/// `ends_in_mark` searches from the end, so it only finds a mark that is not split into two
/// fragments. If the block is too short for a whole mark, a second one is appended after the split
/// one.
std::string mark_bytes(LogMark mark, std::uint64_t log_bytes)
{
    const std::string record = encode(WriteHeader{static_cast<std::uint64_t>(mark), 0});
    std::string bytes = fragments_of(record, log_bytes);
    if (!ends_in_mark(bytes)) {
        bytes += fragments_of(record, log_bytes + bytes.size());
    }
    return bytes;
}

std::optional<LogMark> parse_mark(std::string_view record)
{
    const auto header = parse_write_header(record);
    if (!header || record.size() != write_header_bytes || header->entries != 0) {
        return std::nullopt;
    }
    const auto mark = static_cast<LogMark>(header->sequence);
    return mark == LogMark::rotated || mark == LogMark::closed ? std::optional(mark) : std::nullopt;
}

/// The low byte of the sequence is the last nonzero byte of a mark.
bool ends_in_mark(std::string_view block)
{
    const std::size_t last = block.find_last_not_of('\0');
    if (last == std::string_view::npos || last < log_header_bytes) {
        return false;
    }
    const auto fragment = parse_fragment(block.substr(last - log_header_bytes));
    return fragment && fragment->kind == LogFragment::Kind::full && parse_mark(fragment->payload);
}

}  // namespace keywatch::storage
