// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keywatch::storage {

/// LevelDB's logs, those of writes as well as the manifests, consist of blocks. A record is cut
/// into fragments, so that none crosses the end of a block. If what is left of a block is too short
/// for a header, it is filled with zeros.
inline constexpr std::size_t log_block_bytes = 32768;
inline constexpr std::size_t log_header_bytes = 7;

struct LogFragment {
    enum class Kind : std::uint8_t { full = 1, first, middle, last };

    Kind kind;
    std::string_view payload;

    bool begins() const noexcept { return kind == Kind::full || kind == Kind::first; }
    bool ends() const noexcept { return kind == Kind::full || kind == Kind::last; }
    std::size_t bytes() const noexcept { return log_header_bytes + payload.size(); }
};

/// The fragment that these bytes begin with, which are what is left of a block. Nothing if there is
/// none, or if it is not as it was written.
std::optional<LogFragment> parse_fragment(std::string_view rest);

/// Whether a record begins anywhere in this block from a position on.
bool has_beginning(std::string_view block, std::size_t from);

/// What LevelDB appends for a record to a log of this length.
std::string fragments_of(std::string_view record, std::uint64_t log_bytes);

/// The beginning of each record of a log of writes. Writes are numbered by their entries.
struct WriteHeader {
    std::uint64_t sequence;  ///< of the first entry
    std::uint32_t entries;
};
inline constexpr std::size_t write_header_bytes = 12;

/// Nothing if the record is too short.
std::optional<WriteHeader> parse_write_header(std::string_view record);
std::string encode(const WriteHeader& header);

}  // namespace keywatch::storage
