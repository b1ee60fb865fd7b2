// SPDX-License-Identifier: BSL-1.0
#include "hub.hpp"

#include <new>
#include <utility>

namespace keywatch::watch {

bool Hub::append(SharedCommit commit) noexcept
{
    const std::size_t messages = commit->messages.size();
    const std::size_t bytes = commit->pinned_bytes();
    const Revision revision = commit->revision;
    const std::lock_guard lock(mutex_);
    if (!ring_.empty() && ring_.back()->revision != commit->previous) {
        drop_all();
    }
    while (!ring_.empty() && !budget_.allows(messages_ + messages, bytes_ + bytes)) {
        drop_oldest();
        ++overwritten_;
    }
    if (add(std::move(commit))) {
        messages_ += messages;
        bytes_ += bytes;
    } else {
        drop_all();
        unseen_ = revision;
    }
    return std::exchange(waiting_, false);
}

bool Hub::add(SharedCommit commit) noexcept
{
    try {
        ring_.push_back(std::move(commit));
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

bool Hub::append_unseen(Revision revision) noexcept
{
    const std::lock_guard lock(mutex_);
    drop_all();
    unseen_ = revision;
    return std::exchange(waiting_, false);
}

Hub::Taken Hub::take(Revision after, Budget budget)
{
    Taken taken;
    const std::lock_guard lock(mutex_);
    while (!ring_.empty() && ring_.front()->revision <= after) {
        drop_oldest();
    }
    if (ring_.empty() && unseen_ > after) {
        taken.missing_up_to = unseen_;
        return taken;
    }
    if (ring_.empty()) {
        waiting_ = true;
        return taken;
    }
    if (ring_.front()->previous > after) {
        taken.missing_up_to = ring_.front()->previous;
        return taken;
    }
    while (!ring_.empty()) {
        const SharedCommit& next = ring_.front();
        const std::size_t messages = taken.messages + next->messages.size();
        const std::size_t bytes = taken.bytes + next->pinned_bytes();
        if (!taken.commits.empty() && !budget.allows(messages, bytes)) {
            break;
        }
        taken.messages = messages;
        taken.bytes = bytes;
        taken.commits.push_back(next);
        drop_oldest();
    }
    return taken;
}

bool Hub::empty() const
{
    const std::lock_guard lock(mutex_);
    return ring_.empty();
}

Hub::Level Hub::level() const
{
    const std::lock_guard lock(mutex_);
    return {ring_.size(), messages_, overwritten_};
}

/// Keeps the ring free of gaps.
void Hub::drop_all() noexcept
{
    while (!ring_.empty()) {
        drop_oldest();
    }
}

void Hub::drop_oldest() noexcept
{
    messages_ -= ring_.front()->messages.size();
    bytes_ -= ring_.front()->pinned_bytes();
    ring_.pop_front();
}

}  // namespace keywatch::watch
