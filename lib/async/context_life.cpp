// SPDX-License-Identifier: BSL-1.0
#include "context_life.hpp"

namespace keywatch::async {

bool ContextLife::enter() noexcept
{
    if ((state_.fetch_add(1) & ending) == 0) {
        return true;
    }
    leave();
    return false;
}

void ContextLife::leave() noexcept
{
    if (state_.fetch_sub(1) == ending + 1) {
        state_.notify_all();
    }
}

void ContextLife::end() noexcept
{
    for (std::uint32_t state = state_.fetch_or(ending) | ending; state != ending;
         state = state_.load()) {
        state_.wait(state);
    }
}

void ContextLife::park(std::shared_ptr<Parked> parked)
{
    const MutexLock lock(mutex_);
    Parked& added = *parked;
    added.self_ = std::move(parked);
    added.next_ = first_;
    if (first_ != nullptr) {
        first_->previous_ = &added;
    }
    first_ = &added;
}

bool ContextLife::unpark(Parked& parked)
{
    const MutexLock lock(mutex_);
    return unlink(parked) != nullptr;
}

std::shared_ptr<ContextLife::Parked> ContextLife::unlink(Parked& parked) noexcept
{
    if (!parked.self_) {
        return nullptr;
    }
    (parked.previous_ != nullptr ? parked.previous_->next_ : first_) = parked.next_;
    if (parked.next_ != nullptr) {
        parked.next_->previous_ = parked.previous_;
    }
    parked.previous_ = nullptr;
    parked.next_ = nullptr;
    return std::exchange(parked.self_, nullptr);
}

void ContextLife::drop_parked() noexcept
{
    for (;;) {
        std::shared_ptr<Parked> parked;
        {
            const MutexLock lock(mutex_);
            if (first_ == nullptr) {
                return;
            }
            parked = unlink(*first_);
        }
        parked->drop();
    }
}

}  // namespace keywatch::async
