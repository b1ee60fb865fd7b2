// SPDX-License-Identifier: BSL-1.0
#include "embedded_engine.hpp"

#include <exception>
#include <iterator>
#include <utility>

// How the engine ends.
namespace keywatch::engine {

void EmbeddedEngine::commit_ended()
{
    if (commits_under_way_.fetch_sub(1) != draining + 1) {
        return;
    }
    std::vector<async::Waiter> drained;
    {
        const std::lock_guard lock(mutex_);
        drained.swap(drained_);
    }
    for (async::Waiter& each : drained) {
        each.complete();
    }
}

asio::awaitable<void> EmbeddedEngine::drain()
{
    return run_drain(shared_from_this());
}

asio::awaitable<void> EmbeddedEngine::run_drain(std::shared_ptr<EmbeddedEngine> self)
{
    auto wait = [&](async::Waiter waiter) {
        {
            // Whoever ends the last commit comes for the waiters only after this one was added.
            const std::lock_guard lock(self->mutex_);
            if (self->commits_under_way_.fetch_or(draining) % draining > 0) {
                self->drained_.push_back(std::move(waiter));
                return;
            }
        }
        waiter.complete();
    };
    co_await async::suspend(wait);
}

asio::awaitable<void> EmbeddedEngine::close()
{
    return run_close(shared_from_this());
}

asio::awaitable<void> EmbeddedEngine::run_close(std::shared_ptr<EmbeddedEngine> self)
{
    self->backups_.refuse();
    auto wait = [&](async::Waiter waiter) {
        auto done = std::make_shared<async::Waiter>(std::move(waiter));
        const bool posted = self->thread_.post_last([self, done] {
            const std::exception_ptr moved = self->find_moved();
            self->views_.close();
            self->backups_.finish();
            self->reader_.finish();
            self->states_->close();
            self->close_store();
            done->complete(moved);
        });
        if (!posted) {
            done->complete();
        }
    };
    co_await async::suspend(wait);
}

std::exception_ptr EmbeddedEngine::find_moved() const noexcept
{
    try {
        store_->check_place();
        return {};
    } catch (...) {
        return std::current_exception();
    }
}

void EmbeddedEngine::context_shutdown() noexcept
{
    // Nothing else runs any more, but our own threads. Coroutines that wait are destroyed last,
    // with no lock held: their frames may own anything.
    backups_.refuse();
    backups_.stop();
    reader_.stop();
    thread_.stop();
    std::vector<async::Waiter> waiters = turn_->abandon();
    if (writer_) {
        std::ranges::move(writer_->abandon(), std::back_inserter(waiters));
    }
    if (sweeper_) {
        sweeper_->let_go();
    }
    std::ranges::move(std::exchange(drained_, {}), std::back_inserter(waiters));
    commits_under_way_.fetch_or(draining);
    views_.close();
    states_->close();
    close_store();
}

/// What has expired for a view, or for a transaction that changed nothing, stays so in the next
/// life of the database, whatever the clock tells then.
void EmbeddedEngine::close_store() noexcept
{
    try {
        const Time latest = clock_.latest();
        if (store_ && writer_ && !writer_->failed() && writer_->stored_time() < latest &&
            executed_.catalogue.has_deadlines()) {
            storage::Batch batch;
            batch.put(storage::time_key, storage::encode_time(latest));
            store_->write(batch, options_.durability == Durability::sync);
        }
    } catch (const std::exception&) {
        // What was acknowledged is there: that of the newest commit is known.
    }
    store_.reset();
}

}  // namespace keywatch::engine
