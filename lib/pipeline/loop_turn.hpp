// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/waiter.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>

namespace keywatch::pipeline {

namespace asio = boost::asio;

/// How long a worker or a stage has been running since the event loop last had a turn for others.
/// The clock is read once for many steps.
class LoopTurn {
public:
    using Clock = std::chrono::steady_clock;

    /// After so many steps the clock is read.
    static constexpr std::size_t steps_a_look = 256;
    /// A turn takes not much longer.
    static constexpr std::chrono::microseconds longest{200};

    /// Counts steps that were made. Returns whether others should have their turn.
    bool is_over(std::size_t steps) noexcept
    {
        steps_ += steps;
        return steps_ >= steps_a_look && is_over_at(Clock::now());
    }
    /// The same for a caller that has read the clock.
    bool is_over_at(Clock::time_point now) noexcept
    {
        steps_ = 0;
        if (began_ == Clock::time_point()) {
            began_ = now;
        }
        over_ = now - began_ >= longest;
        return over_;
    }
    /// Returns what the last look at the clock said.
    bool was_over() const noexcept { return over_; }
    /// Others have had their turn.
    void begin() noexcept
    {
        steps_ = 0;
        over_ = false;
        began_ = {};
    }
    /// Lets others have their turn.
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

}  // namespace keywatch::pipeline
