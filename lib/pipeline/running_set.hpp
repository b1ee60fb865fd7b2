// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "watcher_interface.hpp"

#include <cstddef>
#include <exception>
#include <vector>

namespace keywatch::pipeline {

/// The running watches: those that were added and have not been removed since.
///
/// 1. A watch knows its place in the set, so adding, finding and removing take constant time.
/// 2. Once the set is closed or has failed, nothing is added.
///
/// Used on the pipeline's strand.
class RunningSet {
public:
    /// Adds a watch. Throws `closed` if the set is closed, or the error with which it has failed.
    void add(SharedWatcher watcher);
    bool contains(const WatcherInterface& watcher) const noexcept;
    /// Removes a watch. Returns false if it is not in the set: it was rejected.
    bool remove(const WatcherInterface& watcher) noexcept;

    bool empty() const noexcept { return watchers_.empty(); }
    std::size_t size() const noexcept { return watchers_.size(); }
    const std::vector<SharedWatcher>& all() const noexcept { return watchers_; }

    /// Refuses watches from now on.
    void close() noexcept { closed_ = true; }
    bool is_closed() const noexcept { return closed_; }
    /// Ends all watches with this error, and rejects those that come later with it.
    void fail(std::exception_ptr error);

    /// Empties the set and returns what was in it, in no order.
    std::vector<SharedWatcher> release() noexcept;

private:
    std::vector<SharedWatcher> watchers_;
    bool closed_ = false;
    std::exception_ptr error_;
};

}  // namespace keywatch::pipeline
