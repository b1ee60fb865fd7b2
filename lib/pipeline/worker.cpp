// SPDX-License-Identifier: BSL-1.0
// The worker of a watch: performs what its DeliveryFsm decides, and decides nothing itself.
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include "async/post.hpp"
#include "async/spawn.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

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
    // The mutex is not needed: only a watch that runs is woken, and it does not end before it was
    // woken.
    const auto hold = hold_context();
    if (!hold || !strand_) {
        return;  // its context has ended
    }
    // A plain callback needs no strand, because the inbox lets only one worker at a time be
    // started.
    const bool direct = !pull_ && is_plain();
    async::post(direct ? run_waiter_.executor() : strand_,
                [self = shared_from_this()] { self->wake_up(); });
}

void WatcherCore::wake_up()
{
    try {
        run_in_place();
    } catch (...) {
        worker_failed(std::current_exception(), false);
    }
}

void WatcherCore::run_in_place()
{
    Batch batch;
    Action action = begin_run(batch);
    while (true) {
        switch (action.what) {
        case Do::nothing:
            return;
        case Do::end:
            end(action.ending, std::move(batch.error));
            return;
        case Do::yield:
            start_worker();
            return;
        case Do::read_state:
        case Do::read_history:
        case Do::join:
            spawn_worker(action, std::move(batch));
            return;
        case Do::deliver: {
            const auto next = deliver_in_place(batch);
            if (!next) {
                spawn_worker(action, std::move(batch));
                return;
            }
            action = *next;
            break;
        }
        default:
            action = perform(action, batch);
        }
    }
}

WatcherCore::Action WatcherCore::begin_run(Batch& batch)
{
    if (fsm_.is_parked()) {
        return take_back(batch);
    }
    return fsm_.is_yielding() ? fsm_.resumed() : fsm_.woken();
}

WatcherCore::Action WatcherCore::perform(Action action, Batch& batch)
{
    switch (action.what) {
    case Do::look:
        return fsm_.looked(inbox.signals());
    case Do::check_time:
        return fsm_.timed(is_early(action.flag));
    case Do::rest:
        // Once it rests, another thread may run the next worker, as it may once it sleeps.
        return inbox.rest() ? Action() : fsm_.rest_refused();
    case Do::read_routed:
        action = fsm_.routed(pipeline_->routed());
        show_phase();
        return action;
    case Do::wake_at:
        pipeline_->wake_at(action.revision, weak_from_this());
        return fsm_.noted();
    case Do::take_inbox:
        return take_inbox(action.flag, batch);
    case Do::lose_buckets:
        return fsm_.lost(!lose_buckets(*batch.ends_bucket, {}));
    case Do::part:
        pipeline_->part(shared_from_this());
        action = fsm_.parted();
        show_phase();
        return action;
    case Do::check_progress:
        return fsm_.progress_due(tells_progress(batch));
    case Do::sleep:
        if (action.flag) {
            look_at_progress_later();
        }
        return inbox.sleep(action.flag) ? Action() : fsm_.sleep_refused();
    default:
        return action;
    }
}

void WatcherCore::spawn_worker(Action action, Batch batch)
{
    const auto watchdog = std::make_shared<Watchdog>(strand_, callback_timeout_);
    {
        const std::lock_guard lock(mutex());
        worker_ = watchdog;
    }
    // The handler keeps the signal, which has the coroutine's slot, alive until the coroutine is
    // destroyed.
    try {
        async::spawn(
            strand_, work(shared_from_this(), watchdog, action, std::move(batch)),
            asio::bind_cancellation_slot(
                watchdog->slot(), [self = shared_from_this(), watchdog](std::exception_ptr) {}));
    } catch (const std::bad_alloc&) {
        // Asio may have no memory to report the end of a worker that has done its work.
        if (!watchdog->has_begun()) {
            throw;
        }
    }
    if (!is_plain()) {  // then this runs on the strand
        watchdog->spawned();
    }
}

asio::awaitable<void> WatcherCore::work(std::shared_ptr<WatcherCore> self,
                                        std::shared_ptr<Watchdog> watchdog, Action action,
                                        Batch batch)
{
    watchdog->begin();
    co_await asio::this_coro::throw_if_cancelled(false);
    // Without this suspension the end would cost a turn of the loop: co_spawn posts the completion
    // of a coroutine that was never suspended.
    co_await async::blink();
    std::exception_ptr error;
    try {
        co_await self->work_until_idle(*watchdog, action, batch);
    } catch (...) {
        error = std::current_exception();
    }
    watchdog->end();
    if (error) {
        self->worker_failed(error, watchdog->timed_out());
    }
}

asio::awaitable<void> WatcherCore::work_until_idle(Watchdog& watchdog, Action action, Batch& batch)
{
    const watch::Budget& budget = inbox.budget();
    const bool together = !pull_ && overflow_ != Overflow::latest;
    HistoryCursor history(pipeline_->engine(), {budget.messages, budget.bytes, together});
    if (batch.next > 0 || batch.begun) {
        co_await watchdog.turn().yield();  // the posted function has used up its turn
    }
    while (true) {
        switch (action.what) {
        case Do::nothing:
            co_return;
        case Do::end:
            end(action.ending, std::move(batch.error));
            co_return;
        case Do::yield:
            co_await watchdog.turn().yield();
            action = fsm_.resumed();
            break;
        case Do::read_state:
            action = co_await read_state(batch);
            break;
        case Do::read_history:
            action = co_await read_history(action, history, batch);
            break;
        case Do::join: {
            history.close();
            const Revision routed = co_await pipeline_->join(shared_from_this());
            action = fsm_.joined(routed);
            advanced();
            break;
        }
        case Do::deliver:
            action = co_await deliver(history, batch, watchdog);
            break;
        default:
            action = perform(action, batch);
        }
    }
}

void WatcherCore::end(Ending ending, std::exception_ptr error)
{
    switch (ending) {
    case Ending::stopped:
        finish(EndReason::stopped, nullptr);
        break;
    case Ending::cancelled:
        finish(EndReason::cancelled, nullptr);
        break;
    case Ending::bucket_deleted:
        finish(EndReason::bucket_deleted, nullptr);
        break;
    case Ending::drained:
        finish(EndReason::drained, nullptr);
        break;
    case Ending::database_closed:
        finish(EndReason::database_closed, nullptr);
        break;
    case Ending::pipeline_failed:
        finish(std::nullopt, inbox.signals().error);
        break;
    case Ending::overflow:
        finish(std::nullopt, exception_of(Error::overflow));
        break;
    case Ending::callback_timeout:
        finish(std::nullopt, exception_of(Error::callback_timeout));
        break;
    case Ending::none:
    case Ending::compacted:
    case Ending::predicate_failed:
    case Ending::failed:
        finish(std::nullopt, std::move(error));
        break;
    }
}

void WatcherCore::worker_failed(std::exception_ptr error, bool timed_out)
{
    if (fsm_.is_over()) {
        return;
    }
    const bool aborted = is_error(error, make_error_code(asio::error::operation_aborted));
    const Action action = fsm_.failed(timed_out, aborted, inbox.signals());
    end(action.ending, std::move(error));
}

}  // namespace keywatch::pipeline
