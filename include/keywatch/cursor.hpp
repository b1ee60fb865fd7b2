// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>
#include <keywatch/time.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace [[gnu::visibility("default")]] keywatch {

/// A named position stored in the database itself: how far a consumer has come. See
/// `Transaction::save_cursor`.
struct Cursor {
    /// The name; any bytes.
    std::string name;
    /// The position up to which the consumer has processed everything.
    Position position;
    /// The time of the transaction that moved the cursor to this position.
    Time saved{};

    /// Returns true if all members are equal.
    friend bool operator==(const Cursor&, const Cursor&) = default;
};

/// A cursor and its lag, as returned by `Database::cursors`.
///
/// The commit that saves a cursor is newer than the position it saves. A consumer that has
/// processed everything therefore lags by what it has written itself since: one revision without
/// messages, if it has only saved its cursor.
struct CursorLag {
    /// The durable state of the cursor.
    Cursor cursor;
    /// The time since the cursor was moved. It also grows while nothing happens that concerns the
    /// consumer.
    std::chrono::microseconds age{};
    /// Number of revisions from its position to the newest durable revision.
    std::uint64_t revisions = 0;
    /// Number of changes in these revisions, in all buckets. If `compacted`, only those still in
    /// history.
    std::uint64_t messages = 0;
    /// Their encoded size in history, in bytes. If `compacted`, only that of the changes still in
    /// history.
    std::uint64_t bytes = 0;
    /// True if some of these changes are no longer in history: `From::cursor` would end with
    /// `Compacted`.
    bool compacted = false;

    /// Returns true if all members are equal.
    friend bool operator==(const CursorLag&, const CursorLag&) = default;
};

}  // namespace keywatch
