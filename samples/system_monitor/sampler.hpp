// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "figures.hpp"

#include <keywatch/keywatch.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>

namespace system_monitor {

namespace asio = boost::asio;
namespace kw = keywatch;

/// A sampler that commits this machine's figures at fixed intervals, one transaction for each
/// sample.
class Sampler {
public:
    using Clock = std::chrono::steady_clock;

    Sampler(const asio::any_io_executor& executor, std::chrono::milliseconds interval)
        : timer_(executor), interval_(interval)
    {
    }

    /// Samples until `end`, or until `stop()` is called.
    asio::awaitable<void> run(kw::Database db, Clock::time_point end);

    /// Makes `run()` return after the commit in progress.
    void stop();

    std::uint64_t commits() const { return commits_; }

private:
    asio::awaitable<bool> wait_until(Clock::time_point time);

    asio::steady_timer timer_;
    std::chrono::milliseconds interval_;
    bool stopped_ = false;
    std::uint64_t commits_ = 0;
};

}  // namespace system_monitor
