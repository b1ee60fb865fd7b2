// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>
#include <keywatch/time.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace [[gnu::visibility("default")]] keywatch {

/// A position that is kept in the database itself, under a name: how far a consumer has come. See
/// `Transaction::save_cursor`.
struct Cursor {
    /// Any bytes.
    std::string name;
    /// Everything up to here has been dealt with.
    Position position;
    /// When it came there: the time of the transaction that moved it.
    Time saved{};

    /// Whether all of it is the same.
    friend bool operator==(const Cursor&, const Cursor&) = default;
};

/// A cursor, and what lies between it and the present, as `Database::cursors` gives it.
///
/// The commit that saves a cursor lies behind its position. So a consumer that has dealt with
/// everything is behind by what it wrote itself since: one revision without messages, if it only
/// saved its cursor.
struct CursorLag {
    /// Its durable state.
    Cursor cursor;
    /// The time since it was moved. A consumer to which nothing happens gets older, too.
    std::chrono::microseconds age{};
    /// From its position to the newest durable revision.
    std::uint64_t revisions = 0;
    /// The changes in these, of all buckets. If it is `compacted`, only those that history has.
    std::uint64_t messages = 0;
    /// Their size in history, as encoded; of a `compacted` one the same as for `messages`.
    std::uint64_t bytes = 0;
    /// Some of these are not in history any more: `From::cursor` would end with `Compacted`.
    bool compacted = false;

    /// Whether all of it is the same.
    friend bool operator==(const CursorLag&, const CursorLag&) = default;
};

}  // namespace keywatch
