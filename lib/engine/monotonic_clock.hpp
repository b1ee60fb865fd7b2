// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/time.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

namespace keywatch::engine {

/// The time of a database: as a clock tells it, but never earlier than what was told before. So
/// commits are dated in their order, and what has expired does not come back.
///
/// Thread safety: all members, from any thread.
class MonotonicClock {
public:
    /// An empty one: the system's.
    explicit MonotonicClock(Clock clock) : clock_(std::move(clock)) {}

    Time now() const
    {
        const Time told =
            clock_ ? clock_()
                   : std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now());
        return seen(told);
    }

    /// From now on it is not earlier than this. Gives what it is.
    Time seen(Time time) const noexcept
    {
        Time latest = latest_.load(std::memory_order_relaxed);
        while (latest < time && !latest_.compare_exchange_weak(latest, time)) {
        }
        return std::max(latest, time);
    }

private:
    const Clock clock_;
    mutable std::atomic<Time> latest_{Time::min()};
};

}  // namespace keywatch::engine
