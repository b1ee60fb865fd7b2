// SPDX-License-Identifier: BSL-1.0
#include "waiters.hpp"

#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <utility>

namespace keywatch::delivery {

std::shared_ptr<Waiters::Lists> Waiters::known() const noexcept
{
    const std::lock_guard lock(mutex_);
    return lists_;
}

std::shared_ptr<Waiters::Lists> Waiters::lists()
{
    if (auto lists = known()) {
        return lists;
    }
    auto made = std::make_shared<Lists>();
    const std::lock_guard lock(mutex_);
    if (!lists_) {
        lists_ = std::move(made);
        // The phase changes under the same mutex, so no change is missed. No waiter is in the
        // lists yet.
        if (phase_ == Phase::ended) {
            tell_end(*lists_);
        } else if (phase_ == Phase::ready) {
            lists_->ready->reach(0);
        }
    }
    return lists_;
}

void Waiters::tell_end(const Lists& lists) const noexcept
{
    const std::exception_ptr error = error_ ? error_ : exception_of(Error::watch_ended);
    lists.ready->close(error);
    lists.reached->close(error);
    lists.ended->close(nullptr);
}

void Waiters::set_ready() noexcept
{
    std::shared_ptr<Lists> lists;
    {
        const std::lock_guard lock(mutex_);
        phase_ = Phase::ready;
        lists = lists_;
    }
    if (lists) {
        lists->ready->reach(0);
    }
}

void Waiters::set_ended(const std::exception_ptr& error) noexcept
{
    std::shared_ptr<Lists> lists;
    {
        const std::lock_guard lock(mutex_);
        phase_ = Phase::ended;
        error_ = error;
        lists = lists_;
    }
    if (lists) {
        tell_end(*lists);
    }
}

void Waiters::reach(Revision revision) noexcept
{
    if (!awaited_.load()) {
        return;
    }
    if (const auto lists = known()) {
        lists->reached->reach(revision);
    }
}

bool Waiters::ask_for_wake(Revision revision)
{
    const std::lock_guard lock(mutex_);
    Revision& known = lists_->wake_at_;
    if (known != 0 && known <= revision) {
        return false;
    }
    known = revision;
    return true;
}

void Waiters::wake_failed() noexcept
{
    const std::lock_guard lock(mutex_);
    lists_->wake_at_ = 0;
}

Revision Waiters::next_wake(Revision routed) noexcept
{
    const std::lock_guard lock(mutex_);
    if (!lists_ || phase_ == Phase::ended) {
        return 0;
    }
    lists_->wake_at_ = lists_->reached->next_after(routed).value_or(0);
    return lists_->wake_at_;
}

}  // namespace keywatch::delivery
