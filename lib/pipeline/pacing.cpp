// SPDX-License-Identifier: BSL-1.0
// What a watch does by the clock, and who wakes it for that.
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

bool WatcherCore::has_to_rest(const watch::Signals& signals)
{
    const bool live = follower_.live();
    if (!pace_ || !pace_->is_early(Pace::Clock::now(), live) || signals.close_at ||
        signals.drain_at || signals.bucket_deleted || (live && inbox.empty())) {
        return false;
    }
    pipeline_->call_at(pace_->next(), weak_from_this());
    return true;
}

bool WatcherCore::falls_asleep()
{
    if (!follower_.live()) {
        return false;
    }
    if (pace_) {
        if (const auto time = pace_->look_at(Pace::Clock::now())) {
            pipeline_->call_at(*time, weak_from_this());
        }
    }
    return inbox.sleep(true);
}

std::optional<watch::Entry> WatcherCore::progress_to_tell()
{
    if (!pace_ || over_ || is_parked() || interrupted_.load(std::memory_order_acquire) ||
        !pace_->progress_is_due(Pace::Clock::now())) {
        return std::nullopt;
    }
    const Revision position = follower_.position();
    watch::Marker marker;
    marker.operation = Operation::progress;
    marker.revision = position;
    marker.previous = position;
    marker.time = pipeline_->engine().now();
    return watch::Entry{watch::make_marker(marker), {}};
}

asio::awaitable<void> WatcherCore::tell_progress(Watchdog& watchdog)
{
    const std::optional<watch::Entry> entry = progress_to_tell();
    if (!entry) {
        co_return;
    }
    if (pull_) {
        offer_progress(*entry);
        co_return;
    }
    Tally tally(pipeline_->counters());
    const Commit commit = commit_of(*entry);
    const Outcome outcome = co_await deliver(commit, watchdog);
    settle(commit, follower_.position(), outcome, 1, tally);
}

void WatcherCore::tell_progress_plain()
{
    const std::optional<watch::Entry> entry = progress_to_tell();
    if (!entry) {
        return;
    }
    if (pull_) {
        offer_progress(*entry);
        return;
    }
    Tally tally(pipeline_->counters());
    const Commit commit = commit_of(*entry);
    LoopTurn turn;
    watch::Wanted wanted(commit, predicate_at_delivery());
    std::size_t at = 0;
    // One message is never cut into two.
    settle(commit, follower_.position(), call_plain(wanted, at, turn).value(), 1, tally);
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
            std::this_thread::sleep_for(std::chrono::milliseconds{1});  // there may be some by then
        }
        const auto now = std::chrono::steady_clock::now();
        // What is left is due at once, after a turn of the loop.
        for (const auto& each : self->timetable_.take_due(now, LoopTurn::steps_a_look)) {
            static_cast<WatcherCore&>(*each).poke();
        }
    }
    self->keeps_time_ = false;
}

}  // namespace keywatch::pipeline
