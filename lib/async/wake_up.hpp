// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "waiter.hpp"

#include <boost/asio/awaitable.hpp>

#include <mutex>
#include <utility>

namespace keywatch::async {

/// What one coroutine waits for, and anybody may give: a flag that is taken away by being waited
/// for. It resumes the coroutine with a single post, from whichever thread.
///
/// Thread safety: all members, from any thread; one coroutine waits at a time.
class WakeUp {
public:
    /// Returns once `notify` was called after the last time that this returned. Not cancelled.
    asio::awaitable<void> wait()
    {
        return suspend([this](Waiter waiter) { add(std::move(waiter)); });
    }

    /// The same, for a coroutine that is suspended already.
    void add(Waiter waiter)
    {
        {
            const std::lock_guard lock(mutex_);
            if (!std::exchange(notified_, false)) {
                waiter_ = std::move(waiter);
                return;
            }
        }
        waiter.complete();  // NOLINT(bugprone-use-after-move): only moved if it waits
    }

    void notify() noexcept
    {
        Waiter waiter;
        {
            const std::lock_guard lock(mutex_);
            waiter = std::move(waiter_);
            notified_ = !waiter;
        }
        if (waiter) {
            waiter.complete();
        }
    }

private:
    std::mutex mutex_;
    Waiter waiter_;
    bool notified_ = false;
};

}  // namespace keywatch::async
