// SPDX-License-Identifier: BSL-1.0
#include "exception_of.hpp"
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include "async/post.hpp"
#include "async/spawn.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace keywatch::pipeline {

namespace {

bool is_error(const std::exception_ptr& error, const boost::system::error_code& code)
{
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& failure) {
        return failure.code() == code;
    } catch (...) {
        return false;
    }
}

}  // namespace

void WatcherCore::post_wake_up()
{
    // Safe without the mutex: only a watch that runs is woken, and it ends only after it was.
    const auto hold = hold_context();
    if (!hold || !strand_) {
        return;  // its context is gone
    }
    // A plain callback needs no strand: the inbox lets one worker at a time be started.
    const bool direct = !pull_ && is_plain();
    async::post(direct ? run_waiter_.executor() : strand_,
                [self = shared_from_this()] { self->wake_up(); });
}

void WatcherCore::wake_up()
{
    try {
        go_on();
    } catch (...) {
        worker_failed(std::current_exception(), false);
    }
}

void WatcherCore::go_on()
{
    if (is_parked()) {
        settle_batch();
    }
    if (over_) {
        return;
    }
    if (is_plain() && follower_.live()) {
        drain_plain();
    } else {
        spawn_worker();
    }
}

void WatcherCore::drain_plain()
{
    const watch::Signals signals = inbox.signals();
    if (over_ || ended_by(signals)) {
        return;
    }
    if (!has_to_rest(signals)) {
        if (pull_) {
            take_inbox_pulled();
        } else if (auto begun = take_inbox_plain()) {
            spawn_worker(std::move(begun));
            return;
        }
        tell_progress_plain();
    } else if (inbox.rest()) {
        return;
    }
    // What has come meanwhile waits for a turn of its own, so that others have theirs.
    if (!over_ && !is_parked() && !falls_asleep()) {
        start_worker();
    }
}

void WatcherCore::spawn_worker(std::unique_ptr<Delivery> begun)
{
    const auto watchdog = std::make_shared<Watchdog>(strand_, callback_timeout_);
    {
        const std::lock_guard lock(mutex());
        worker_ = watchdog;
    }
    // The handler keeps the signal alive until the coroutine is gone: its slot is in there.
    try {
        async::spawn(
            strand_, work(shared_from_this(), watchdog, std::move(begun)),
            asio::bind_cancellation_slot(
                watchdog->slot(), [self = shared_from_this(), watchdog](std::exception_ptr) {}));
    } catch (const std::bad_alloc&) {
        // Asio may have no memory for the end of a worker that has done its work.
        if (!watchdog->has_begun()) {
            throw;
        }
    }
    if (!is_plain()) {  // then this is the strand
        watchdog->spawned();
    }
}

asio::awaitable<void> WatcherCore::work(std::shared_ptr<WatcherCore> self,
                                        std::shared_ptr<Watchdog> watchdog,
                                        std::unique_ptr<Delivery> begun)
{
    watchdog->begin();
    co_await asio::this_coro::throw_if_cancelled(false);
    // Or the end costs a turn of the loop: co_spawn posts what completes without a suspension.
    co_await async::blink();
    std::exception_ptr error;
    try {
        if (begun) {
            co_await self->deliver_rest(*begun, *watchdog);
            begun.reset();
        }
        co_await self->work_until_idle(*watchdog);
    } catch (...) {
        error = std::current_exception();
    }
    watchdog->end();
    if (error) {
        self->worker_failed(error, watchdog->timed_out());
    }
}

asio::awaitable<void> WatcherCore::work_until_idle(Watchdog& watchdog)
{
    const watch::Budget& budget = inbox.budget();
    const bool together = !pull_ && overflow_ != Overflow::latest;
    SliceReader history(pipeline_->engine(), {budget.messages, budget.bytes, together});
    while (!over_ && !is_parked()) {
        const watch::Signals signals = inbox.signals();
        if (ended_by(signals)) {
            co_return;
        }
        if (start_state_) {
            co_await deliver_state(watchdog);
            continue;
        }
        if (has_to_rest(signals)) {
            if (inbox.rest()) {
                co_return;
            }
            continue;
        }
        const watch::Follower::Step step =
            follower_.next(std::min(pipeline_->routed(), end_at_.load()));
        show_phase();
        switch (step) {
        case watch::Follower::Step::read_history:
            co_await read_history(history, watchdog);
            co_await tell_progress(watchdog);
            break;
        case watch::Follower::Step::join: {
            const Revision routed = co_await pipeline_->join(shared_from_this());
            follower_.joined(routed);
            advanced();
            break;
        }
        case watch::Follower::Step::take:
            co_await take_inbox(watchdog);
            co_await tell_progress(watchdog);
            if (!over_ && !is_parked() && follower_.live()) {
                if (falls_asleep()) {
                    co_return;
                }
                co_await watchdog.turn().yield();
            }
            break;
        case watch::Follower::Step::wait:
            // A poke that comes too early is news, so that it is not slept through.
            pipeline_->wake_at(std::max(follower_.position(), follower_.begins_at()),
                               weak_from_this());
            if (inbox.sleep(false)) {
                co_return;
            }
            co_await async::yield();
            break;
        }
    }
}

asio::awaitable<void> WatcherCore::read_history(SliceReader& history, Watchdog& watchdog)
{
    if (overflow_ == Overflow::latest) {
        co_await read_latest(history, watchdog);
        co_return;
    }
    if (gives_up()) {
        co_await give_up(history, watchdog);
        co_return;
    }
    const engine::HistorySlice* const slice = co_await read_slice(history, follower_.position());
    if (!slice) {
        // Only for a watch whose own callback closes the database: nobody waits for that one.
        finish(EndReason::database_closed, nullptr);
        co_return;
    }
    if (slice->compacted) {
        throw Compacted(follower_.position() + 1, *slice->compacted);
    }
    if (pull_) {
        offer_slice(*slice);
        co_return;
    }
    Tally tally(pipeline_->counters());
    LoopTurn& turn = watchdog.turn();
    for (const watch::SharedCommit& commit : slice->commits) {
        if (turn.was_over()) {
            co_await turn.yield();
        }
        if (interrupted_.load(std::memory_order_acquire)) {
            co_return;
        }
        if (follower_.knows(commit->revision)) {
            continue;
        }
        watch::Selecting selecting(*this, *commit);
        while (!selecting.advance(LoopTurn::steps_a_look)) {
            if (turn.is_over(LoopTurn::steps_a_look)) {
                co_await turn.yield();
            }
        }
        turn.is_over(1);
        const watch::Selection selection = selecting.take();
        if (selection.any) {
            const Commit given = commit_of(*commit, selection.selected);
            const Outcome outcome = co_await deliver(given, watchdog);
            if (settle(given, commit->revision, outcome, selection.messages(*commit), tally)) {
                co_return;
            }
        }
        follower_.delivered(commit->revision);
        advanced();
        if (selection.loses && ended_by_loss(*commit, selection.selected)) {
            co_return;
        }
    }
    follower_.read(slice->reached);
    advanced();
}

asio::awaitable<const engine::HistorySlice*> WatcherCore::read_slice(SliceReader& history,
                                                                     Revision after)
{
    try {
        // Once it has joined there is little left, and the inbox holds something beside it. Who
        // pulls is given the slice as a whole, and this worker ends.
        co_return co_await history.next(after, follower_.up_to(), !pull_ && !follower_.joined());
    } catch (const boost::system::system_error& error) {
        if (error.code() != make_error_code(Error::closed)) {
            throw;
        }
    }
    co_return nullptr;
}

bool WatcherCore::ended_by_loss(const CommitRecord& commit,
                                const std::vector<std::uint32_t>& selected)
{
    if (!lose_buckets(commit, selected)) {
        finish(EndReason::bucket_deleted, nullptr);
        return true;
    }
    if (follower_.joined()) {
        part();
    }
    return false;
}

void WatcherCore::part()
{
    pipeline_->part(shared_from_this());
    goes_away();
}

void WatcherCore::passed(Revision revision)
{
    follower_.delivered(revision);
    advanced();
}

void WatcherCore::took(Revision routed, const Incoming& incoming)
{
    if (incoming.error) {
        std::rethrow_exception(incoming.error);
    }
    const watch::Signals& signals = incoming.taken.signals;
    if (signals.fell_behind) {
        fall_behind(signals.full, signals.overflowed);  // the entries were thrown away
        return;
    }
    follower_.took(std::min(routed, signals.detached_at));
    advanced();
    ended_by(signals);  // it may have come to where it was told to end
}

bool WatcherCore::settle(const Commit& commit, Revision through, Outcome outcome,
                         std::size_t messages, Tally& tally)
{
    if (outcome.whole) {
        if (commit.seen() != 0 && through == commit.revision()) {
            move_within({through, commit.previous(), commit.seen()});
        }
        if (messages > outcome.left_out) {
            tally.delivered(messages - outcome.left_out);
            figures_.delivered(messages - outcome.left_out);
        }
        follower_.delivered(through);
        advanced();
        if (pace_) {
            pace_->delivered(Pace::Clock::now());
        }
    }
    if (outcome.stop) {
        finish(EndReason::stopped, nullptr);
    }
    if (outcome.stop || !outcome.whole || interrupted_.load(std::memory_order_acquire)) {
        follower_.fell_behind();  // the rest of what was taken is not delivered
        return true;
    }
    return false;
}

bool WatcherCore::ended_by(const watch::Signals& signals)
{
    const Revision position = follower_.position();
    std::optional<EndReason> reason;
    if (signals.error) {
        finish(std::nullopt, signals.error);
        return true;
    }
    if (signals.cancel) {
        reason = EndReason::cancelled;
    } else if (signals.stop) {
        reason = EndReason::stopped;
    } else if (position >= signals.detached_at) {
        reason = EndReason::bucket_deleted;
    } else if (signals.drain_at && !start_state_ && position >= *signals.drain_at) {
        reason = EndReason::drained;
    } else if (signals.close_now ||
               (signals.close_at && !start_state_ && position >= *signals.close_at)) {
        reason = EndReason::database_closed;
    }
    if (!reason) {
        return false;
    }
    settle_position();
    finish(reason, nullptr);
    return true;
}

void WatcherCore::worker_failed(const std::exception_ptr& error, bool timed_out)
{
    const watch::Signals signals = inbox.signals();
    const bool aborted = is_error(error, make_error_code(asio::error::operation_aborted));
    if (timed_out) {
        finish(std::nullopt, exception_of(Error::callback_timeout));
    } else if (aborted && signals.error) {
        finish(std::nullopt, signals.error);
    } else if (aborted && signals.cancel) {
        finish(EndReason::cancelled, nullptr);
    } else if (aborted && signals.close_now) {
        finish(EndReason::database_closed, nullptr);
    } else {
        finish(std::nullopt, error);
    }
}

}  // namespace keywatch::pipeline
