// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace keywatch::pipeline {

class WatcherCore;

/// All watches that somebody has a handle to, or that run: for those who look at them.
///
/// Thread safety: all members, from any thread.
class Registry {
public:
    /// When a shared pointer owns it.
    void add(WatcherCore& watcher);
    /// Of its destructor.
    void remove(const WatcherCore& watcher) noexcept;

    /// In the order in which they were made.
    std::vector<std::shared_ptr<WatcherCore>> all() const;

private:
    mutable std::mutex mutex_;
    boost::unordered_flat_map<std::uint64_t, WatcherCore*> watchers_;
};

}  // namespace keywatch::pipeline
