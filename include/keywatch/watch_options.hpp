// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace [[gnu::visibility("default")]] keywatch {

/// Where a watch starts.
class From {
public:
    /// The three ways to say where.
    enum class Kind : std::uint8_t { now, revision, after };

    /// After the newest commit that is durable when `watch()` is called.
    static From now() { return {Kind::now, {}}; }

    /// At this revision, which is delivered if it matches. One that has not been made yet is waited
    /// for; one that is no longer kept ends the watch with `Error::compacted`.
    static From revision(Revision revision) { return {Kind::revision, Position{{}, revision}}; }

    /// After this position. `watch()` refuses one of another database (`Error::foreign_position`)
    /// and one that is ahead of this one (`Error::position_ahead`).
    static From after(const Position& position) { return {Kind::after, position}; }

    /// Which one it is.
    Kind kind() const noexcept { return kind_; }
    /// The position; of `Kind::revision` only its revision counts, of `Kind::now` nothing.
    const Position& position() const noexcept { return position_; }

private:
    From(Kind kind, const Position& position) : kind_(kind), position_(position) {}

    Kind kind_;
    Position position_;
};

/// How a watch behaves. Zero and negative values are refused with `Error::invalid_option`.
struct WatchOptions {
    WatchOptions() {}  // not an aggregate: see Options

    /// Where the watch starts.
    From from = From::now();

    /// Longest time that one call of the callback may take. A coroutine that overruns is cancelled
    /// and awaited, then the watch ends; a plain function is measured, and the watch ends after it
    /// has returned. A coroutine that blocks its thread and is never suspended is not measured.
    std::chrono::milliseconds callback_timeout = std::chrono::seconds{1};

    /// The watcher's inbox, in messages: when it is full, it is thrown away, and the watcher
    /// catches up from history. A single larger commit always passes. With what is being delivered,
    /// a watcher holds twice as much at the most.
    std::size_t buffer_messages = 1024;
    /// The same, in bytes of whole commits.
    std::size_t buffer_bytes = std::size_t{4} << 20;

    /// For people who look at watchers; need not be unique.
    std::string name;
};

/// What a callback may return to go on or to end its watch.
enum class Flow : std::uint8_t { go_on, stop };

}  // namespace keywatch
