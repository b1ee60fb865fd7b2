// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace keywatch::embedded {

/// A count of the views that read the store, so that the store is not closed while they read.
class ViewGate {
public:
    /// Returns false if the gate is closed.
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

    /// Refuses further views, and blocks until all have left.
    void close()
    {
        std::unique_lock lock(mutex_);
        closed_ = true;
        empty_.wait(lock, [this] { return inside_ == 0; });
    }

    /// A scope guard that leaves the gate at the end of a block that has entered it.
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

}  // namespace keywatch::embedded
