// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace keywatch::watch {

/// A limit on the bytes that all inboxes of a database may hold together.
///
/// Thread safety: all members, from any thread.
class SharedBytes {
public:
    explicit SharedBytes(std::size_t limit) : limit_(limit) {}

    /// Reserves bytes. If the limit would be exceeded, returns false and reserves nothing.
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

/// Bytes of a commit that several inboxes hold. They are reserved once, until the last inbox has
/// released its copy of the pointer.
class CommonBytes {
public:
    /// Returns null if the limit leaves no room.
    static std::shared_ptr<const CommonBytes> reserve(const std::shared_ptr<SharedBytes>& shared,
                                                      std::size_t bytes)
    {
        auto common = std::make_shared<CommonBytes>(shared);
        if (!shared->reserve(bytes)) {
            return nullptr;
        }
        common->bytes_ = bytes;
        return common;
    }
    explicit CommonBytes(std::shared_ptr<SharedBytes> shared) : shared_(std::move(shared)) {}
    CommonBytes(const CommonBytes&) = delete;
    CommonBytes& operator=(const CommonBytes&) = delete;
    ~CommonBytes() { shared_->release(bytes_); }

private:
    const std::shared_ptr<SharedBytes> shared_;
    std::size_t bytes_ = 0;
};

}  // namespace keywatch::watch
