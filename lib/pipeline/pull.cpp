// SPDX-License-Identifier: BSL-1.0
#include "pull.hpp"

#include "pipeline.hpp"
#include "watcher_core.hpp"

#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <algorithm>
#include <utility>

namespace keywatch::pipeline {

namespace {

/// Lets one consumer wait at a time. If another one is waiting, throws `already_running`.
class OnlyOne {
public:
    explicit OnlyOne(std::atomic<bool>& waiting) : waiting_(waiting)
    {
        if (waiting_.exchange(true)) {
            fail(Error::already_running);
        }
    }
    OnlyOne(const OnlyOne&) = delete;
    OnlyOne& operator=(const OnlyOne&) = delete;
    ~OnlyOne() { waiting_.store(false); }

private:
    std::atomic<bool>& waiting_;
};

}  // namespace

WatcherCore::WatcherCore(std::shared_ptr<Pipeline> pipeline, const Selectors& selectors,
                         const WatchOptions& options, const Position& start)
    : WatcherCore(std::move(pipeline), selectors, WatchCallback([](const Commit&) {}), options,
                  start, std::make_unique<Pull>())
{
}

// Functions that the consumer calls.

asio::awaitable<bool> WatcherCore::wait(std::shared_ptr<WatcherCore> self)
{
    const OnlyOne only_one(self->pull_->waiting);
    self->begin_pulled();
    while (true) {
        const watch::Outbox::Answer answer = self->pull_->outbox.look();
        self->heed(answer);
        if (answer.there) {
            co_return true;
        }
        if (self->is_over()) {
            co_return false;
        }
        const auto wait_for_more = [&](async::Waiter waiter) {
            // The list is copied first: once the waiter is in the list, another thread may resume
            // the coroutine and end it.
            const std::shared_ptr<async::WaiterList> batches = self->pull_->batches;
            batches->add(std::move(waiter), answer.batches + 1);
        };
        co_await async::suspend(wait_for_more);
    }
}

void WatcherCore::begin_pulled()
{
    {
        const std::lock_guard lock(mutex());
        if (ran_) {
            return;
        }
    }
    begin();
    try {
        pipeline_->enter(shared_from_this());
    } catch (...) {
        fsm_.abandon();
        finish(std::nullopt, std::current_exception());
        throw;
    }
}

watch::Outbox::Answer WatcherCore::take()
{
    watch::Outbox::Answer answer = pull_->outbox.take();
    heed(answer);
    return answer;
}

void WatcherCore::heed(const watch::Outbox::Answer& answer)
{
    if (answer.within.seen != 0) {
        move_within(answer.within);
    }
    raise_position(answer.delivered);
    if (answer.messages != 0) {
        Tally(pipeline_->counters()).delivered(answer.messages);
        figures_.delivered(answer.messages);
        if (pipeline_->closing()) {
            pipeline_->consumer_asked();
        }
    }
    if (awaited_.load()) {
        waiters()->reached->reach(answer.delivered);
    }
    if (answer.handed_back) {
        start_worker();
    }
}

bool WatcherCore::is_over() const
{
    const std::lock_guard lock(mutex());
    if (error_) {
        std::rethrow_exception(error_);
    }
    return state_ == State::ended;
}

std::optional<WatchEnd> WatcherCore::ended() const
{
    std::optional<EndReason> reason;
    {
        const std::lock_guard lock(mutex());
        reason = reason_;
    }
    return reason ? std::optional(WatchEnd{*reason, position()}) : std::nullopt;
}

// Functions that the worker calls.

WatcherCore::Action WatcherCore::offer(Batch& batch)
{
    for (const watch::Entry& each : batch.entries) {
        if (each.loses) {
            lose_buckets(*each.commit, each.selected);
        }
    }
    if (const watch::Predicate* const predicate = predicate_at_delivery()) {
        watch::WantedEntries wanted = watch::wanted_of(std::move(batch.entries), *predicate);
        batch.entries = std::move(wanted.entries);
        if (wanted.error) {
            batch.error = wanted.error;
            fsm_.ends_in_error(wanted.before_error);
        }
    }
    if (batch.entries.empty()) {
        return fsm_.delivered();
    }
    for (watch::Entry& each : batch.entries) {
        each.seen = seen_of(*each.commit, each.selected);
    }
    const std::uint64_t number = pull_->outbox.offer(std::move(batch.entries));
    if (number == 0) {
        return fsm_.not_taken();
    }
    pull_->ends_bucket = std::move(batch.ends_bucket);
    pull_->error = std::move(batch.error);
    // The next worker does not run before this one returns, because both are on the strand.
    const Action action = fsm_.parked();
    pull_->batches->reach(number);
    return action;
}

WatcherCore::Action WatcherCore::take_back(Batch& batch)
{
    const watch::Outbox::Settled settled = pull_->outbox.settle();
    batch.ends_bucket = std::move(pull_->ends_bucket);
    batch.error = std::move(pull_->error);
    if (pace_) {
        pace_->delivered(Pace::Clock::now());
    }
    const Action action = fsm_.handed_back(settled.delivered, settled.whole);
    advanced();
    return action;
}

}  // namespace keywatch::pipeline
