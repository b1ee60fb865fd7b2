// SPDX-License-Identifier: BSL-1.0
// Waits until a watch is ready, has reached a revision, or has ended.
#include "alarm.hpp"
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include "values/failure.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace keywatch::pipeline {

std::exception_ptr WatcherCore::end_for_waiters() const
{
    return error_ ? error_ : exception_of(Error::watch_ended);
}

void WatcherCore::tell_end(const Waiters& waiters) const
{
    waiters.ready->close(end_for_waiters());
    waiters.reached->close(end_for_waiters());
    waiters.ended->close(nullptr);
}

std::shared_ptr<WatcherCore::Waiters> WatcherCore::known_waiters() const
{
    const std::lock_guard lock(mutex());
    return waiters_;
}

std::shared_ptr<WatcherCore::Waiters> WatcherCore::waiters()
{
    if (auto known = known_waiters()) {
        return known;
    }
    auto made = std::make_shared<Waiters>();
    const std::lock_guard lock(mutex());
    if (!waiters_) {
        waiters_ = std::move(made);
        // The state is checked under the mutex under which the watch ends, so no end is missed.
        // Closing ends all watches that were never run.
        if (state_ == State::ended) {
            tell_end(*waiters_);
        } else if (following_) {
            waiters_->ready->reach(0);
        }
    }
    return waiters_;
}

void WatcherCore::ask_to_be_woken(Revision revision)
{
    {
        const std::lock_guard lock(mutex());
        Revision& known = waiters_->wake_at;
        if (known != 0 && known <= revision) {
            return;
        }
        known = revision;
    }
    try {
        pipeline_->wake_at(revision, weak_from_this());
    } catch (...) {
        const std::lock_guard lock(mutex());
        waiters_->wake_at = 0;
        throw;
    }
}

Revision WatcherCore::next_wake(Revision routed)
{
    const std::lock_guard lock(mutex());
    if (!waiters_ || state_ == State::ended) {
        return 0;
    }
    waiters_->wake_at = waiters_->reached->next_after(routed).value_or(0);
    return waiters_->wake_at;
}

asio::awaitable<void> WatcherCore::wait_ready(std::shared_ptr<WatcherCore> self,
                                              std::chrono::milliseconds timeout)
{
    if (timeout <= std::chrono::milliseconds::zero()) {
        keywatch::fail(Error::invalid_option);
    }
    const std::shared_ptr<async::WaiterList> ready = self->waiters()->ready;
    const auto alarm = std::make_shared<Alarm>(co_await asio::this_coro::executor);
    const Alarm::End end{*alarm};
    const auto wait = [&](async::Waiter waiter) {
        // These are copies: once the waiter is in the list, another thread may resume the coroutine
        // and end it.
        const auto mine = alarm;
        const auto list = ready;
        const auto time = std::min<std::chrono::milliseconds>(timeout, longest_wait);
        const async::WaiterList::Id id = list->add(std::move(waiter));
        if (id) {
            mine->set(time, [list, id] { list->fail(id, exception_of(Error::ready_timeout)); });
        }
    };
    co_await async::suspend(wait);
}

asio::awaitable<void> WatcherCore::stop(std::shared_ptr<WatcherCore> self)
{
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    self->request_stop();
    {
        const std::lock_guard lock(self->mutex());
        if (self->state_ != State::running || self->strand_ == executor) {
            co_return;
        }
    }
    const std::shared_ptr<async::WaiterList> ended = self->waiters()->ended;
    co_await async::suspend([&](async::Waiter waiter) { ended->add(std::move(waiter)); });
}

asio::awaitable<void> WatcherCore::drain(std::shared_ptr<WatcherCore> self)
{
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const Revision head = self->request_drain();
    if (self->runs_on(executor)) {
        co_return;
    }
    const std::shared_ptr<async::WaiterList> ended = self->waiters()->ended;
    co_await async::suspend([&](async::Waiter waiter) { ended->add(std::move(waiter)); });
    self->throw_unless_drained(head);
}

void WatcherCore::throw_unless_drained(Revision revision) const
{
    const std::lock_guard lock(mutex());
    if (error_) {
        std::rethrow_exception(error_);
    }
    const bool whole = reason_ == EndReason::drained || reason_ == EndReason::bucket_deleted ||
                       position_.load() >= revision;
    if (!whole) {
        keywatch::fail(Error::watch_ended);
    }
}

asio::awaitable<void> WatcherCore::reached(std::shared_ptr<WatcherCore> self, Revision revision)
{
    if (self->position().revision >= revision) {
        co_return;
    }
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    if (self->runs_on(executor)) {
        keywatch::fail(Error::would_deadlock);
    }
    const std::shared_ptr<async::WaiterList> reached = self->waiters()->reached;
    self->awaited_.store(true);
    const auto wait = [&](async::Waiter waiter) {
        // These are copies for the same reason as in `wait_ready`.
        const std::shared_ptr<WatcherCore> core = self;
        const Revision wanted = revision;
        const std::shared_ptr<async::WaiterList> list = reached;
        list->add(std::move(waiter), wanted);
        // A thread that moved the position before it saw `awaited_` has not completed the waiter.
        list->reach(core->position().revision);
        core->ask_to_be_woken(wanted);
    };
    co_await async::suspend(wait);
}

}  // namespace keywatch::pipeline
