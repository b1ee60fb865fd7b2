// SPDX-License-Identifier: BSL-1.0
#include "timekeeper.hpp"

#include "async/loop_turn.hpp"
#include "published.hpp"

#include "async/spawn.hpp"
#include "async/wait.hpp"

#include <boost/asio/this_coro.hpp>

#include <exception>
#include <new>
#include <thread>
#include <utility>

namespace keywatch::pipeline {

void Timekeeper::wake_at(std::chrono::steady_clock::time_point time,
                         std::weak_ptr<WatcherInterface> watcher)
{
    if (strand_.is_gone()) {
        return;
    }
    strand_.post([self = strand_.share(this), time, weak = std::move(watcher)] {
        const SharedWatcher locked = weak.lock();
        if (locked && !self->stopping_ && self->running_.contains(*locked)) {
            self->add(locked, time);
        }
    });
}

void Timekeeper::add(const SharedWatcher& watcher, std::chrono::steady_clock::time_point time)
{
    try {
        timetable_.add(watcher, time);
        start();
    } catch (...) {
        watcher->fail(std::current_exception());
    }
}

void Timekeeper::start()
{
    if (keeps_time_) {
        look_again();
        return;
    }
    keeps_time_ = true;
    try {
        async::spawn(strand_.stage_executor(), keep_time(strand_.share(this)),
                     [self = strand_.share(this)](std::exception_ptr error) {
                         if (error) {
                             self->events_.stage_failed(std::move(error));
                         }
                     });
    } catch (...) {
        keeps_time_ = false;
        throw;
    }
}

void Timekeeper::remove(const WatcherInterface& watcher)
{
    if (!timetable_.empty()) {
        timetable_.remove(watcher);
        look_again();
    }
}

void Timekeeper::look_again()
{
    if (timer_ && timetable_.next() != timer_->expiry()) {
        timer_->cancel();
    }
}

void Timekeeper::stop() noexcept
{
    stopping_ = true;
    if (timer_) {
        timer_->cancel();
    }
}

asio::awaitable<void> Timekeeper::keep_time(std::shared_ptr<Timekeeper> self)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    const Published published(self->timer_, timer);
    while (!self->stopping_ && !self->timetable_.empty()) {
        timer.expires_at(*self->timetable_.next());
        try {
            co_await async::wait(timer);
        } catch (const std::bad_alloc&) {
            std::this_thread::sleep_for(std::chrono::milliseconds{1});  // there may be memory then
        }
        const auto now = std::chrono::steady_clock::now();
        // If more are due, then the timer expires at once, after a turn of the loop.
        for (const auto& each : self->timetable_.take_due(now, async::LoopTurn::steps_a_look)) {
            watcher_of(each).wake();
        }
    }
    self->keeps_time_ = false;
}

}  // namespace keywatch::pipeline
