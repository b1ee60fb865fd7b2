// SPDX-License-Identifier: BSL-1.0
#include "worker.hpp"

#include "async/spawn.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <new>
#include <utility>

namespace keywatch::delivery {

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

Worker::Worker(DeliveryContext& context, WorkerHost& host, std::unique_ptr<Sink> sink,
               bool from_state, std::chrono::milliseconds callback_timeout)
    : context_(context),
      host_(host),
      sink_(std::move(sink)),
      snapshot_(from_state ? std::make_unique<SnapshotSource>() : nullptr),
      callback_timeout_(callback_timeout)
{
}

std::shared_ptr<Worker> Worker::shared()
{
    return {context_.watch.shared_from_this(), this};
}

void Worker::release() noexcept
{
    snapshot_.reset();
    sink_->release();
    context_.predicate.reset();
}

void Worker::run()
{
    try {
        run_in_place();
    } catch (...) {
        failed(std::current_exception(), false);
    }
}

void Worker::run_in_place()
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
            context_.watch.start_worker();
            return;
        case Do::read_state:
        case Do::read_history:
        case Do::join:
            spawn(action, std::move(batch));
            return;
        case Do::deliver: {
            const auto next = sink_->deliver_in_place(batch);
            if (!next) {
                spawn(action, std::move(batch));
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

Worker::Action Worker::begin_run(Batch& batch)
{
    if (context_.fsm.is_parked()) {
        return sink_->take_back(batch);
    }
    return context_.fsm.is_yielding() ? context_.fsm.resumed() : context_.fsm.woken();
}

Worker::Action Worker::perform(Action action, Batch& batch)
{
    switch (action.what) {
    case Do::look:
        return context_.fsm.looked(context_.watch.inbox.signals());
    case Do::check_time:
        return context_.fsm.timed(timing(action.flag));
    case Do::rest:
        // Once it rests, another thread may run the next worker, as it may once it sleeps.
        return context_.watch.inbox.rest() ? Action() : context_.fsm.rest_refused();
    case Do::read_routed:
        action = context_.fsm.routed(context_.pipeline->router().routed());
        context_.progress.show_phase(context_.fsm);
        return action;
    case Do::wake_at:
        context_.pipeline->router().wake_at(action.revision, context_.watch.weak_from_this());
        return context_.fsm.noted();
    case Do::take_inbox:
        return took(take_inbox(context_, action.flag, batch), batch);
    case Do::take_if_empty: {
        const auto taken = take_if_empty(context_, batch);
        return taken ? took(*taken, batch) : context_.fsm.not_empty();
    }
    case Do::lose_buckets:
        return context_.fsm.lost(!context_.watch.lose_buckets(*batch.ends_bucket, {}));
    case Do::part:
        context_.pipeline->router().unsubscribe(context_.watch.shared_from_this());
        action = context_.fsm.parted();
        context_.progress.show_phase(context_.fsm);
        return action;
    case Do::check_progress:
        return context_.fsm.progress_due(tells_progress(batch));
    case Do::sleep:
        if (action.flag) {
            look_at_progress_later();
        }
        return context_.watch.inbox.sleep(action.flag) ? Action() : context_.fsm.sleep_refused();
    default:
        return action;
    }
}

void Worker::spawn(Action action, Batch batch)
{
    const asio::any_io_executor& strand = host_.strand();
    const auto watchdog = std::make_shared<Watchdog>(strand, callback_timeout_);
    {
        const std::lock_guard lock(context_.watch.inbox.mutex());
        watchdog_ = watchdog;
    }
    // The handler keeps the signal, which has the coroutine's slot, alive until the coroutine is
    // destroyed.
    try {
        async::spawn(strand, work(shared(), watchdog, action, std::move(batch)),
                     asio::bind_cancellation_slot(
                         watchdog->slot(), [self = shared(), watchdog](std::exception_ptr) {}));
    } catch (const std::bad_alloc&) {
        // Asio may have no memory to report the end of a worker that has done its work.
        if (!watchdog->has_begun()) {
            throw;
        }
    }
    if (!sink_->needs_no_strand()) {  // then this runs on the strand
        watchdog->spawned();
    }
}

asio::awaitable<void> Worker::work(std::shared_ptr<Worker> self, std::shared_ptr<Watchdog> watchdog,
                                   Action action, Batch batch)
{
    watchdog->begin();
    co_await asio::this_coro::throw_if_cancelled(false);
    // Without this suspension the end would cost a turn of the loop: co_spawn posts the completion
    // of a coroutine that was never suspended.
    co_await async::suspend_once();
    std::exception_ptr error;
    try {
        co_await self->work_until_idle(*watchdog, action, batch);
    } catch (...) {
        error = std::current_exception();
    }
    watchdog->end();
    if (error) {
        self->failed(error, watchdog->timed_out());
    }
}

asio::awaitable<void> Worker::work_until_idle(Watchdog& watchdog, Action action, Batch& batch)
{
    HistorySource history(context_, sink_->keeps_batches());
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
            action = context_.fsm.resumed();
            break;
        case Do::read_state:
            action = co_await read_state(batch);
            break;
        case Do::read_history:
            action = co_await read_history(action, history, batch);
            break;
        case Do::join: {
            history.close();
            const Revision routed =
                co_await context_.pipeline->router().subscribe(context_.watch.shared_from_this());
            action = context_.fsm.joined(routed);
            context_.advanced();
            break;
        }
        case Do::deliver:
            action = co_await sink_->deliver(history, batch, watchdog);
            break;
        default:
            action = perform(action, batch);
        }
    }
}

Worker::Action Worker::took(const InboxTaken& taken, Batch& batch)
{
    begin_delivery(batch);
    const Action action = context_.fsm.took(taken.signals, taken.report);
    context_.advanced();
    return action;
}

asio::awaitable<Worker::Action> Worker::read_state(Batch& batch)
{
    const SnapshotSource::Read read =
        co_await snapshot_->read(context_, sink_->keeps_batches(), batch);
    if (read.whole) {
        snapshot_.reset();
    }
    begin_delivery(batch);
    const Action action = context_.fsm.state_read(read);
    context_.advanced();
    co_return action;
}

asio::awaitable<Worker::Action> Worker::read_history(Action action, HistorySource& history,
                                                     Batch& batch)
{
    const HistorySource::Read read = co_await history.read(action, batch);
    begin_delivery(batch);
    action = context_.fsm.history_read(read);
    context_.advanced();
    co_return action;
}

void Worker::end(Ending ending, std::exception_ptr error)
{
    switch (ending) {
    case Ending::stopped:
        host_.finish(EndReason::stopped, nullptr);
        break;
    case Ending::cancelled:
        host_.finish(EndReason::cancelled, nullptr);
        break;
    case Ending::bucket_deleted:
        host_.finish(EndReason::bucket_deleted, nullptr);
        break;
    case Ending::drained:
        host_.finish(EndReason::drained, nullptr);
        break;
    case Ending::database_closed:
        host_.finish(EndReason::database_closed, nullptr);
        break;
    case Ending::pipeline_failed:
        host_.finish(std::nullopt, context_.watch.inbox.signals().error);
        break;
    case Ending::overflow:
        host_.finish(std::nullopt, exception_of(Error::overflow));
        break;
    case Ending::callback_timeout:
        host_.finish(std::nullopt, exception_of(Error::callback_timeout));
        break;
    case Ending::none:
    case Ending::compacted:
    case Ending::predicate_failed:
    case Ending::failed:
        host_.finish(std::nullopt, std::move(error));
        break;
    }
}

void Worker::failed(std::exception_ptr error, bool timed_out)
{
    if (context_.fsm.is_over()) {
        return;
    }
    const bool aborted = is_error(error, make_error_code(asio::error::operation_aborted));
    const Action action = context_.fsm.failed(timed_out, aborted, context_.watch.inbox.signals());
    end(action.ending, std::move(error));
}

}  // namespace keywatch::delivery
