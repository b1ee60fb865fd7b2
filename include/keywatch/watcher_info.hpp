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

/// The state of a watch.
enum class WatcherState : std::uint8_t {
    /// Neither `run()` nor `wait()` has been called yet.
    created,
    /// The watch reads history or its initial state, or waits for the revision at which it starts.
    catching_up,
    /// The watch receives commits as they become durable.
    live,
    /// The watch has ended.
    ended,
};

/// Returns the name of the enumerator.
std::string_view to_string(WatcherState state) noexcept;
/// Writes the name of the enumerator.
std::ostream& operator<<(std::ostream& out, WatcherState state);

/// The state and the figures of a watch, as returned by `Database::watchers`, `Database::explain`
/// and the `info()` members of the watchers. Each figure is correct, but they may have been taken
/// at slightly different moments.
struct WatcherInfo {
    /// The id returned by `Watcher::id`.
    std::uint64_t id = 0;
    /// The name from `WatchOptions::name`.
    std::string name;
    /// The selectors of the watch, including those of buckets that have ended.
    Selectors selectors;
    /// The policy from `WatchOptions::overflow`.
    Overflow overflow = Overflow::catch_up;
    /// True for a `PullWatcher`.
    bool pulled = false;

    /// The state of the watch.
    WatcherState state = WatcherState::created;
    /// The reason of the end, if the watch ended in an expected way.
    std::optional<EndReason> end;
    /// The text of the exception, if the watch ended with one.
    std::string error;

    /// The position returned by `Watcher::position`.
    Position position;
    /// The lag after the newest durable commit, including commits that do not match. All zero once
    /// the watch has ended.
    Lag lag;
    /// Number of messages queued in the inbox.
    std::uint64_t queued_messages = 0;
    /// The size of their commits in bytes.
    std::uint64_t queued_bytes = 0;

    /// Number of commits that were delivered whole and contained a message for this watch.
    std::uint64_t commits = 0;
    /// Number of messages of these commits that were for this watch.
    std::uint64_t messages = 0;
    /// How often it fell back to reading history: its inbox was full, all inboxes together were
    /// full (`Options::watch_bytes`), or history was trimmed before commits had been handed to
    /// watches.
    std::uint64_t fell_behind = 0;
    /// True if the watch is slower than its policy allows (see `Overflow::skip` and
    /// `Overflow::stop`), even while its callback still runs. When the callback returns, the watch
    /// receives a gap or ends. False once the watch has ended.
    bool overflowed = false;
    /// Number of messages replaced by newer ones (`Overflow::latest`).
    std::uint64_t coalesced = 0;
    /// Number of gaps (`Overflow::skip`).
    std::uint64_t gaps = 0;
    /// Number of messages skipped in these gaps.
    std::uint64_t skipped = 0;
    /// The total time spent in the callback. Zero for a `PullWatcher`.
    std::chrono::nanoseconds callback_time{};
    /// The duration of the longest call of the callback.
    std::chrono::nanoseconds longest_callback{};
};

}  // namespace keywatch
