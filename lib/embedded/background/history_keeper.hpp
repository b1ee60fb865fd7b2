// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/worker_thread.hpp"
#include "embedded/monotonic_clock.hpp"
#include "storage/format/catalogue.hpp"
#include "storage/format/history_record.hpp"
#include "storage/store.hpp"

#include <keywatch/options.hpp>
#include <keywatch/stats.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace keywatch::embedded {

/// A background task that frees space: it trims history to its limits, except what is pinned, and
/// erases the keys of dropped buckets, lists, sets and sorted sets.
///
/// The engine thread finds what to trim. It is removed step by step, together with the writes of
/// commits, because separate writes would make commits wait. It is written alone only while no
/// commits come. Steps are written in their order, one at a time.
///
/// Thread safety: all members may be called from any thread. The store must live as long as the
/// thread takes tasks.
class HistoryKeeper : public std::enable_shared_from_this<HistoryKeeper> {
public:
    /// The clock, like the store, must live as long as the thread takes tasks.
    HistoryKeeper(const Options& options, storage::Store& store, async::WorkerThread& thread,
                  const MonotonicClock& clock);

    /// Starts the work, including what an earlier process has not finished.
    void start();
    /// Notes that a record is durable.
    void committed(Revision revision, Time time, const storage::Totals& totals) noexcept;
    /// Adds removals to a batch that is about to be written for this many commits. If it returns
    /// true, `trimmed` must be called once the batch is durable. If the write fails, nothing more
    /// is trimmed.
    bool add_removals(storage::Batch& batch, std::size_t commits);
    void trimmed() noexcept;
    /// Schedules the erasure of an orphan, a prefix of keys that are no longer needed.
    /// Precondition: it is durable that the prefix is an orphan.
    void dropped(const std::string& prefix) noexcept;

    Stats::History stats() const;
    /// Returns the state of both ends of history.
    storage::HistoryState state() const;
    /// Returns the oldest revision in history.
    Revision oldest() const noexcept { return oldest_.load(std::memory_order_acquire); }

private:
    /// Number of records trimmed along with a commit, and number of keys erased in one batch.
    static constexpr std::size_t trim_step = 16;
    static constexpr std::size_t erase_step = 1024;

    bool can_trim(Time now) const;
    bool over_limits(Time now) const;
    std::uint64_t kept_bytes() const;
    void schedule_plan() noexcept;
    void plan();
    storage::TrimAmount amount() const;
    void write_plan();
    bool take_removals(storage::Batch& batch, std::size_t steps);
    void schedule_erase() noexcept;
    void erase();

    const HistoryLimits limits_;
    storage::Store& store_;
    async::WorkerThread& thread_;
    const MonotonicClock& clock_;
    std::atomic<Revision> oldest_;

    mutable std::mutex mutex_;
    storage::HistoryState history_;
    std::uint64_t trimmed_ = 0;
    std::deque<std::string> orphans_;
    std::deque<storage::TrimStep> planned_;
    std::atomic<bool> has_plan_{false};  ///< shows without a lock that there is no plan
    bool planning_ = false;
    /// The future older end of history, while removals are being written.
    std::optional<storage::HistoryState> trimmed_to_;
    std::size_t being_trimmed_ = 0;
    std::size_t commits_since_plan_ = 0;
    bool erasing_ = false;
};

}  // namespace keywatch::embedded
