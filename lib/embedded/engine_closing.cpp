// SPDX-License-Identifier: BSL-1.0
#include "embedded_engine.hpp"

#include <exception>
#include <utility>

// The end of the engine.
namespace keywatch::embedded {

namespace {

std::exception_ptr closed_error()
{
    return std::make_exception_ptr(boost::system::system_error(make_error_code(Error::closed)));
}

}  // namespace

void EmbeddedEngine::call_after(std::chrono::milliseconds time, std::function<void()> function)
{
    reader_.post_after(time, std::move(function));
}

void EmbeddedEngine::refuse_commits()
{
    writer_lock_->close(closed_error(), [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
            self->notify_if_drained();
        }
    });
}

/// Completes the waiters of `drain` if no transaction is pending. Every executed transaction is
/// added to a group before the lock becomes idle. The coroutines that wait for the transactions do
/// not matter: their executors may be blocked.
void EmbeddedEngine::notify_if_drained()
{
    if (!writer_lock_->is_idle() || (writer_ && !writer_->idle())) {
        return;
    }
    std::vector<async::Waiter> drained;
    bool close = false;
    {
        const std::lock_guard lock(mutex_);
        drained.swap(drained_);
        close = closes_when_drained_;
    }
    for (async::Waiter& each : drained) {
        each.complete();
    }
    if (close) {
        close_on_thread();
    }
}

asio::awaitable<void> EmbeddedEngine::drain()
{
    return run_drain(shared_from_this());
}

asio::awaitable<void> EmbeddedEngine::run_drain(std::shared_ptr<EmbeddedEngine> self)
{
    auto wait = [&](async::Waiter waiter) {
        const std::shared_ptr<EmbeddedEngine> engine = self;
        {
            const std::lock_guard lock(engine->mutex_);
            engine->drained_.push_back(std::move(waiter));
        }
        engine->refuse_commits();
    };
    co_await async::suspend(wait);
}

asio::awaitable<void> EmbeddedEngine::close()
{
    return run_close(shared_from_this());
}

asio::awaitable<void> EmbeddedEngine::run_close(std::shared_ptr<EmbeddedEngine> self)
{
    auto wait = [&](async::Waiter waiter) {
        const std::shared_ptr<EmbeddedEngine> engine = self;
        {
            const std::lock_guard lock(engine->mutex_);
            if (!engine->store_is_closed_) {
                engine->closed_.push_back(std::move(waiter));
            }
        }
        if (waiter) {  // NOLINT(bugprone-use-after-move): only moved if it has to wait
            waiter.complete();
        } else {
            engine->close_on_thread();
        }
    };
    co_await async::suspend(wait);
}

void EmbeddedEngine::close_on_thread()
{
    backups_.refuse();
    thread_.post_last([self = shared_from_this()] {
        const std::exception_ptr moved = self->find_moved();
        self->views_.close();
        self->backups_.finish();
        self->reader_.finish();
        self->states_->close();
        self->close_store();
        std::vector<async::Waiter> closed;
        std::function<void()> call;
        {
            const std::lock_guard lock(self->mutex_);
            self->store_is_closed_ = true;
            closed.swap(self->closed_);
            call.swap(self->when_closed_);
        }
        for (async::Waiter& each : closed) {
            each.complete(moved);
        }
        if (call) {
            call();
        }
    });
}

void EmbeddedEngine::give_up_doubtful()
{
    writer_lock_->fail_doubtful(closed_error());
}

void EmbeddedEngine::close_without_loop(std::function<void()> closed)
{
    {
        const std::lock_guard lock(mutex_);
        if (store_is_closed_) {
            return;  // the call that closed the store has completed the waiters
        }
        closes_when_drained_ = true;
        when_closed_ = std::move(closed);
    }
    give_up_doubtful();
    refuse_commits();
}

std::exception_ptr EmbeddedEngine::find_moved() const noexcept
{
    try {
        store_->check_location();
        return {};
    } catch (...) {
        return std::current_exception();
    }
}

void EmbeddedEngine::context_shutdown() noexcept
{
    // Only the engine's own threads still run, no handlers of this context. Coroutines that wait on
    // it are destroyed by the service. Coroutines of other contexts are completed with an error.
    backups_.refuse();
    backups_.stop();
    reader_.stop();
    thread_.stop();
    writer_lock_->refuse(closed_error());
    if (writer_) {
        writer_->fail_waiting(closed_error());
    }
    if (sweeper_) {
        sweeper_->release_executor();
    }
    views_.close();
    states_->close();
    close_store();
    for (std::vector<async::Waiter>* const each : {&drained_, &closed_}) {
        async::complete_all(std::exchange(*each, {}), closed_error());
    }
}

/// Stores the latest time and closes the store. A key that has expired for a view, or for a
/// transaction that changed nothing, therefore remains expired when the database is opened again,
/// whatever the clock shows then.
void EmbeddedEngine::close_store() noexcept
{
    try {
        const Time latest = clock_.latest();
        if (store_ && writer_ && !writer_->failed() && writer_->stored_time() < latest &&
            state_.catalogue.has_deadlines()) {
            storage::Batch batch;
            batch.put(storage::time_key, storage::encode_time(latest));
            store_->write(batch, options_.durability == Durability::sync);
        }
    } catch (const std::exception&) {
        // No acknowledged commit depends on this: the time of the newest commit is stored.
    }
    store_.reset();
}

}  // namespace keywatch::embedded
