// SPDX-License-Identifier: BSL-1.0
#include "waiter_list.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace keywatch::async {

WaiterList::Id WaiterList::add(Waiter waiter, std::uint64_t number)
{
    // What waits may let go of the list, on another thread, while this is still in here.
    const std::shared_ptr<WaiterList> keep = shared_from_this();
    std::exception_ptr result;
    {
        const std::lock_guard lock(mutex_);
        if (!closed_ && !(reached_ && number <= *reached_)) {
            const Id id = next_id_++;
            listen(waiter, id);
            waiting_.push_back({id, number, std::move(waiter)});
            return id;
        }
        result = closed_ ? result_ : nullptr;
    }
    waiter.complete(result);
    return 0;
}

void WaiterList::listen(Waiter& waiter, Id id)
{
    if (auto slot = waiter.slot(); slot.is_connected()) {
        slot.assign([weak = weak_from_this(), id](asio::cancellation_type) {
            if (const auto self = weak.lock()) {
                self->fail(id, std::make_exception_ptr(boost::system::system_error(
                                   make_error_code(asio::error::operation_aborted))));
            }
        });
    }
}

void WaiterList::fail(Id id, std::exception_ptr error)
{
    Waiter waiter;
    {
        const std::lock_guard lock(mutex_);
        const auto at = std::ranges::find(waiting_, id, &Waiting::id);
        if (at == waiting_.end()) {
            return;
        }
        waiter = std::move(at->waiter);
        waiting_.erase(at);
    }
    waiter.complete(std::move(error));
}

void WaiterList::reach(std::uint64_t number)
{
    std::vector<Waiting> done;
    {
        const std::lock_guard lock(mutex_);
        reached_ = std::max(reached_.value_or(0), number);
        const auto first =
            std::stable_partition(waiting_.begin(), waiting_.end(),
                                  [number](const Waiting& each) { return each.number > number; });
        std::move(first, waiting_.end(), std::back_inserter(done));
        waiting_.erase(first, waiting_.end());
    }
    for (Waiting& each : done) {
        each.waiter.complete();
    }
}

void WaiterList::close(std::exception_ptr result)
{
    std::vector<Waiting> done;
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        result_ = result;
        done.swap(waiting_);
    }
    for (Waiting& each : done) {
        each.waiter.complete(result);
    }
}

bool WaiterList::empty() const
{
    const std::lock_guard lock(mutex_);
    return waiting_.empty();
}

bool WaiterList::awaits(std::uint64_t number) const
{
    const std::lock_guard lock(mutex_);
    return std::ranges::find(waiting_, number, &Waiting::number) != waiting_.end();
}

std::vector<Waiter> WaiterList::abandon()
{
    const std::lock_guard lock(mutex_);
    std::vector<Waiter> waiters;
    waiters.reserve(waiting_.size());
    for (Waiting& each : waiting_) {
        waiters.push_back(std::move(each.waiter));
    }
    waiting_.clear();
    return waiters;
}

}  // namespace keywatch::async
