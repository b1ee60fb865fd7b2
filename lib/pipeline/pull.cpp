// SPDX-License-Identifier: BSL-1.0
#include "pull.hpp"

#include "pipeline.hpp"
#include "watcher_core.hpp"

#include <keywatch/error.hpp>

#include <algorithm>
#include <utility>

namespace keywatch::pipeline {

namespace {

/// Lets one consumer wait at a time.
class OnlyOne {
public:
    explicit OnlyOne(std::atomic<bool>& waiting) : waiting_(waiting)
    {
        if (waiting_.exchange(true)) {
            throw boost::system::system_error(make_error_code(Error::already_running));
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

// What the consumer calls.

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
            // Once it is in the list, the coroutine may go on, and end, on another thread.
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

// What the worker does.

void WatcherCore::offer_slice(engine::HistorySlice slice)
{
    std::vector<watch::Entry> entries;
    for (watch::SharedCommit& commit : slice.commits) {
        if (follower_.knows(commit->revision)) {
            continue;
        }
        watch::Selection selection = watch::select(*this, *commit);
        if (selection.any) {
            entries.push_back({commit, std::move(selection.selected)});
        }
        if (selection.loses) {
            offer_history(std::move(entries), {commit->revision, commit});
            return;
        }
    }
    offer_history(std::move(entries), {slice.reached});
}

void WatcherCore::offer_history(std::vector<watch::Entry> entries, const Gathered& gathered)
{
    Pull::Rest rest;
    rest.through = gathered.reached;
    rest.error = gathered.error;
    if (gathered.loses) {
        rest.bucket_deleted = !lose_buckets(*gathered.loses, {});
        if (!rest.bucket_deleted && follower_.joined()) {
            part();  // the index still has what was lost
        }
    }
    offer(std::move(entries), rest);
}

void WatcherCore::offer_inbox(Incoming incoming, Revision routed)
{
    const watch::Signals& signals = incoming.taken.signals;
    for (const watch::Entry& entry : incoming.taken.entries) {
        if (entry.loses) {
            lose_buckets(*entry.commit, entry.selected);
        }
    }
    Pull::Rest rest{.through = std::min(routed, signals.detached_at),
                    .of_inbox = true,
                    .fell_behind = signals.fell_behind,
                    .full = signals.full,
                    .overflowed = signals.overflowed};
    if (incoming.error) {
        rest = {.through = incoming.before_error, .error = incoming.error};
    }
    offer(std::move(incoming.taken.entries), std::move(rest));
    if (!over_ && !is_parked()) {
        ended_by(signals);  // it may have come to where it was told to end
    }
}

void WatcherCore::offer_progress(watch::Entry entry)
{
    Pull::Rest rest;
    rest.through = follower_.position();
    std::vector<watch::Entry> entries;
    entries.push_back(std::move(entry));
    offer(std::move(entries), rest);
}

void WatcherCore::offer(std::vector<watch::Entry> entries, Pull::Rest rest)
{
    if (const watch::Predicate* const predicate = predicate_at_delivery()) {
        watch::WantedEntries wanted = watch::wanted_of(std::move(entries), *predicate);
        entries = std::move(wanted.entries);
        if (wanted.error) {
            rest = {.through = wanted.before_error, .error = wanted.error};
        }
    }
    if (entries.empty()) {
        pass(rest);
        return;
    }
    for (watch::Entry& each : entries) {
        each.seen = seen_of(*each.commit, each.selected);
    }
    begin_delivery(entries);
    const std::uint64_t batch = pull_->outbox.offer(std::move(entries));
    if (batch == 0) {
        follower_.fell_behind();  // what was taken is not delivered
        return;
    }
    pull_->rest = std::move(rest);
    pull_->parked = true;  // nobody sees it before this returns, as all of that is on the strand
    pull_->batches->reach(batch);
}

void WatcherCore::settle_batch()
{
    pull_->parked = false;
    const watch::Outbox::Settled settled = pull_->outbox.settle();
    follower_.delivered(settled.delivered);
    advanced();
    if (pace_) {
        pace_->delivered(Pace::Clock::now());
    }
    if (settled.whole) {
        pass(pull_->rest);
    } else {
        follower_.fell_behind();  // the rest of what was taken is not delivered
    }
}

void WatcherCore::pass(const Pull::Rest& rest)
{
    if (rest.fell_behind) {
        fall_behind(rest.full, rest.overflowed);
        return;
    }
    if (rest.of_inbox) {
        follower_.took(rest.through);
    } else {
        follower_.read(rest.through);
    }
    advanced();
    if (rest.error) {
        finish(std::nullopt, rest.error);
    } else if (rest.bucket_deleted) {
        finish(EndReason::bucket_deleted, nullptr);
    }
}

}  // namespace keywatch::pipeline
