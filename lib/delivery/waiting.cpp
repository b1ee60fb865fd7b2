// SPDX-License-Identifier: BSL-1.0
// Waits until a watch is ready, has reached a revision, or has ended.
#include "cancellable_timer.hpp"
#include "watcher_impl.hpp"

#include "values/failure.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace keywatch::delivery {

void WatcherImpl::ask_to_be_woken(Revision revision)
{
    if (!context_.waiters.ask_for_wake(revision)) {
        return;
    }
    try {
        context_.pipeline->router().wake_at(revision, weak_from_this());
    } catch (...) {
        context_.waiters.wake_failed();
        throw;
    }
}

asio::awaitable<void> WatcherImpl::wait_ready(std::shared_ptr<WatcherImpl> self,
                                              std::chrono::milliseconds timeout)
{
    if (timeout <= std::chrono::milliseconds::zero()) {
        keywatch::fail(Error::invalid_option);
    }
    const std::shared_ptr<async::WaiterList> ready = self->context_.waiters.lists()->ready;
    const auto timer = std::make_shared<CancellableTimer>(co_await asio::this_coro::executor);
    const CancellableTimer::End end{*timer};
    const auto wait = [&](async::Waiter waiter) {
        // These are copies: once the waiter is in the list, another thread may resume the coroutine
        // and end it.
        const auto mine = timer;
        const auto list = ready;
        const auto time = std::min<std::chrono::milliseconds>(timeout, longest_wait);
        const async::WaiterList::Id id = list->add(std::move(waiter));
        if (id) {
            mine->set(time, [list, id] { list->fail(id, exception_of(Error::ready_timeout)); });
        }
    };
    co_await async::suspend(wait);
}

asio::awaitable<void> WatcherImpl::stop(std::shared_ptr<WatcherImpl> self)
{
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    self->request_stop();
    {
        const std::lock_guard lock(self->mutex());
        if (self->state_ != State::running || self->strand_ == executor) {
            co_return;
        }
    }
    const std::shared_ptr<async::WaiterList> ended = self->context_.waiters.lists()->ended;
    co_await async::suspend([&](async::Waiter waiter) { ended->add(std::move(waiter)); });
}

asio::awaitable<void> WatcherImpl::drain(std::shared_ptr<WatcherImpl> self)
{
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const Revision head = self->request_drain();
    if (self->runs_on(executor)) {
        co_return;
    }
    const std::shared_ptr<async::WaiterList> ended = self->context_.waiters.lists()->ended;
    co_await async::suspend([&](async::Waiter waiter) { ended->add(std::move(waiter)); });
    self->throw_unless_drained(head);
}

void WatcherImpl::throw_unless_drained(Revision revision) const
{
    const std::lock_guard lock(mutex());
    if (error_) {
        std::rethrow_exception(error_);
    }
    const bool whole = reason_ == EndReason::drained || reason_ == EndReason::bucket_deleted ||
                       context_.progress.revision() >= revision;
    if (!whole) {
        keywatch::fail(Error::watch_ended);
    }
}

asio::awaitable<void> WatcherImpl::reached(std::shared_ptr<WatcherImpl> self, Revision revision)
{
    if (self->position().revision >= revision) {
        co_return;
    }
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    if (self->runs_on(executor)) {
        keywatch::fail(Error::would_deadlock);
    }
    const std::shared_ptr<async::WaiterList> reached = self->context_.waiters.lists()->reached;
    self->context_.waiters.await_revisions();
    const auto wait = [&](async::Waiter waiter) {
        // These are copies for the same reason as in `wait_ready`.
        const std::shared_ptr<WatcherImpl> core = self;
        const Revision wanted = revision;
        const std::shared_ptr<async::WaiterList> list = reached;
        list->add(std::move(waiter), wanted);
        // A thread that moved the position before it saw `awaited_` has not completed the waiter.
        list->reach(core->position().revision);
        core->ask_to_be_woken(wanted);
    };
    co_await async::suspend(wait);
}

}  // namespace keywatch::delivery
