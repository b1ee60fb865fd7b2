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

/// The number of a commit: 1 for the first commit of a database, then ascending. 0 is before all
/// commits.
using Revision = std::uint64_t;

/// A random number that identifies the history of a database.
struct HistoryId {
    /// The bytes of the identifier. All zero: no database.
    std::array<std::uint8_t, 16> bytes{};

    /// Returns true if both identify the same history.
    friend bool operator==(const HistoryId&, const HistoryId&) = default;
};

/// A place in the history of a database: everything up to and including `revision` has been seen.
///
/// A consumer that stores the position of what it has processed, and later watches
/// `From::after(position)`, continues without gaps and without repetition, even after a restart.
///
/// A position may be within a commit: a watch ends with its bucket, and the commit that deletes the
/// bucket may create it again. In that case `revision` is the one before that commit, and
/// `seen_of_next` is the number of its messages that have been seen.
struct Position {
    /// The history to which the position belongs.
    HistoryId history;
    /// The last commit that has been seen.
    Revision revision = 0;
    /// Number of messages of the next commit that have been seen, counted as `Message::index`.
    std::uint32_t seen_of_next = 0;

    /// Returns true if both are the same place.
    friend bool operator==(const Position&, const Position&) = default;
};

/// Returns `<32 hexadecimal digits>:<revision>`, followed by `+<seen_of_next>` if that is not 0.
/// `parse_position` reads this form.
std::string to_string(const Position& position);

/// Parses the text written by `to_string`. Returns nothing if the text does not have exactly that
/// form.
std::optional<Position> parse_position(std::string_view text);

/// Writes the text returned by `to_string`.
std::ostream& operator<<(std::ostream& out, const Position& position);

}  // namespace keywatch
