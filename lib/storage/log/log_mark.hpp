// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keywatch::storage {

/// The last record of a log that is complete: a write without entries, which LevelDB applies
/// without effect. It is appended only once everything before it has been synced. So what is wrong
/// in a log that has one is damage, and not what a power cut has left.
///
/// The value is its sequence. LevelDB takes the highest one it finds; all writes after the first
/// one of a database have higher ones.
enum class LogMark : std::uint64_t {
    rotated = 1,  ///< writes go on in a later log, whose name was made durable before
    closed = 2,   ///< the database was closed, or this is a backup
};

/// What to append to a log of this length.
std::string mark_bytes(LogMark mark, std::uint64_t log_bytes);

/// The mark that this record of a log is.
std::optional<LogMark> parse_mark(std::string_view record);

/// Whether a mark is the last in this block that is not zeros.
bool ends_in_mark(std::string_view block);

}  // namespace keywatch::storage
