// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/worker_thread.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

namespace keywatch::embedded {

/// A background task that erases the keys of dropped buckets, lists, sets and sorted sets: all keys
/// that begin with a prefix which a durable commit has made an orphan.
///
/// 1. Prefixes are erased one at a time, in the order in which they were added. The one that is
///    being erased is the first of `prefixes_`.
/// 2. At most one task is posted, and it erases at most `erase_step` keys. So groups and trimming
///    have their turns on the engine thread in between.
/// 3. The orphan_key of a prefix is erased in the batch of the last keys. So a prefix that is lost
///    here, for lack of memory or after an error, is erased after the next open.
///
/// Thread safety: all members may be called from any thread. The store must live as long as the
/// thread takes tasks.
class PrefixEraser : public std::enable_shared_from_this<PrefixEraser> {
public:
    PrefixEraser(storage::Store& store, async::WorkerThread& thread);

    /// Starts the work that an earlier process has not finished. Call once.
    void start();
    /// Schedules the erasure of a prefix. Precondition: its orphan_key is durable.
    void add(const std::string& prefix) noexcept;

private:
    /// Number of keys erased in one batch.
    static constexpr std::size_t erase_step = 1024;

    void erase();

    // Precondition of the following: the mutex is held.
    void schedule() noexcept;

    storage::Store& store_;
    async::WorkerThread& thread_;

    // Guarded by `mutex_`.
    std::mutex mutex_;
    std::deque<std::string> prefixes_;
    bool scheduled_ = false;  ///< true while a task is posted or runs
};

}  // namespace keywatch::embedded
