// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "commit_counters.hpp"
#include "durable_catalogue.hpp"
#include "pending_commit.hpp"
#include "writer_lock.hpp"

#include "async/waiter.hpp"
#include "async/worker_thread.hpp"
#include "embedded/background/history_trimmer.hpp"
#include "embedded/background/prefix_eraser.hpp"
#include "embedded/background/sweeper.hpp"
#include "engine/engine.hpp"
#include "storage/format/batch.hpp"
#include "storage/format/catalogue.hpp"
#include "storage/store.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace keywatch::embedded {

/// A writer that makes executed transactions durable, in groups: all that were executed while the
/// engine thread was busy share one batch and one flush.
///
/// 1. Groups are written one at a time, in the order of revisions.
/// 2. Nothing is published before its group is durable: first the catalogue, then the durable head,
///    then the sink, then the acknowledgements.
/// 3. After a failed write nothing more is written. All waiting and all later transactions fail.
///
/// Thread safety: `join`, `prepare_now` and `write_now` may be called only by the holder of the
/// writer lock, all other members from any thread. While the lock is held, an idle writer stays
/// idle. The store must live as long as the thread takes tasks.
class GroupWriter : public std::enable_shared_from_this<GroupWriter> {
public:
    GroupWriter(const Options& options, storage::Store& store, async::WorkerThread& thread,
                std::shared_ptr<WriterLock> writer_lock,
                std::shared_ptr<DurableCatalogue> catalogue,
                std::shared_ptr<HistoryTrimmer> trimmer, std::shared_ptr<PrefixEraser> eraser);

    /// Sets the sink. Call once, before the first commit.
    void set_sink(std::shared_ptr<engine::CommitSink> sink) { sink_ = std::move(sink); }
    /// Sets the sweeper, which is notified of deadlines. Call once, before the first commit.
    void set_sweeper(std::shared_ptr<Sweeper> sweeper) { sweeper_ = std::move(sweeper); }

    /// Sets the lookout. Call once, before the first commit. `waits` is called when a group waits
    /// to be started by an executor of the program: `start_overdue` must be called from then on.
    void set_lookout(std::function<void()> waits) { waits_ = std::move(waits); }

    /// Returns true if the sink wants commits.
    bool wants_commits() const noexcept { return sink_ && sink_->wants_commits(); }

    /// A transaction in a group, with its writes and the coroutine that waits for it.
    struct Member {
        PendingCommit pending;
        storage::Batch batch;
        async::Waiter waiter;
    };
    /// Adds a transaction to the open group. `one` is a list of one. The group is written as soon
    /// as possible if the engine thread is busy, otherwise after a turn of the waiter's event loop,
    /// so that writers in a closed loop form full groups.
    void join(std::list<Member> one) noexcept;

    /// Starts the open group if its writers' executors are blocked and have not started it since
    /// the last call. Returns true if it must be called again.
    bool start_overdue();

    /// Returns true if nothing waits or is being written.
    bool idle() const;
    /// The result of everything that is done before a batch is written.
    struct Prepared {
        std::vector<storage::CatalogueChange> changes;
        Revision last = 0;  ///< 0 if nothing was changed
        std::optional<Time> time;
        bool trims = false;
    };
    /// Prepares write_now(). If it throws, it is as if the transaction had not been executed.
    /// Throws what `check` throws.
    Prepared prepare_now(const PendingCommit& pending, storage::Batch& batch);
    /// Writes at once, on the calling thread. Precondition: idle(). If it throws, nothing more is
    /// written.
    void write_now(const PendingCommit& pending, storage::Batch& batch, const Prepared& prepared);

    bool failed() const noexcept
    {
        // Relaxed: `failure_` is guarded by the mutex. Acquire pairs with the release in Store,
        // which stores its failure first.
        return failed_.load(std::memory_order_relaxed) ||
               store_failed_->load(std::memory_order_acquire);
    }
    /// Throws `storage_failed` or `damaged`, with the reason, if a write has failed.
    void check() const;
    /// Returns the last revision that was passed to the store. Reads may see it before it is the
    /// durable head. After a failed write, returns the durable head.
    Revision submitted() const noexcept
    {
        return failed() ? durable_head() : submitted_.load(std::memory_order_relaxed);
    }
    /// Notes that an executed transaction will never be written. The effect is that of a failed
    /// write. Call while the exception is being handled.
    void latch_failure();
    /// Returns the statistics counted by this class.
    Stats::Engine stats() const
    {
        Stats::Engine stats = counters_.stats();
        stats.head_revision = durable_head();
        const std::lock_guard lock(mutex_);
        stats.pending_bytes = pending_bytes_;
        return stats;
    }
    /// Returns the time of the database that the next open will find.
    Time stored_time() const noexcept { return stored_time_.load(std::memory_order_relaxed); }
    /// Returns the newest durable revision. Pairs with the store in publish(): in one order with
    /// the operations of the sink, as CommitSink promises.
    Revision durable_head() const noexcept { return head_.load(std::memory_order_seq_cst); }

    /// Fails all waiting transactions. Precondition: the thread no longer takes tasks.
    void fail_waiting(const std::exception_ptr& reason) noexcept;

private:
    using Members = std::list<Member>;

    void start() noexcept;
    /// Returns false if there is no memory for the task.
    bool post_group() noexcept;
    void write_open_group();
    /// Returns true if there is another group.
    bool write_next_group();
    bool write(Members& group);
    std::optional<Time> time_to_store(std::span<const PendingCommit> pending) const;
    Prepared prepare(storage::Batch& batch, std::span<const PendingCommit> pending);
    void write_batch(storage::Batch& batch, std::span<const PendingCommit> pending,
                     const Prepared& prepared);
    void publish(std::span<const PendingCommit> pending, Revision last) noexcept;
    void set_failure(const std::exception_ptr& failure);
    std::exception_ptr failure() const;

    // Constant after construction, or thread-safe by itself.
    const Durability durability_;
    const bool keeps_history_;
    const std::size_t max_pending_bytes_;
    storage::Store& store_;
    /// Read even after the store was closed.
    const std::shared_ptr<const std::atomic<bool>> store_failed_;
    async::WorkerThread& thread_;
    const std::shared_ptr<WriterLock> writer_lock_;
    const std::shared_ptr<DurableCatalogue> catalogue_;
    const std::shared_ptr<HistoryTrimmer> trimmer_;
    const std::shared_ptr<PrefixEraser> eraser_;
    std::shared_ptr<engine::CommitSink> sink_;
    std::shared_ptr<Sweeper> sweeper_;
    std::function<void()> waits_;
    std::atomic<Revision> head_;
    /// Relaxed: stored before the batch is written. A read that shows the batch has locked the
    /// store's mutex after the write, so its thread sees this value.
    std::atomic<Revision> submitted_;
    std::atomic<bool> failed_{false};
    std::atomic<Time> stored_time_;  ///< changed by the thread that writes a group
    CommitCounters counters_;        ///< changed by the thread that writes a group

    // Guarded by `mutex_`.
    mutable std::mutex mutex_;
    Members open_;
    std::size_t pending_bytes_ = 0;
    bool writing_ = false;
    std::uint64_t group_ = 1;          ///< the number of the open one
    std::uint64_t waiting_group_ = 0;  ///< the one that waited when `start_overdue` was last called
    std::exception_ptr failure_;       ///< the first one
};

}  // namespace keywatch::embedded
