// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keywatch::storage {

/// The last record of a complete log: a write without entries, which LevelDB applies without
/// effect. It is appended only after everything before it has been synced. An invalid record in a
/// log with a mark is therefore damage, not the result of a power cut.
///
/// The value is the sequence number of that write. LevelDB continues from the highest sequence that
/// it finds, and a mark never raises that: all writes after the first one of a database have
/// sequences at least as high.
enum class LogMark : std::uint64_t {
    rotated = 1,  ///< writes continue in a later log, whose name is already durable
    closed = 2,   ///< the database was closed, or this is a backup
};

/// Returns the bytes to append to a log of this length.
std::string mark_bytes(LogMark mark, std::uint64_t log_bytes);

/// Returns the mark that this record represents, or nullopt if it is not a mark.
std::optional<LogMark> parse_mark(std::string_view record);

/// Returns true if the nonzero part of this block ends in a mark.
bool ends_in_mark(std::string_view block);

}  // namespace keywatch::storage
