// SPDX-License-Identifier: BSL-1.0
#include "waiter_list.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace keywatch::async {

namespace {

/// The maximum number of waiters that are completed by the thread that reaches their number. More
/// than that are completed by their own executors.
constexpr std::size_t few = 64;

void complete(std::map<WaiterList::Id, Waiter> waiters, const std::exception_ptr& error) noexcept
{
    std::vector<Waiter> all;
    if (waiters.size() > few) {
        try {
            all.reserve(waiters.size());
        } catch (...) {
            // They are completed one by one.
        }
    }
    if (all.capacity() < waiters.size()) {
        for (auto& [id, waiter] : waiters) {
            waiter.complete(error);
        }
        return;
    }
    for (auto& [id, waiter] : waiters) {
        all.push_back(std::move(waiter));
    }
    complete_all(std::move(all), error);
}

}  // namespace

WaiterList::Id WaiterList::add(Waiter waiter, std::uint64_t number)
{
    // Once stored, the waiter may resume on another thread and release the list during this
    // function.
    const std::shared_ptr<WaiterList> keep = shared_from_this();
    Waiting one;  // its memory is allocated without the mutex
    auto node = one.extract(one.emplace(Id{number, 0}, std::move(waiter)).first);
    std::exception_ptr result;
    {
        const MutexLock lock(mutex_);
        if (!closed_ && !(reached_ && number <= *reached_)) {
            const Id id{number, ++places_};
            node.key() = id;
            listen(node.mapped(), id);
            waiting_.insert(std::move(node));
            return id;
        }
        result = closed_ ? result_ : nullptr;
    }
    node.mapped().complete(result);
    return {};
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

void WaiterList::fail(Id id, std::exception_ptr error) noexcept
{
    Waiter waiter;
    {
        const MutexLock lock(mutex_);
        const auto at = waiting_.find(id);
        if (at == waiting_.end()) {
            return;
        }
        waiter = std::move(at->second);
        waiting_.erase(at);
    }
    waiter.complete(std::move(error));
}

WaiterList::Waiting WaiterList::take_through(std::uint64_t number) noexcept
{
    Waiting taken;
    while (!waiting_.empty() && waiting_.begin()->first.number <= number) {
        taken.insert(taken.end(), waiting_.extract(waiting_.begin()));
    }
    return taken;
}

void WaiterList::reach(std::uint64_t number) noexcept
{
    Waiting done;
    {
        const MutexLock lock(mutex_);
        reached_ = std::max(reached_.value_or(0), number);
        done = take_through(number);
    }
    complete(std::move(done), nullptr);
}

void WaiterList::close(std::exception_ptr result) noexcept
{
    Waiting done;
    {
        const MutexLock lock(mutex_);
        closed_ = true;
        result_ = result;
        done.swap(waiting_);
    }
    complete(std::move(done), result);
}

bool WaiterList::empty() const
{
    const MutexLock lock(mutex_);
    return waiting_.empty();
}

std::optional<std::uint64_t> WaiterList::next_after(std::uint64_t number) const
{
    const MutexLock lock(mutex_);
    const auto at = waiting_.upper_bound({number, std::numeric_limits<std::uint64_t>::max()});
    return at == waiting_.end() ? std::nullopt : std::optional(at->first.number);
}

}  // namespace keywatch::async
