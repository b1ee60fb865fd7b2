// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace [[gnu::visibility("default")]] keywatch {

/// The number of a commit: 1 for the first one of a database, then ascending. 0 stands before all.
using Revision = std::uint64_t;

/// A random number that tells one database's history from every other's.
struct HistoryId {
    /// All zero: of no database.
    std::array<std::uint8_t, 16> bytes{};

    /// Whether both are the same history.
    friend bool operator==(const HistoryId&, const HistoryId&) = default;
};

/// A place in one database's history: everything up to and including `revision` has been seen.
///
/// A consumer that stores the position of what it has processed, and later watches
/// `From::after(position)`, continues without gap and without repeat, also after a restart.
///
/// It may be within a commit: a watch ends with its bucket, and the commit that deletes the bucket
/// may make it anew. Then `revision` is before that commit, and `seen_of_next` tells how much of it
/// has been seen.
struct Position {
    /// Whose history.
    HistoryId history;
    /// The last commit that has been seen.
    Revision revision = 0;
    /// How many messages of the commit after that one have been seen, counted as `Message::index`.
    std::uint32_t seen_of_next = 0;

    /// Whether both are the same place.
    friend bool operator==(const Position&, const Position&) = default;
};

/// `<32 hexadecimal digits>:<revision>`, with `+<seen_of_next>` behind it if that is not 0, as
/// `parse_position` reads it.
std::string to_string(const Position& position);

/// Reads what `to_string` wrote; nothing if the text is not exactly that.
std::optional<Position> parse_position(std::string_view text);

/// As `to_string`.
std::ostream& operator<<(std::ostream& out, const Position& position);

}  // namespace keywatch
