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

/// The start of a watch.
class From {
public:
    /// The kinds of starts.
    enum class Kind : std::uint8_t { now, revision, after, oldest, snapshot, cursor };

    /// Starts after the newest commit that is durable when `watch()` is called.
    static From now() { return {Kind::now, {}}; }

    /// Starts at this revision, which is delivered if it matches. If it does not exist yet, the
    /// watch waits for it. If it is no longer kept, the watch ends with `Error::compacted`.
    static From revision(Revision revision) { return {Kind::revision, Position{{}, revision}}; }

    /// Starts after this position. `watch()` refuses a position of another database
    /// (`Error::foreign_position`) and one that is ahead of this database
    /// (`Error::position_ahead`).
    static From after(const Position& position) { return {Kind::after, position}; }

    /// Starts at the oldest revision in history when `watch()` is called.
    static From oldest() { return {Kind::oldest, {}}; }

    /// Starts with the state of everything that is selected, at a revision that is determined when
    /// the watch begins. The state is delivered as the messages that would create it (`put`,
    /// `push_back`, `add`, ...), followed by a `synced` marker, even if the state is empty, and
    /// then by everything committed after that revision. `Message::snapshot` marks the messages of
    /// the state. Commits continue meanwhile, and memory use is bounded, however large the state
    /// and however slow the watcher.
    ///
    /// Until `synced`, the position is before all revisions: such a start cannot be resumed, it has
    /// to be repeated.
    static From snapshot() { return {Kind::snapshot, {}}; }

    /// Starts after the position that the named cursor has when `watch()` is called: see
    /// `Transaction::save_cursor`. `watch()` throws `Error::cursor_not_found` if there is no such
    /// cursor.
    static From cursor(std::string name)
    {
        From from{Kind::cursor, {}};
        from.cursor_ = std::move(name);
        return from;
    }

    /// Returns the kind of start.
    Kind kind() const noexcept { return kind_; }
    /// Returns the name of the cursor, for `Kind::cursor`.
    const std::string& cursor() const noexcept { return cursor_; }
    /// Returns the position, for `Kind::after`. For `Kind::revision` only its revision is
    /// meaningful. For other kinds it has no meaning.
    const Position& position() const noexcept { return position_; }

private:
    From(Kind kind, const Position& position) : kind_(kind), position_(position) {}

    Kind kind_;
    Position position_;
    std::string cursor_;
};

/// The policy for a watcher whose inbox is full because its callback is slower than the commits.
///
/// `skip` and `stop` take effect only after the watch has caught up once: it began at the present
/// (`From::now`, or nothing had been committed after its start when `watch()` was called), or it
/// has received everything there was at some moment since. Before that it reads history, however
/// long that takes. After that it is *too slow* if its inbox is full, or, while it reads history,
/// if its lag has grown by more than `buffer_messages` commits since it began to read. It begins to
/// read when it starts to run, and begins anew when it falls behind because all inboxes together
/// have used up `Options::watch_bytes`, which is not the fault of the watch.
/// `WatcherInfo::overflowed` is set immediately, even if the callback is stuck.
enum class Overflow : std::uint8_t {
    /// The inbox is discarded, and the watcher catches up from history: nothing is lost.
    catch_up,
    /// Only the newest message of each element is delivered; the messages before it are discarded.
    /// See `Message::first_revision`.
    latest,
    /// Commits that do not fit are skipped. A `gap` marker contains their revisions and the number
    /// of messages. A commit that ends a bucket followed by name is never skipped.
    skip,
    /// The watch ends with `Error::overflow`.
    stop,
};

/// The parameters of a watch. Invalid values are refused with `Error::invalid_option`.
struct WatchOptions {
    WatchOptions() {}  // makes this type a non-aggregate: see Options

    /// The start of the watch.
    From from = From::now();

    /// The longest time that one call of the callback may take. A coroutine that exceeds it is
    /// cancelled and awaited, then the watch ends. A plain function is measured, and the watch ends
    /// after it has returned. A coroutine that blocks its thread and is never suspended is not
    /// measured.
    std::chrono::milliseconds callback_timeout = std::chrono::seconds{1};

    /// The policy for a full inbox.
    Overflow overflow = Overflow::catch_up;

    /// The minimum time between the starts of two deliveries; messages of one element that arrive
    /// in between are coalesced. Only with `Overflow::latest`. If zero, everything is delivered as
    /// soon as possible. The end of the watch does not wait for this time, and neither do pieces of
    /// history (if more elements change than the inbox holds).
    std::chrono::milliseconds min_interval{0};

    /// If nothing was delivered for this time, a `progress` marker is delivered. If zero, never.
    /// The revision of the marker means that every matching message up to it has been delivered.
    std::chrono::milliseconds progress_interval{0};

    /// The conditions that selected messages must meet to be delivered.
    Filter filter;

    /// The size of the watcher's inbox in messages. When it is full, `overflow` applies. A single
    /// larger commit always fits into an empty inbox. Together with what is being delivered, a
    /// watcher holds at most twice as much.
    std::size_t buffer_messages = 1024;
    /// The size of the inbox in bytes of whole commits.
    std::size_t buffer_bytes = std::size_t{4} << 20;

    /// A name for display. Need not be unique.
    std::string name;
};

/// The result of a callback: continue or end the watch.
enum class Flow : std::uint8_t { go_on, stop };

}  // namespace keywatch
