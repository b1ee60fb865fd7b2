// SPDX-License-Identifier: BSL-1.0
#include "prefix_eraser.hpp"

#include <keywatch/error.hpp>

#include <boost/system/system_error.hpp>

#include <chrono>
#include <new>

namespace keywatch::embedded {

namespace {

/// Time after which a read that the system refused is retried.
constexpr std::chrono::seconds retry_time{1};

}  // namespace

PrefixEraser::PrefixEraser(storage::Store& store, async::WorkerThread& thread)
    : store_(store),
      thread_(thread),
      prefixes_(store.orphans_at_open().begin(), store.orphans_at_open().end())
{
}

void PrefixEraser::start()
{
    const std::lock_guard lock(mutex_);
    if (!prefixes_.empty()) {
        schedule();
    }
}

void PrefixEraser::add(const std::string& prefix) noexcept
{
    const std::lock_guard lock(mutex_);
    try {
        prefixes_.push_back(prefix);
    } catch (const std::bad_alloc&) {
        return;  // the next open erases it
    }
    if (!scheduled_) {
        schedule();
    }
}

void PrefixEraser::schedule() noexcept
{
    try {
        scheduled_ = thread_.post([self = shared_from_this()] { self->erase(); });
    } catch (const std::bad_alloc&) {
        scheduled_ = false;  // retried with the next prefix, or by the next open
    }
}

void PrefixEraser::erase()
{
    std::string prefix;
    {
        const std::lock_guard lock(mutex_);
        prefix = prefixes_.front();
    }
    bool gone = false;
    try {
        gone = store_.erase_orphan(prefix, erase_step);
    } catch (const boost::system::system_error& error) {
        // If the store has failed or is damaged, the next open retries this.
        const bool later = !store_.failed() && error.code() == Error::storage_failed;
        const std::lock_guard lock(mutex_);
        if (!later) {
            prefixes_.clear();
        }
        scheduled_ =
            later && thread_.post_after(retry_time, [self = shared_from_this()] { self->erase(); });
        return;
    }
    const std::lock_guard lock(mutex_);
    if (gone) {
        prefixes_.pop_front();
    }
    scheduled_ = false;
    if (!prefixes_.empty()) {
        schedule();
    }
}

}  // namespace keywatch::embedded
