// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "bytes/time_range.hpp"

#include <keywatch/time.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

namespace keywatch::engine {

/// The time of a database: as a clock tells it, but never earlier than before, and never out of
/// bytes::clock_range. So commits are dated in their order, what has expired does not come back,
/// and every time that is made of it can be stored, whatever the clock tells.
///
/// Thread safety: all members, from any thread.
class MonotonicClock {
public:
    /// An empty one: the system's.
    explicit MonotonicClock(Clock clock) : clock_(std::move(clock)) {}

    Time now() const { return seen(told()); }

    /// From now on it is not earlier than this. Returns the time of the database.
    Time seen(Time time) const noexcept
    {
        const Time possible = bytes::in_clock_range(time);
        Time latest = latest_.load(std::memory_order_relaxed);
        while (latest < possible && !latest_.compare_exchange_weak(latest, possible)) {
        }
        return std::max(latest, possible);
    }

    /// The time of the database when it was last needed. Does not ask the clock.
    Time latest() const noexcept { return latest_.load(std::memory_order_relaxed); }

    /// How far the time of the database is ahead of what the clock tells: for so long it stands
    /// still.
    std::chrono::microseconds lead() const
    {
        const Time told = bytes::in_clock_range(this->told());
        return seen(told) - told;
    }

private:
    Time told() const
    {
        return clock_ ? clock_()
                      : std::chrono::floor<Time::duration>(std::chrono::system_clock::now());
    }

    const Clock clock_;
    mutable std::atomic<Time> latest_{bytes::in_clock_range(Time::min())};
};

}  // namespace keywatch::engine
