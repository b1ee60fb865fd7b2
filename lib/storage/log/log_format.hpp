// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keywatch::storage {

/// The log format of LevelDB, used for write logs and for manifests. A log consists of blocks. A
/// record is split into fragments, so that no fragment crosses the end of a block. If the rest of a
/// block is too short for a fragment header, it is filled with zeros.
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

/// Returns the fragment at the beginning of `rest`, the remaining bytes of a block. Returns nullopt
/// if there is none or if it is damaged.
std::optional<LogFragment> parse_fragment(std::string_view rest);

/// Returns true if an intact first fragment of a record is anywhere in this block, at or after
/// `from`.
bool has_beginning(std::string_view block, std::size_t from);

/// Returns the bytes that LevelDB appends for `record` to a log of this length.
std::string fragments_of(std::string_view record, std::uint64_t log_bytes);

/// The header of each record in a write log. Sequence numbers count entries, not writes.
struct WriteHeader {
    std::uint64_t sequence;  ///< sequence number of the first entry
    std::uint32_t entries;
};
inline constexpr std::size_t write_header_bytes = 12;

/// Returns nullopt if the record is too short.
std::optional<WriteHeader> parse_write_header(std::string_view record);
std::string encode(const WriteHeader& header);

}  // namespace keywatch::storage
