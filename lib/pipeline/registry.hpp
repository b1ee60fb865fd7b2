// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "watcher_interface.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <mutex>
#include <vector>

namespace keywatch::pipeline {

/// The watches that run or have a handle, for functions that list them.
///
/// Thread safety: all members may be called from any thread.
class Registry {
public:
    /// Adds a watch. Precondition: a shared pointer owns it.
    void add(WatcherInterface& watcher);
    /// Called by the watcher's destructor.
    void remove(const WatcherInterface& watcher) noexcept;

    /// Returns all watches, in the order in which they were created.
    std::vector<SharedWatcher> all() const;

private:
    mutable std::mutex mutex_;
    boost::unordered_flat_map<std::uint64_t, WatcherInterface*> watchers_;
};

}  // namespace keywatch::pipeline
