// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/lag.hpp>
#include <keywatch/position.hpp>
#include <keywatch/selector.hpp>
#include <keywatch/watch_options.hpp>
#include <keywatch/watcher.hpp>

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace [[gnu::visibility("default")]] keywatch {

/// What a watch is doing.
enum class WatcherState : std::uint8_t {
    /// `run()` has not been called yet, nor `wait()`.
    created,
    /// It reads history, or the state that it begins with; or waits for the revision it starts at.
    catching_up,
    /// It is given commits as they are made.
    live,
    /// It has ended.
    ended,
};

/// The name of the enumerator.
std::string_view to_string(WatcherState state) noexcept;
/// As `to_string`.
std::ostream& operator<<(std::ostream& out, WatcherState state);

/// How a watch is doing, as `Database::watchers`, `Database::explain` and `info()` of the watchers
/// tell it. Each figure is right by itself, but they are not all of the same moment.
struct WatcherInfo {
    /// As `Watcher::id`.
    std::uint64_t id = 0;
    /// As `WatchOptions::name`.
    std::string name;
    /// What it follows, also of buckets that have ended.
    Selectors selectors;
    /// As `WatchOptions::overflow`.
    Overflow overflow = Overflow::catch_up;
    /// Whether it is a `PullWatcher`.
    bool pulled = false;

    /// What it is doing.
    WatcherState state = WatcherState::created;
    /// Why it ended, if that was an expected end.
    std::optional<EndReason> end;
    /// What it ended with otherwise, as text.
    std::string error;

    /// As `Watcher::position`.
    Position position;
    /// How far it is behind the newest durable commit, counting what does not match as well; all
    /// zero once it has ended.
    Lag lag;
    /// Messages that wait in its inbox.
    std::uint64_t queued_messages = 0;
    /// The size of their commits.
    std::uint64_t queued_bytes = 0;

    /// Commits that were delivered whole, and of which something was for it.
    std::uint64_t commits = 0;
    /// The messages of those that were for it.
    std::uint64_t messages = 0;
    /// How often it had to read from history again: its inbox was full, all inboxes together were
    /// (`Options::watch_bytes`), or history was trimmed before commits had been handed to watches.
    std::uint64_t fell_behind = 0;
    /// Whether it is slower than its policy allows (`Overflow::skip` and `Overflow::stop`; see
    /// there), also while its callback still runs. Once that returns the watch is given a gap, or
    /// ends. False of one that has ended.
    bool overflowed = false;
    /// Messages that were left out for newer ones (`Overflow::latest`).
    std::uint64_t coalesced = 0;
    /// Gaps that were left (`Overflow::skip`).
    std::uint64_t gaps = 0;
    /// The messages in them.
    std::uint64_t skipped = 0;
    /// All the time that its callback has taken. None of a `PullWatcher`.
    std::chrono::nanoseconds callback_time{};
    /// The longest of its calls.
    std::chrono::nanoseconds longest_callback{};
};

}  // namespace keywatch
