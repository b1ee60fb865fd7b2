// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "bytes/time_range.hpp"

#include <keywatch/time.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

namespace keywatch::embedded {

/// The clock of a database. It shows the time of another clock, but never goes back, and never
/// leaves bytes::clock_range. So the times of commits are in the order of the commits, what has
/// expired stays expired, and every time computed from it can be stored, whatever the other clock
/// shows.
///
/// Thread safety: all members may be called from any thread.
class MonotonicClock {
public:
    /// Uses the system's clock if `clock` is empty.
    explicit MonotonicClock(Clock clock) : clock_(std::move(clock)) {}

    Time now() const { return advance_to(read_clock()); }

    /// Advances the time to this one, if that is later. Returns the time of the database.
    Time advance_to(Time time) const noexcept
    {
        const Time possible = bytes::in_clock_range(time);
        Time latest = latest_.load(std::memory_order_relaxed);
        while (latest < possible &&
               !latest_.compare_exchange_weak(latest, possible, std::memory_order_relaxed)) {
        }
        return std::max(latest, possible);
    }

    /// Returns the latest time that the database has used. Does not ask the other clock.
    Time latest() const noexcept { return latest_.load(std::memory_order_relaxed); }

    /// Returns how far the time of the database is ahead of the other clock. For so long it does
    /// not advance.
    std::chrono::microseconds lead() const
    {
        const Time read = bytes::in_clock_range(read_clock());
        return advance_to(read) - read;
    }

private:
    Time read_clock() const
    {
        return clock_ ? clock_()
                      : std::chrono::floor<Time::duration>(std::chrono::system_clock::now());
    }

    const Clock clock_;
    /// Orders nothing but itself: where the time must be compared with something else, the code
    /// that reads the time has a fence (BegunTransactions).
    mutable std::atomic<Time> latest_{bytes::in_clock_range(Time::min())};
};

}  // namespace keywatch::embedded
