// SPDX-License-Identifier: BSL-1.0
#include "pipeline.hpp"

#include "watcher_core.hpp"

#include "async/small_strand.hpp"
#include "async/untracked_executor.hpp"
#include "async/waiter.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <new>
#include <utility>

namespace keywatch::pipeline {

void Feed::durable(std::shared_ptr<const CommitRecord> commit) noexcept
{
    if (!asleep_.load() && hub_.append(std::move(commit))) {
        wake_collector();
    }
}

void Feed::durable_unseen(Revision revision) noexcept
{
    if (!asleep_.load() && hub_.append_unseen(revision)) {
        wake_collector();
    }
}

void Feed::wake_collector() noexcept
{
    if (const auto pipeline = pipeline_.lock()) {
        pipeline->wake_collector();
    }
}

std::shared_ptr<Pipeline> Pipeline::start(const asio::any_io_executor& executor,
                                          std::shared_ptr<engine::Engine> engine,
                                          std::shared_ptr<Feed> feed, const Options& options)
{
    auto pipeline =
        std::make_shared<Pipeline>(executor, std::move(engine), std::move(feed), options);
    async::ContextService::add(executor, pipeline);
    if (options.enable_watch) {
        pipeline->feed_->attach(pipeline);
        pipeline->start_stages();
    }
    return pipeline;
}

Pipeline::Pipeline(const asio::any_io_executor& executor, std::shared_ptr<engine::Engine> engine,
                   std::shared_ptr<Feed> feed, const Options& options)
    : options_(options),
      engine_(std::move(engine)),
      feed_(std::move(feed)),
      life_(async::ContextService::life(executor)),
      inbox_bytes_(std::make_shared<watch::SharedBytes>(options.watch_bytes)),
      routed_(engine_->durable_head()),
      executor_(executor),
      strand_(async::SmallStrand::on(executor)),
      stage_executor_(async::UntrackedExecutor::on(strand_))
{
}

void Pipeline::wake_collector() noexcept
{
    if (context_gone_) {
        return;
    }
    wake_.notify();
}

void Pipeline::enter(std::shared_ptr<WatcherCore> watcher)
{
    asio::post(strand_, [self = shared_from_this(), watcher = std::move(watcher)] {
        std::exception_ptr error;
        try {
            self->take_in(watcher);
        } catch (...) {
            error = std::current_exception();
        }
        if (error) {
            watcher->refuse(error);
        }
    });
}

void Pipeline::take_in(const std::shared_ptr<WatcherCore>& watcher)
{
    watcher->use_executor(executor_);
    if (error_) {
        std::rethrow_exception(error_);
    }
    if (draining_) {
        keywatch::fail(Error::closed);
    }
    running_.push_back(watcher);
    if (running_.size() == 1) {
        rouse_feed();
    }
    add_alone(counters_.entered, 1);
    watcher->entered(running_.size() - 1);
}

asio::awaitable<Revision> Pipeline::join(std::shared_ptr<WatcherCore> watcher)
{
    // The frame of this coroutine may be destroyed with its context before the strand has its turn.
    const auto joined_at = std::make_shared<Revision>(0);
    if (context_gone_) {
        keywatch::fail(Error::closed);
    }
    auto join = [&](async::Waiter waiter) {
        post_change({Change::Kind::join, watcher, std::move(waiter), joined_at});
    };
    co_await async::suspend(join);
    co_return *joined_at;
}

void Pipeline::part(std::shared_ptr<WatcherCore> watcher)
{
    post_change({Change::Kind::part, std::move(watcher)});
}

void Pipeline::leave(std::shared_ptr<WatcherCore> watcher)
{
    post_change({Change::Kind::leave, std::move(watcher)});
}

bool Pipeline::is_running(const WatcherCore& watcher) const
{
    const std::size_t place = watcher.place();
    return place < running_.size() && running_[place].get() == &watcher;
}

void Pipeline::forget(const WatcherCore& watcher)
{
    if (!is_running(watcher)) {
        return;  // the watch was refused
    }
    const std::size_t place = watcher.place();
    running_[place] = std::move(running_.back());
    running_[place]->set_place(place);
    running_.pop_back();
    add_alone(counters_.ended, 1);
    if (running_.empty()) {
        feed_->sleep();
    }
}

/// Resumes the feed, and moves R to the durable head. No watch is in the index yet, so no commit up
/// to the head has to be pushed. Commits up to the head that are still on their way are not routed:
/// see route().
void Pipeline::rouse_feed()
{
    feed_->rouse();
    set_routed(engine_->durable_head());
}

void Pipeline::wake_at(Revision revision, std::weak_ptr<WatcherCore> watcher)
{
    if (context_gone_) {
        return;
    }
    asio::post(strand_, [self = shared_from_this(), revision, watcher = std::move(watcher)] {
        const auto core = watcher.lock();
        if (!core) {
            return;
        }
        Revision next = revision;
        if (revision <= self->routed()) {
            core->poke();
            next = core->next_wake(self->routed());
        } else {
            self->clean_up_wakes();
        }
        try {
            if (next != 0) {
                self->wakes_.insert({next, watcher});
            }
        } catch (...) {
            core->fail(std::current_exception());
        }
    });
}

void Pipeline::wake_reached() noexcept
{
    LoopTurn turn;
    while (!wakes_.empty() && wakes_.begin()->revision <= routed()) {
        auto wake = wakes_.extract(wakes_.begin());
        if (const auto watcher = wake.value().watcher.lock()) {
            watcher->poke();
            wake.value().revision = watcher->next_wake(routed());
            if (wake.value().revision != 0) {
                wakes_.insert(std::move(wake));
            }
        }
        if (turn.is_over(1) && post_wake_reached()) {
            return;
        }
    }
}

bool Pipeline::post_wake_reached() noexcept
{
    try {
        asio::post(strand_, [self = shared_from_this()] { self->wake_reached(); });
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

void Pipeline::clean_up_wakes()
{
    for (int looks = 0; looks < 2 && !wakes_.empty() && !draining_; ++looks) {
        auto at = wakes_.upper_bound(looked_at_);
        at = at == wakes_.end() ? wakes_.begin() : at;
        looked_at_ = *at;
        const auto watcher = at->watcher.lock();
        if (!watcher || !watcher->waits_for(at->revision)) {
            wakes_.erase(at);
        }
    }
}

void Pipeline::fail(std::exception_ptr error)
{
    error_ = error;
    for (const auto& watcher : running_) {
        watcher->fail(error);
    }
}

void Pipeline::context_shutdown() noexcept
{
    // Everything that belongs to the context is released now. The service destroys the coroutines
    // that wait on it. Those of other contexts are completed here.
    context_gone_ = true;
    closing_ = true;
    drained_ = true;
    tell_closed(
        std::make_exception_ptr(boost::system::system_error(make_error_code(Error::closed))));
    const auto running = std::exchange(running_, {});
    add_alone(counters_.ended, running.size());
    const auto watchers = registry_.all();
    distributor_.forget_all();
    const auto changes = std::exchange(changes_, {});
    wakes_.clear();
    timetable_.clear();
    for (const auto& watcher : watchers) {
        watcher->context_shutdown();
    }
    closers_.clear();
    stage_executor_ = asio::any_io_executor();
    strand_ = asio::any_io_executor();
    executor_ = asio::any_io_executor();
}

}  // namespace keywatch::pipeline
