// SPDX-License-Identifier: BSL-1.0
#include "registry.hpp"

#include <algorithm>
#include <utility>

namespace keywatch::pipeline {

void Registry::add(WatcherInterface& watcher)
{
    const std::lock_guard lock(mutex_);
    watchers_.emplace(watcher.id(), &watcher);
}

void Registry::remove(const WatcherInterface& watcher) noexcept
{
    const std::lock_guard lock(mutex_);
    watchers_.erase(watcher.id());
}

std::vector<SharedWatcher> Registry::all() const
{
    std::vector<SharedWatcher> all;
    {
        const std::lock_guard lock(mutex_);
        all.reserve(watchers_.size());
        for (const auto& [id, watcher] : watchers_) {
            // Null while the watcher's destructor waits for this mutex.
            if (auto shared = watcher->weak_from_this().lock()) {
                all.push_back(std::move(shared));
            }
        }
    }
    std::ranges::sort(all, {}, [](const auto& each) { return each->id(); });
    return all;
}

}  // namespace keywatch::pipeline
