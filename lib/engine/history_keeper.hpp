// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/worker_thread.hpp"
#include "storage/catalogue.hpp"
#include "storage/history_record.hpp"
#include "storage/store.hpp"

#include <keywatch/options.hpp>
#include <keywatch/stats.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace keywatch::engine {

/// Gives space back, in the background: trims history to its limits and erases the keys of dropped
/// buckets. All in small steps on the engine thread, so that a group of commits waits for one step
/// at the most.
///
/// Thread safety: all members, from any thread. The store must live as long as the thread takes
/// tasks.
class HistoryKeeper : public std::enable_shared_from_this<HistoryKeeper> {
public:
    HistoryKeeper(const Options& options, storage::Store& store, async::WorkerThread& thread);

    /// Takes up what an earlier process has left.
    void start();
    /// A record is durable.
    void committed(Revision revision, Time time, const storage::Totals& totals) noexcept;
    /// A bucket's deletion is durable.
    void dropped(storage::BucketId id);

    Stats::History stats() const;
    /// The oldest revision that history has.
    Revision oldest() const noexcept { return oldest_.load(std::memory_order_acquire); }

private:
    /// So many records are trimmed, and so many keys erased, in one step.
    static constexpr std::size_t trim_step = 256;
    static constexpr std::size_t erase_step = 1024;

    bool over_limits(Time now) const;
    void schedule_trim();
    void trim();
    void schedule_erase();
    void erase();

    const HistoryLimits limits_;
    storage::Store& store_;
    async::WorkerThread& thread_;
    std::atomic<Revision> oldest_;

    mutable std::mutex mutex_;
    storage::HistoryState history_;
    std::uint64_t trimmed_ = 0;
    std::deque<storage::BucketId> orphans_;
    bool trimming_ = false;
    bool erasing_ = false;
};

}  // namespace keywatch::engine
