// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "writer_turn.hpp"

#include "async/waiter.hpp"
#include "async/worker_thread.hpp"
#include "embedded/background/history_keeper.hpp"
#include "embedded/background/sweeper.hpp"
#include "embedded/transaction/snapshot_workspace.hpp"
#include "embedded/transaction/write_set.hpp"
#include "engine/engine.hpp"
#include "storage/format/batch.hpp"
#include "storage/format/catalogue.hpp"
#include "storage/format/history_record.hpp"
#include "storage/store.hpp"

#include <atomic>
#include <chrono>
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

namespace keywatch::engine {

/// A transaction that was executed and is to be made durable.
struct Executed {
    /// 0 if it changed nothing, and only waits for what it has read.
    Revision revision = 0;
    Time time{};
    storage::Totals totals;
    std::shared_ptr<const CommitRecord> commit;  ///< null if nobody wants it
    std::vector<storage::CatalogueChange> catalogue;
    std::vector<std::string> orphans;  ///< prefixes of keys that nothing needs any more
    storage::BucketId next_bucket = 0;
    std::shared_ptr<const WriteSet> writes;
    std::size_t bytes = 0;
    std::optional<Time> earliest_deadline;  ///< of those that keys have got
    std::vector<Revision> unpins;           ///< where cursors of this history are not any more
    std::size_t expired = 0;                ///< keys that were removed as their time was over
    bool may_expire = false;                ///< some key may have a deadline, so its time counts
};

/// Makes executed transactions durable, in groups: all that were executed while the engine thread
/// was busy are one batch and one flush.
///
/// 1. Groups are written one at a time, in the order of revisions.
/// 2. Nothing is published before its group is durable: first the catalogue, then the durable
///    head, then the sink, then the acknowledgements.
/// 3. After a failed write nothing is written any more: all that waits fails, and all that comes.
///
/// Thread safety: `join`, `write_now` and `idle` by whoever has the writer's turn; the rest any.
/// The store must live as long as the thread takes tasks.
class GroupWriter : public std::enable_shared_from_this<GroupWriter> {
public:
    GroupWriter(const Options& options, storage::Store& store, async::WorkerThread& thread,
                std::shared_ptr<WriterTurn> turn, std::shared_ptr<DurableCatalogue> catalogue,
                std::shared_ptr<HistoryKeeper> keeper);

    /// Once, before the first commit.
    void set_sink(std::shared_ptr<CommitSink> sink) { sink_ = std::move(sink); }
    /// The same, for who is to be told of deadlines.
    void set_sweeper(std::shared_ptr<Sweeper> sweeper) { sweeper_ = std::move(sweeper); }

    /// The same. `waits` is called when a group waits to be started by an executor of the program:
    /// `look` is to be called from then on.
    void set_lookout(std::function<void()> waits) { waits_ = std::move(waits); }

    /// Whether a commit will be given to somebody.
    bool wants_commits() const noexcept { return sink_ && sink_->wants_commits(); }

    /// Adds to the open group, with what it writes. Sees to it that the group is written: at once
    /// if the engine thread is busy, else after a turn of the waiter's event loop, so that writers
    /// in a closed loop form full groups. `one` is a list of one.
    struct Member {
        Executed executed;
        storage::Batch batch;
        async::Waiter waiter;
    };
    void join(std::list<Member> one) noexcept;

    /// Starts the group that the executors of its writers have not started since the last call of
    /// this, as they are blocked. To be called again if it gives true.
    bool look();

    /// Whether nothing is waiting or being written.
    bool idle() const;
    /// What a batch needs besides before it is written.
    struct Prepared {
        std::vector<storage::CatalogueChange> changes;
        Revision last = 0;  ///< 0 if nothing was changed
        std::optional<Time> time;
        bool trims = false;
    };
    /// For write_now(). If it throws, it is as if the transaction had not been executed. Throws as
    /// `check`.
    Prepared prepare_now(const Executed& executed, storage::Batch& batch);
    /// Writes at once, on the calling thread. Precondition: idle(). If it throws, nothing is
    /// written any more.
    void write_now(const Executed& executed, storage::Batch& batch, const Prepared& prepared);

    bool failed() const noexcept
    {
        return failed_.load(std::memory_order_acquire) ||
               store_failed_->load(std::memory_order_acquire);
    }
    /// After a failed write throws what it failed with, and why: `storage_failed` or `damaged`.
    void check() const;
    /// The last revision that was given to the store: reads may see it before the head says so.
    Revision handed_over() const noexcept
    {
        return failed() ? durable_head() : handed_over_.load(std::memory_order_acquire);
    }
    /// A transaction that was executed will never be written: as after a failed write. Called by
    /// who handles the exception.
    void give_up();
    /// What it knows of them.
    Stats::Engine stats() const;
    /// The time of the database that the next open will find.
    Time stored_time() const noexcept { return stored_time_.load(); }
    Revision durable_head() const noexcept { return head_.load(std::memory_order_seq_cst); }

    /// Fails all that wait. The thread takes no tasks any more.
    void abandon(const std::exception_ptr& reason) noexcept;

private:
    using Members = std::list<Member>;

    void start() noexcept;
    /// False if there is no memory for that.
    bool post_group() noexcept;
    void write_open_group();
    /// Returns whether there is another one.
    bool write_next_group();
    bool write(Members& group);
    std::optional<Time> time_to_store(std::span<const Executed> executed) const;
    Prepared prepare(storage::Batch& batch, std::span<const Executed> executed);
    void write_batch(storage::Batch& batch, std::span<const Executed> executed,
                     const Prepared& prepared);
    void publish(std::span<const Executed> executed, Revision last) noexcept;
    void note_failure(const std::exception_ptr& failure);
    std::exception_ptr failure() const;
    void count(const storage::Batch& batch, std::span<const Executed> executed,
               std::chrono::nanoseconds flush_time) noexcept;

    // Constant after construction, or thread-safe by itself.
    const Durability durability_;
    const bool keeps_history_;
    const std::size_t max_pending_bytes_;
    storage::Store& store_;
    /// Asked for also when the store is closed.
    const std::shared_ptr<const std::atomic<bool>> store_failed_;
    async::WorkerThread& thread_;
    const std::shared_ptr<WriterTurn> turn_;
    const std::shared_ptr<DurableCatalogue> catalogue_;
    const std::shared_ptr<HistoryKeeper> keeper_;
    std::shared_ptr<CommitSink> sink_;
    std::shared_ptr<Sweeper> sweeper_;
    std::function<void()> waits_;
    std::atomic<Revision> head_;
    std::atomic<Revision> handed_over_;
    std::atomic<bool> failed_{false};
    std::atomic<Time> stored_time_;  ///< changed by the thread that writes a group
    /// For `Stats`, as named there; changed by who writes a group.
    struct {
        std::atomic<std::uint64_t> commits{0};
        std::atomic<std::uint64_t> groups{0};
        std::atomic<std::uint64_t> largest_group{0};
        std::atomic<std::uint64_t> flushes{0};
        std::atomic<std::uint64_t> flush_nanoseconds{0};
        std::atomic<std::uint64_t> bytes_written{0};
        std::atomic<std::uint64_t> expired{0};
    } counters_;

    mutable std::mutex mutex_;
    Members open_;
    std::size_t pending_bytes_ = 0;
    bool writing_ = false;
    std::uint64_t group_ = 1;     ///< the number of the open one
    std::uint64_t looked_ = 0;    ///< the one that waited when `look` was last called
    std::exception_ptr failure_;  ///< the first one
};

}  // namespace keywatch::engine
