// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>

namespace keywatch::watch {

/// A number of bytes that all inboxes of a database together may hold.
///
/// Thread safety: all members, from any thread.
class SharedBytes {
public:
    explicit SharedBytes(std::size_t limit) : limit_(limit) {}

    /// False, and nothing is reserved, if that were more than there may be.
    bool reserve(std::size_t bytes) noexcept
    {
        if (bytes > limit_) {
            return false;
        }
        if (used_.fetch_add(bytes, std::memory_order_relaxed) <= limit_ - bytes) {
            return true;
        }
        release(bytes);
        return false;
    }
    void release(std::size_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }

    std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }

private:
    const std::size_t limit_;
    std::atomic<std::size_t> used_{0};
};

}  // namespace keywatch::watch
