// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/filter.hpp>
#include <keywatch/position.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

/// Where a watch starts.
class From {
public:
    /// The ways to say where.
    enum class Kind : std::uint8_t { now, revision, after, oldest, snapshot, cursor };

    /// After the newest commit that is durable when `watch()` is called.
    static From now() { return {Kind::now, {}}; }

    /// At this revision, which is delivered if it matches. One that has not been made yet is waited
    /// for; one that is no longer kept ends the watch with `Error::compacted`.
    static From revision(Revision revision) { return {Kind::revision, Position{{}, revision}}; }

    /// After this position. `watch()` refuses one of another database (`Error::foreign_position`)
    /// and one that is ahead of this one (`Error::position_ahead`).
    static From after(const Position& position) { return {Kind::after, position}; }

    /// At the oldest revision that history has when `watch()` is called.
    static From oldest() { return {Kind::oldest, {}}; }

    /// With the state of what is selected, at a revision that is settled when the watch begins, as
    /// messages that would make it (`put`, `push_back`, `add`, ...); then a `synced` marker, also
    /// if the state is empty; then what was committed after that revision. `Message::snapshot`
    /// tells what belongs to the state. Commits go on meanwhile, and memory is bounded, however
    /// large the state and slow the watcher.
    ///
    /// Until `synced` the position is that before all revisions: such a start cannot be resumed, it
    /// is made anew.
    static From snapshot() { return {Kind::snapshot, {}}; }

    /// After the position that the named cursor has when `watch()` is called: see
    /// `Transaction::save_cursor`. `Error::cursor_not_found` if there is none.
    static From cursor(std::string name)
    {
        From from{Kind::cursor, {}};
        from.cursor_ = std::move(name);
        return from;
    }

    /// Which one it is.
    Kind kind() const noexcept { return kind_; }
    /// The name of the cursor, of `Kind::cursor`.
    const std::string& cursor() const noexcept { return cursor_; }
    /// The position; of `Kind::revision` only its revision counts, of others than that and
    /// `Kind::after` nothing.
    const Position& position() const noexcept { return position_; }

private:
    From(Kind kind, const Position& position) : kind_(kind), position_(position) {}

    Kind kind_;
    Position position_;
    std::string cursor_;
};

/// What becomes of a watcher whose inbox is full, because its callback is slower than the commits.
///
/// `skip` and `stop` are for a watch that has been at the present once: it began there
/// (`From::now`, or nothing had been committed after its start when `watch()` was called), or it
/// has been given everything since. Before that it reads history, however long that takes. After
/// that it is too slow if its inbox is full; or, while it reads history, if the present has moved
/// away from it by more than `buffer_messages` commits since it began to read. It begins to read
/// when it runs, and again when it falls behind because others have used up `Options::watch_bytes`,
/// which is not its fault. `WatcherInfo::overflowed` tells at once, even if its callback is stuck.
enum class Overflow : std::uint8_t {
    /// The inbox is thrown away, and the watcher catches up from history: nothing is lost.
    catch_up,
    /// Only the newest message of each element is delivered; the messages before it are left out.
    /// See `Message::first_revision`.
    latest,
    /// What does not fit is left out; a `gap` marker tells which revisions, and how many messages.
    /// Only what ends a bucket that is followed by name is never left out.
    skip,
    /// The watch ends with `Error::overflow`.
    stop,
};

/// How a watch behaves. Values that make no sense are refused with `Error::invalid_option`.
struct WatchOptions {
    WatchOptions() {}  // not an aggregate: see Options

    /// Where the watch starts.
    From from = From::now();

    /// Longest time that one call of the callback may take. A coroutine that overruns is cancelled
    /// and awaited, then the watch ends; a plain function is measured, and the watch ends after it
    /// has returned. A coroutine that blocks its thread and is never suspended is not measured.
    std::chrono::milliseconds callback_timeout = std::chrono::seconds{1};

    /// What happens when the inbox is full.
    Overflow overflow = Overflow::catch_up;

    /// With `Overflow::latest`: so long at least lies between the beginnings of two deliveries, in
    /// which messages of the same element become one. Zero: as soon as there is something. The end
    /// of the watch does not wait, nor do pieces of history (if more changes than the inbox holds).
    std::chrono::milliseconds min_interval{0};

    /// If nothing was delivered for so long, a `progress` marker is. Zero: never. Its revision
    /// tells that every matching message up to it has been delivered.
    std::chrono::milliseconds progress_interval{0};

    /// Which of the selected messages are delivered.
    Filter filter;

    /// The watcher's inbox, in messages: when it is full, `overflow` says what happens. A single
    /// larger commit always passes. With what is being delivered, a watcher holds twice as much at
    /// the most.
    std::size_t buffer_messages = 1024;
    /// The same, in bytes of whole commits.
    std::size_t buffer_bytes = std::size_t{4} << 20;

    /// For people who look at watchers; need not be unique.
    std::string name;
};

/// What a callback may return to go on or to end its watch.
enum class Flow : std::uint8_t { go_on, stop };

}  // namespace keywatch
