// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace keywatch::engine {

/// Counts the views that read the store, so that it is not closed under them.
class ViewGate {
public:
    /// False once it is closed.
    bool enter()
    {
        const std::lock_guard lock(mutex_);
        if (closed_) {
            return false;
        }
        ++inside_;
        return true;
    }

    void leave()
    {
        const std::lock_guard lock(mutex_);
        if (--inside_ == 0) {
            empty_.notify_all();
        }
    }

    /// Lets nobody in any more, and waits until all have left.
    void close()
    {
        std::unique_lock lock(mutex_);
        closed_ = true;
        empty_.wait(lock, [this] { return inside_ == 0; });
    }

    /// Leaves at the end of a block that was entered.
    struct Inside {
        explicit Inside(ViewGate& gate_) : gate(gate_) {}
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;
        ~Inside() { gate.leave(); }

        ViewGate& gate;
    };

private:
    std::mutex mutex_;
    std::condition_variable empty_;
    std::size_t inside_ = 0;
    bool closed_ = false;
};

}  // namespace keywatch::engine
