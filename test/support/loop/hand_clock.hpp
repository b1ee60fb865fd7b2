// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/time.hpp>

#include <atomic>
#include <chrono>
#include <memory>

namespace keywatch::test {

/// A clock that advances only when the test moves it. Copies are the same clock.
class HandClock {
public:
    Clock clock() const
    {
        return [time = time_] { return time->load(); };
    }
    Time now() const { return time_->load(); }
    void set(Time time) const { time_->store(time); }
    void advance(std::chrono::microseconds by) const { time_->store(now() + by); }

private:
    std::shared_ptr<std::atomic<Time>> time_ =
        std::make_shared<std::atomic<Time>>(Time{std::chrono::hours{24 * 365 * 50}});
};

}  // namespace keywatch::test
