// SPDX-License-Identifier: BSL-1.0
// Times the deliveries and the progress markers of a watch, and wakes its worker for them.
#include "pipeline.hpp"
#include "published.hpp"
#include "watcher_core.hpp"

#include "async/spawn.hpp"
#include "async/wait.hpp"
#include "watch/marker.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <new>
#include <thread>
#include <utility>

namespace keywatch::pipeline {

void WatcherCore::begin_delivery(const Batch& batch)
{
    if (pace_ && !batch.entries.empty()) {
        pace_->begins(Pace::Clock::now(), fsm_.is_live());
    }
}

bool WatcherCore::is_early(bool may_wait)
{
    const bool live = fsm_.is_live();
    if (!pace_->is_early(Pace::Clock::now(), live) || !may_wait || (live && inbox.empty())) {
        return false;
    }
    pipeline_->call_at(pace_->next(), weak_from_this());
    return true;
}

void WatcherCore::look_at_progress_later()
{
    if (pace_) {
        if (const auto time = pace_->look_at(Pace::Clock::now())) {
            pipeline_->call_at(*time, weak_from_this());
        }
    }
}

bool WatcherCore::tells_progress(Batch& batch)
{
    if (interrupted_.load(std::memory_order_acquire) ||
        !pace_->progress_is_due(Pace::Clock::now())) {
        return false;
    }
    const Revision position = fsm_.position();
    watch::Marker marker;
    marker.operation = Operation::progress;
    marker.revision = position;
    marker.previous = position;
    marker.time = pipeline_->engine().now();
    batch.clear();
    batch.entries.push_back({watch::make_marker(marker), {}});
    return true;
}

void Pipeline::call_at(std::chrono::steady_clock::time_point time,
                       std::weak_ptr<WatcherCore> watcher)
{
    if (context_gone_) {
        return;
    }
    asio::post(strand_, [self = shared_from_this(), time, watcher = std::move(watcher)] {
        const auto core = watcher.lock();
        if (!core || self->stopping_ || !self->is_running(*core)) {
            return;
        }
        try {
            self->timetable_.add(core, time);
            self->start_timekeeper();
        } catch (...) {
            core->fail(std::current_exception());
        }
    });
}

void Pipeline::start_timekeeper()
{
    if (keeps_time_) {
        wake_timekeeper();
        return;
    }
    keeps_time_ = true;
    ++stages_;
    try {
        async::spawn(stage_executor_, keep_time(shared_from_this()),
                     [self = shared_from_this()](std::exception_ptr error) {
                         self->stage_ended(std::move(error));
                     });
    } catch (...) {
        keeps_time_ = false;
        --stages_;
        throw;
    }
}

void Pipeline::call_off(const WatcherCore& watcher)
{
    if (!timetable_.empty()) {
        timetable_.remove(watcher);
        wake_timekeeper();
    }
}

void Pipeline::wake_timekeeper()
{
    if (timer_ && timetable_.next() != timer_->expiry()) {
        timer_->cancel();
    }
}

asio::awaitable<void> Pipeline::keep_time(std::shared_ptr<Pipeline> self)
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
        for (const auto& each : self->timetable_.take_due(now, LoopTurn::steps_a_look)) {
            static_cast<WatcherCore&>(*each).poke();
        }
    }
    self->keeps_time_ = false;
}

}  // namespace keywatch::pipeline
