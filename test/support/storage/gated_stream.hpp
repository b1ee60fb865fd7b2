// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <ostream>
#include <streambuf>

namespace keywatch::test {

/// A stream that blocks until it is opened, so that a test can act while a backup is running.
/// Afterwards it accepts everything and discards it.
class GatedStream final : private std::streambuf {
public:
    GatedStream() : out_(this) {}

    std::ostream& out() { return out_; }

    /// Returns true if a writer is waiting.
    bool reached() const
    {
        const std::lock_guard lock(mutex_);
        return reached_;
    }
    void open()
    {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

private:
    std::streamsize xsputn(const char*, std::streamsize size) override
    {
        std::unique_lock lock(mutex_);
        reached_ = true;
        changed_.wait(lock, [this] { return open_; });
        return size;
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool reached_ = false;
    bool open_ = false;
    std::ostream out_;
};

}  // namespace keywatch::test
