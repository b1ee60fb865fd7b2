// SPDX-License-Identifier: BSL-1.0
#include "writer_turn.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace keywatch::engine {

bool WriterTurn::try_acquire()
{
    const std::lock_guard lock(mutex_);
    if (held_ || paused_ || refused_ || !waiting_.empty()) {
        return false;
    }
    held_ = true;
    return true;
}

asio::awaitable<void> WriterTurn::acquire()
{
    return async::suspend([this](async::Waiter waiter) { enqueue(std::move(waiter)); });
}

void WriterTurn::enqueue(async::Waiter waiter)
{
    // What waits may let go of this, on another thread, while this is still in here.
    const std::shared_ptr<WriterTurn> keep = shared_from_this();
    std::exception_ptr refused;
    async::Waiter next;
    {
        const std::lock_guard lock(mutex_);
        refused = refused_;
        if (!refused) {
            const std::uint64_t id = next_id_++;
            if (auto slot = waiter.slot(); slot.is_connected()) {
                slot.assign([weak = weak_from_this(), id](asio::cancellation_type type) {
                    const bool terminal =
                        (type & asio::cancellation_type::terminal) != asio::cancellation_type::none;
                    if (const auto self = weak.lock(); self && terminal) {
                        self->cancel(id);
                    }
                });
            }
            waiting_.push_back({id, std::move(waiter)});
            next = give();
        }
    }
    if (refused) {
        waiter.complete(refused);  // NOLINT(bugprone-use-after-move): only moved if not refused
    }
    if (next) {
        next.complete();
    }
}

std::size_t WriterTurn::waiting() const
{
    const std::lock_guard lock(mutex_);
    return waiting_.size();
}

void WriterTurn::release()
{
    async::Waiter next;
    {
        const std::lock_guard lock(mutex_);
        held_ = false;
        next = give();
    }
    if (next) {
        next.complete();
    }
}

void WriterTurn::pause()
{
    const std::lock_guard lock(mutex_);
    paused_ = true;
}

void WriterTurn::resume()
{
    async::Waiter next;
    {
        const std::lock_guard lock(mutex_);
        paused_ = false;
        next = give();
    }
    if (next) {
        next.complete();
    }
}

void WriterTurn::refuse(std::exception_ptr reason)
{
    std::list<Waiting> waiting;
    {
        const std::lock_guard lock(mutex_);
        refused_ = reason;
        waiting.swap(waiting_);
    }
    for (Waiting& each : waiting) {
        each.waiter.complete(reason);
    }
}

std::vector<async::Waiter> WriterTurn::abandon()
{
    const std::lock_guard lock(mutex_);
    std::vector<async::Waiter> waiters;
    for (Waiting& each : waiting_) {
        waiters.push_back(std::move(each.waiter));
    }
    waiting_.clear();
    return waiters;
}

void WriterTurn::cancel(std::uint64_t id)
{
    async::Waiter cancelled;
    {
        const std::lock_guard lock(mutex_);
        const auto at = std::ranges::find(waiting_, id, &Waiting::id);
        if (at == waiting_.end()) {
            return;
        }
        cancelled = std::move(at->waiter);
        waiting_.erase(at);
    }
    cancelled.complete(std::make_exception_ptr(
        boost::system::system_error(make_error_code(asio::error::operation_aborted))));
}

async::Waiter WriterTurn::give()
{
    if (held_ || paused_ || waiting_.empty()) {
        return {};
    }
    held_ = true;
    async::Waiter next = std::move(waiting_.front().waiter);
    waiting_.pop_front();
    return next;
}

}  // namespace keywatch::engine
