// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/worker_thread.hpp"
#include "embedded/monotonic_clock.hpp"
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

namespace keywatch::embedded {

/// A background task that trims history to its limits, except what is pinned.
///
/// The engine thread plans what to trim. It is removed step by step, together with the writes of
/// commits, because separate writes would make commits wait. It is written alone only while no
/// commits come.
///
/// 1. Steps are written in the order in which they were planned. While the batch with some of them
///    is being written (`trimmed_to_`), no others are taken.
/// 2. A plan is made only when all steps of the last one are written, as Store::plan_trim demands.
/// 3. `oldest()` moves only once the removals are durable. So the older end that is shown here is
///    never after the stored one.
/// 4. After a failed write, `trimmed_to_` is never reset, and nothing more is trimmed.
///
/// Thread safety: all members may be called from any thread. The store must live as long as the
/// thread takes tasks.
class HistoryTrimmer : public std::enable_shared_from_this<HistoryTrimmer> {
public:
    /// The clock, like the store, must live as long as the thread takes tasks.
    HistoryTrimmer(const Options& options, storage::Store& store, async::WorkerThread& thread,
                   const MonotonicClock& clock);

    /// Starts trimming, including what an earlier process has not finished. Call once.
    void start();
    /// Notes that a record is durable.
    void committed(Revision revision, Time time, const storage::Totals& totals) noexcept;
    /// Adds removals to a batch that is about to be written for this many commits. If it returns
    /// true, `trimmed` must be called once the batch is durable. If the write fails, nothing more
    /// is trimmed. If it throws, for lack of memory, a later call adds the same removals.
    bool add_removals(storage::Batch& batch, std::size_t commits);
    /// Notes that the removals are durable. Precondition: add_removals() has returned true.
    void trimmed() noexcept;

    Stats::History stats() const;
    /// Returns the state of both ends of history.
    storage::HistoryState state() const;
    /// Returns the oldest revision in history. Acquire pairs with the release in trimmed(): the
    /// durable head that is read after this is not before it.
    Revision oldest() const noexcept { return oldest_.load(std::memory_order_acquire); }

private:
    /// Number of records trimmed along with a commit.
    static constexpr std::size_t trim_step = 16;

    void plan();
    void write_plan();

    // Precondition of the following: the mutex is held.
    bool can_trim(Time now) const;
    bool over_limits(Time now) const;
    std::uint64_t kept_bytes() const;
    storage::TrimAmount amount() const;
    void schedule_plan() noexcept;
    bool take_removals(storage::Batch& batch, std::size_t steps);

    // Constant after construction, or thread-safe by itself.
    const HistoryLimits limits_;
    storage::Store& store_;
    async::WorkerThread& thread_;
    const MonotonicClock& clock_;
    std::atomic<Revision> oldest_;
    std::atomic<bool> has_plan_{false};  ///< shows without a lock that there is no plan

    // Guarded by `mutex_`.
    mutable std::mutex mutex_;
    storage::HistoryState history_;
    std::uint64_t trimmed_ = 0;
    std::deque<storage::TrimStep> planned_;
    bool planning_ = false;  ///< true while a task that plans is posted or runs
    /// The future older end of history, while removals are being written.
    std::optional<storage::HistoryState> trimmed_to_;
    std::size_t being_trimmed_ = 0;
    std::size_t commits_since_plan_ = 0;
};

}  // namespace keywatch::embedded
