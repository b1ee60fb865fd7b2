// SPDX-License-Identifier: BSL-1.0
#include "running_set.hpp"

#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <utility>

namespace keywatch::pipeline {

void RunningSet::add(SharedWatcher watcher)
{
    if (error_) {
        std::rethrow_exception(error_);
    }
    if (closed_) {
        keywatch::fail(Error::closed);
    }
    watchers_.push_back(std::move(watcher));
    watchers_.back()->running_index_ = watchers_.size() - 1;
}

bool RunningSet::contains(const WatcherInterface& watcher) const noexcept
{
    const std::size_t index = watcher.running_index_;
    return index < watchers_.size() && watchers_[index].get() == &watcher;
}

bool RunningSet::remove(const WatcherInterface& watcher) noexcept
{
    if (!contains(watcher)) {
        return false;
    }
    const std::size_t index = watcher.running_index_;
    watchers_[index]->running_index_ = WatcherInterface::nowhere;
    if (index + 1 < watchers_.size()) {
        watchers_[index] = std::move(watchers_.back());
        watchers_[index]->running_index_ = index;
    }
    watchers_.pop_back();
    return true;
}

void RunningSet::fail(std::exception_ptr error)
{
    error_ = error;
    for (const SharedWatcher& watcher : watchers_) {
        watcher->fail(error);
    }
}

std::vector<SharedWatcher> RunningSet::release() noexcept
{
    for (const SharedWatcher& watcher : watchers_) {
        watcher->running_index_ = WatcherInterface::nowhere;
    }
    return std::exchange(watchers_, {});
}

}  // namespace keywatch::pipeline
