// SPDX-License-Identifier: BSL-1.0
#include "watchdog.hpp"

#include "async/post.hpp"

namespace keywatch::pipeline {

namespace {

// As far in the future as the clock can be asked to wait.
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

void Watchdog::look_later()
{
    looking_ = true;
    async::post(strand_, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
            self->look();
        }
    });
}

void Watchdog::look()
{
    if (running_) {
        arm();
    } else {
        looking_ = false;
    }
}

void Watchdog::arm()
{
    if (!timer_) {
        timer_.emplace(strand_);
    }
    timer_->expires_at(began_ + timeout_);
    timer_->async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        const auto self = weak.lock();
        if (self && !error) {
            self->time_is_over();
        }
    });
}

void Watchdog::time_is_over()
{
    if (!running_) {
        looking_ = false;
    } else if (Clock::now() < began_ + timeout_) {
        arm();  // for a later callback than the one it was armed for
    } else {
        give_last_turn();
    }
}

void Watchdog::give_last_turn()
{
    async::post(strand_, [weak = weak_from_this(), callback = callback_] {
        const auto self = weak.lock();
        if (!self) {
            return;
        }
        if (!self->running_ || self->callback_ != callback) {
            self->look();
            return;
        }
        self->timed_out_ = true;
        self->cancel();
    });
}

}  // namespace keywatch::pipeline
