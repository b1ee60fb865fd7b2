// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/system_executor.hpp>

#include <chrono>
#include <mutex>

namespace keywatch::delivery {

namespace asio = boost::asio;

/// The longest timeout. A longer one is shortened to this, so that adding it to the current time
/// does not overflow.
inline constexpr std::chrono::hours longest_wait{24 * 365};

/// A timer that one thread may set even though another thread has ended it already.
class CancellableTimer {
public:
    explicit CancellableTimer(const asio::any_io_executor& executor) : timer_(executor) {}

    /// Calls `function` after this time, on a thread that runs the event loop. `function` must not
    /// throw. If the timer has ended, does nothing.
    template <class Function>
    void set(std::chrono::milliseconds time, Function function)
    {
        const std::lock_guard lock(mutex_);
        if (ended_) {
            return;
        }
        timer_.expires_after(time);
        // The handler is called in place: a call on the timer's executor would need an allocation.
        timer_.async_wait(asio::bind_executor(asio::system_executor(),
                                              [function](const boost::system::error_code& error) {
                                                  if (!error) {
                                                      function();
                                                  }
                                              }));
    }

    /// Ends the timer when it is destroyed: cancels the timer, which cannot be set from then on.
    struct End {
        CancellableTimer& timer;
        ~End()
        {
            const std::lock_guard lock(timer.mutex_);
            timer.ended_ = true;
            timer.timer_.cancel();
        }
    };

private:
    std::mutex mutex_;
    asio::steady_timer timer_;
    bool ended_ = false;
};

}  // namespace keywatch::delivery
