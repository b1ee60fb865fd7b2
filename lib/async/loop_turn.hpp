// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "waiter.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>

namespace keywatch::async {

namespace asio = boost::asio;

/// Measures how long a worker or a stage has been running since other work of the event loop last
/// had a turn. The clock is read once for many steps.
class LoopTurn {
public:
    using Clock = std::chrono::steady_clock;

    /// Number of steps after which the clock is read.
    static constexpr std::size_t steps_a_look = 256;
    /// The time after which a turn is over. A turn does not take much longer.
    static constexpr std::chrono::microseconds longest{200};

    /// Counts steps that have been made. Returns true if other work should have its turn.
    bool is_over(std::size_t steps) noexcept
    {
        steps_ += steps;
        return steps_ >= steps_a_look && is_over_at(Clock::now());
    }
    /// Same as `is_over`, for a caller that has read the clock.
    bool is_over_at(Clock::time_point now) noexcept
    {
        steps_ = 0;
        if (began_ == Clock::time_point()) {
            began_ = now;
        }
        over_ = now - began_ >= longest;
        return over_;
    }
    /// Returns the result of the last check of the clock.
    bool was_over() const noexcept { return over_; }
    /// Begins a new turn, after other work has had its turn.
    void begin() noexcept
    {
        steps_ = 0;
        over_ = false;
        began_ = {};
    }
    /// Lets other work have its turn, then begins a new turn.
    asio::awaitable<void> yield()
    {
        begin();
        return async::yield();
    }

private:
    std::size_t steps_ = 0;
    bool over_ = false;
    Clock::time_point began_{};
};

}  // namespace keywatch::async
