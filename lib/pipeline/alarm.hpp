// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/system_executor.hpp>

#include <chrono>
#include <mutex>

namespace keywatch::pipeline {

namespace asio = boost::asio;

/// Longer than this nothing is waited for, as what is added to the time of now must not overflow.
inline constexpr std::chrono::hours longest_wait{24 * 365};

/// A timer that is set by one thread while another one may be done with it already.
class Alarm {
public:
    explicit Alarm(const asio::any_io_executor& executor) : timer_(executor) {}

    /// `function` is called where the loop runs, and must not throw.
    template <class Function>
    void set(std::chrono::milliseconds time, Function function)
    {
        const std::lock_guard lock(mutex_);
        if (ended_) {
            return;
        }
        timer_.expires_after(time);
        // Called in place: a call on the timer's executor would need an allocation.
        timer_.async_wait(asio::bind_executor(asio::system_executor(),
                                              [function](const boost::system::error_code& error) {
                                                  if (!error) {
                                                      function();
                                                  }
                                              }));
    }

    struct End {
        Alarm& alarm;
        ~End()
        {
            const std::lock_guard lock(alarm.mutex_);
            alarm.ended_ = true;
            alarm.timer_.cancel();
        }
    };

private:
    std::mutex mutex_;
    asio::steady_timer timer_;
    bool ended_ = false;
};

}  // namespace keywatch::pipeline
