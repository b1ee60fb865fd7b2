// SPDX-License-Identifier: BSL-1.0
#include "undelivered.hpp"

#include "values/mutex.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

namespace keywatch::async {

namespace {

constexpr std::chrono::milliseconds pause{1};

constinit Mutex mutex;
Undelivered::Entry* first KEYWATCH_GUARDED_BY(mutex) = nullptr;
Undelivered::Helper* helpers KEYWATCH_GUARDED_BY(mutex) = nullptr;
/// Number of entries that wait or are being retried. Sequentially consistent: the addition in add()
/// precedes the wake-ups, and pairs with the load in empty() of the threads that they wake.
std::atomic<std::size_t> count{0};

}  // namespace

bool Undelivered::empty() noexcept
{
    return count.load() == 0;
}

void Undelivered::add(Entry& entry) noexcept
{
    ++count;
    const MutexLock lock(mutex);
    entry.next_ = std::exchange(first, &entry);
    for (Helper* each = helpers; each != nullptr; each = each->next_) {
        each->wake();
    }
}

void Undelivered::retry() noexcept
{
    Entry* all = nullptr;
    {
        const MutexLock lock(mutex);
        all = std::exchange(first, nullptr);
    }
    while (all != nullptr) {
        Entry& entry = *all;
        all = std::exchange(entry.next_, nullptr);
        if (entry.deliver()) {
            --count;
        } else {
            const MutexLock lock(mutex);
            entry.next_ = std::exchange(first, &entry);
        }
    }
}

void Undelivered::enter(Helper& helper) noexcept
{
    const MutexLock lock(mutex);
    helper.next_ = helpers;
    if (helpers != nullptr) {
        helpers->previous_ = &helper;
    }
    helpers = &helper;
}

void Undelivered::leave(Helper& helper) noexcept
{
    bool last = false;
    {
        const MutexLock lock(mutex);
        (helper.previous_ != nullptr ? helper.previous_->next_ : helpers) = helper.next_;
        if (helper.next_ != nullptr) {
            helper.next_->previous_ = helper.previous_;
        }
        last = helpers == nullptr;
    }
    while (last && !empty()) {
        retry();
        if (!empty()) {
            std::this_thread::sleep_for(pause);
        }
    }
}

}  // namespace keywatch::async
