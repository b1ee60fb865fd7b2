// SPDX-License-Identifier: BSL-1.0
#include "watchdog.hpp"

#include "async/post.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/system_executor.hpp>

#include <new>

namespace keywatch::delivery {

namespace {

// The longest timeout. With a longer one, the sum with the current time would overflow.
constexpr std::chrono::hours longest{24 * 365};

}  // namespace

Watchdog::Watchdog(const asio::any_io_executor& strand, std::chrono::milliseconds timeout)
    : strand_(strand), timeout_(timeout < longest ? timeout : std::chrono::milliseconds(longest))
{
}

void Watchdog::cancel()
{
    if (!ended_) {
        signal_.emit(asio::cancellation_type::terminal);
    }
}

void Watchdog::end() noexcept
{
    ended_ = true;
    running_ = false;
    timer_.reset();
}

void Watchdog::spawned()
{
    looking_ = false;
    if (running_) {
        look_later();
    }
}

void Watchdog::callback_begins()
{
    began_ = Clock::now();
    running_ = true;
    ++callback_;
    if (!looking_) {
        look_later();
    }
}

void Watchdog::look_later() noexcept
{
    looking_ = true;
    try {
        async::post(strand_, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) {
                self->look();
            }
        });
    } catch (const std::bad_alloc&) {
        looking_ = false;  // the next callback tries again
    }
}

void Watchdog::look() noexcept
{
    if (!running_) {
        looking_ = false;
        return;
    }
    try {
        arm();
    } catch (const std::bad_alloc&) {
        looking_ = false;  // as above
    }
}

void Watchdog::arm()
{
    if (!timer_) {
        timer_.emplace(strand_);
    }
    timer_->expires_at(began_ + timeout_);
    // The handler is called in place, not on the strand: for that Asio would allocate, and an error
    // would reach no caller.
    timer_->async_wait(asio::bind_executor(
        asio::system_executor(), [weak = weak_from_this()](const boost::system::error_code& error) {
            const auto self = weak.lock();
            if (self && !error) {
                self->post_time_is_over();
            }
        }));
}

/// Posts the check of the time to the strand. If there is no memory for that, the callback that is
/// running is not cancelled.
void Watchdog::post_time_is_over() noexcept
{
    try {
        async::post(strand_, [self = shared_from_this()] { self->time_is_over(); });
    } catch (const std::bad_alloc&) {
        // The watch continues.
    }
}

void Watchdog::time_is_over()
{
    if (!running_) {
        looking_ = false;
    } else if (Clock::now() < began_ + timeout_) {
        look();  // the timer was armed for an earlier callback
    } else {
        give_last_turn();
    }
}

void Watchdog::give_last_turn()
{
    try {
        async::post(strand_, [weak = weak_from_this(), callback = callback_] {
            const auto self = weak.lock();
            if (!self) {
                return;
            }
            if (!self->running_ || self->callback_ != callback) {
                self->look();
            } else {
                self->time_out();
            }
        });
    } catch (const std::bad_alloc&) {
        time_out();
    }
}

void Watchdog::time_out()
{
    timed_out_ = true;
    cancel();
}

}  // namespace keywatch::delivery
