// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "waiter.hpp"

#include "values/mutex.hpp"

#include <boost/asio/awaitable.hpp>

#include <utility>

namespace keywatch::async {

/// An auto-reset event with a single waiter: `notify` may be called from any thread, `wait`
/// consumes the notification. It resumes the coroutine with a single post.
///
/// Thread safety: all members may be called from any thread. Only one coroutine waits at a time.
class WakeUp {
public:
    /// Waits until `notify` has been called after the last time that this returned. Cannot be
    /// cancelled.
    asio::awaitable<void> wait()
    {
        return suspend([this](Waiter waiter) { add(std::move(waiter)); });
    }

    /// Same as `wait`, for a coroutine that is already suspended.
    void add(Waiter waiter)
    {
        {
            const MutexLock lock(mutex_);
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
            const MutexLock lock(mutex_);
            waiter = std::move(waiter_);
            notified_ = !waiter;
        }
        if (waiter) {
            waiter.complete();
        }
    }

private:
    Mutex mutex_;
    Waiter waiter_ KEYWATCH_GUARDED_BY(mutex_);
    bool notified_ KEYWATCH_GUARDED_BY(mutex_) = false;
};

}  // namespace keywatch::async
