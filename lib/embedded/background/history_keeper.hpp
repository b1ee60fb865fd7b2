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

namespace keywatch::engine {

/// Gives space back, in the background: trims history to its limits, but for what is pinned, and
/// erases the keys of dropped
/// buckets, lists, sets and sorted sets.
///
/// What is to be trimmed is found on the engine thread, and removed step by step along with what
/// commits write: writes of its own would make them wait. Only when no commits come it is written
/// alone. Steps are written in their order, one at a time.
///
/// Thread safety: all members, from any thread. The store must live as long as the thread takes
/// tasks.
class HistoryKeeper : public std::enable_shared_from_this<HistoryKeeper> {
public:
    /// The clock must live as long as the thread takes tasks, as the store.
    HistoryKeeper(const Options& options, storage::Store& store, async::WorkerThread& thread,
                  const MonotonicClock& clock);

    /// Takes up what an earlier process has left.
    void start();
    /// A record is durable.
    void committed(Revision revision, Time time, const storage::Totals& totals) noexcept;
    /// Adds removals to a batch that is about to be written for so many commits. If it gives true,
    /// `trimmed` must be called when the batch is durable; if that fails, nothing is trimmed any
    /// more.
    bool add_removals(storage::Batch& batch, std::size_t commits);
    void trimmed() noexcept;
    /// It is durable that this is an orphan: the beginning of keys that nothing needs any more.
    void dropped(const std::string& prefix) noexcept;

    Stats::History stats() const;
    /// Both ends of history.
    storage::HistoryState state() const;
    /// The oldest revision that history has.
    Revision oldest() const noexcept { return oldest_.load(std::memory_order_acquire); }

private:
    /// So many records are trimmed along with a commit, and so many keys erased in one batch.
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
    std::atomic<bool> has_plan_{false};  ///< for who need not lock to see that there is none
    bool planning_ = false;
    /// What history's older end will be, while removals are being written.
    std::optional<storage::HistoryState> trimmed_to_;
    std::size_t being_trimmed_ = 0;
    std::size_t commits_since_plan_ = 0;
    bool erasing_ = false;
};

}  // namespace keywatch::engine
