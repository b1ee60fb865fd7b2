// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "monotonic_clock.hpp"
#include "view_gate.hpp"

#include "async/context_service.hpp"
#include "async/worker_thread.hpp"
#include "embedded/background/backup_thread.hpp"
#include "embedded/background/history_trimmer.hpp"
#include "embedded/background/prefix_eraser.hpp"
#include "embedded/background/sweeper.hpp"
#include "embedded/commit/durable_catalogue.hpp"
#include "embedded/commit/group_writer.hpp"
#include "embedded/commit/lookout.hpp"
#include "embedded/commit/pending_commit.hpp"
#include "embedded/commit/writer_lock.hpp"
#include "embedded/state/begun_transactions.hpp"
#include "embedded/state/open_states.hpp"
#include "embedded/transaction/snapshot_workspace.hpp"
#include "embedded/transaction/transaction_workspace.hpp"
#include "engine/engine.hpp"
#include "storage/store.hpp"

#include <keywatch/options.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::embedded {

namespace asio = boost::asio;

/// An engine on a LevelDB store in this process.
///
/// Transactions execute one at a time (WriterLock) on their callers' executors, each on top of all
/// that were executed before. GroupWriter makes them durable. The engine owns two threads: the
/// engine thread (groups, trimming, erasing, the time of sweeps, open, close), and the reader
/// thread (history, states), so that reading these delays no commit. The first backup starts a
/// third thread.
class EmbeddedEngine final : public engine::Engine,
                             public async::ContextUser,
                             public std::enable_shared_from_this<EmbeddedEngine> {
public:
    /// `base`: see storage::Store::open.
    static asio::awaitable<std::shared_ptr<EmbeddedEngine>> open(Options options,
                                                                 leveldb::Env* base = nullptr);
    static std::shared_ptr<EmbeddedEngine> open_blocking(const asio::any_io_executor& executor,
                                                         const Options& options,
                                                         leveldb::Env* base = nullptr);
    explicit EmbeddedEngine(const Options& options);
    ~EmbeddedEngine() override;

    /// Sets the sink. Call once, before the first commit.
    void set_sink(std::shared_ptr<engine::CommitSink> sink) { writer_->set_sink(std::move(sink)); }

    /// Starts the removal of keys whose deadline has passed. Call once, after `set_sink` and before
    /// the first commit.
    void start_sweeper();

    asio::awaitable<Revision> commit(engine::TransactionFunction fn) override;
    asio::awaitable<void> read(engine::SnapshotFunction fn) override;
    using Engine::read_history;
    asio::awaitable<HistorySlice> read_history(Revision after, Revision up_to, SliceLimits limits,
                                               HistorySlice used) override;
    asio::awaitable<std::shared_ptr<engine::StateStream>> open_state(Selectors selectors) override;
    asio::awaitable<Revision> backup(engine::BackupPlace place) override
    {
        return backups_.backup(shared_from_this(), store_, std::move(place));
    }
    std::optional<Position> cursor(std::string_view name) const override;
    asio::awaitable<std::vector<CursorLag>> cursors() override;
    bool keeps_history() const noexcept override { return options_.enable_watch; }
    bool records_previous() const noexcept override
    {
        return options_.enable_watch && options_.previous_values;
    }
    std::size_t max_transaction_bytes() const noexcept override
    {
        return std::min(options_.max_transaction_bytes, largest_transaction);
    }
    const HistoryId& history_id() const noexcept override { return history_id_; }
    Time now() const override { return clock_.now(); }
    Revision durable_head() const noexcept override { return writer_->durable_head(); }
    Revision highest_readable() const noexcept override { return writer_->submitted(); }
    Revision oldest() const noexcept override;
    Lag lag(Revision seen) const override;
    Stats::Engine stats() const override;
    Stats::History history_stats() const override;
    void call_after(std::chrono::milliseconds time, std::function<void()> function) override;
    asio::awaitable<void> drain() override;
    void give_up_doubtful() override;
    asio::awaitable<void> close() override;
    void close_without_loop(std::function<void()> closed) override;

private:
    class EmbeddedState;
    class StateReading;

    /// Takes over the store that was opened, and creates the parts that use it.
    void install_store(std::unique_ptr<storage::Store> store,
                       const asio::any_io_executor& executor);
    void context_shutdown() noexcept override;

    static asio::awaitable<Revision> run_commit(std::shared_ptr<EmbeddedEngine> self,
                                                engine::TransactionFunction fn,
                                                std::shared_ptr<Sweep> sweep);
    static asio::awaitable<void> run_read(std::shared_ptr<EmbeddedEngine> self,
                                          engine::SnapshotFunction fn);
    static asio::awaitable<HistorySlice> run_read_history(std::shared_ptr<EmbeddedEngine> self,
                                                          Revision after, Revision up_to,
                                                          SliceLimits limits, HistorySlice used);
    static asio::awaitable<std::shared_ptr<engine::StateStream>> run_open_state(
        std::shared_ptr<EmbeddedEngine> self, Selectors selectors);
    static asio::awaitable<std::vector<CursorLag>> run_cursors(
        std::shared_ptr<EmbeddedEngine> self);
    static asio::awaitable<void> run_drain(std::shared_ptr<EmbeddedEngine> self);
    static asio::awaitable<void> run_close(std::shared_ptr<EmbeddedEngine> self);

    /// Executes one transaction: the sweep if there is one, otherwise the function.
    PendingCommit execute(const engine::TransactionFunction& fn, Sweep* sweep);
    PendingCommit seal(TransactionWorkspace& workspace);
    /// Adds the commit to the state on which later transactions build. `overlay` is true if its
    /// writes do not go to the store at once.
    void apply(const PendingCommit& pending, bool overlay);
    bool may_write_now(const PendingCommit& pending) const;
    void write_now(const PendingCommit& pending);
    void join(PendingCommit pending, async::Waiter waiter);
    void prepare_rotation() noexcept;
    void refuse_commits();
    void notify_if_drained();
    /// Closes the store on the engine thread, unless that has begun.
    void close_on_thread();
    /// Returns the error to report at the end if the database's directory was moved, otherwise
    /// null.
    std::exception_ptr find_moved() const noexcept;
    void close_store() noexcept;

    // Constant after open, or thread-safe by itself.
    const Options options_;
    MonotonicClock clock_;
    HistoryId history_id_;
    Revision head_at_open_ = 0;
    std::unique_ptr<storage::Store> store_;
    std::shared_ptr<const std::atomic<std::uint64_t>> reserve_bytes_;
    std::shared_ptr<WriterLock> writer_lock_ = std::make_shared<WriterLock>();
    std::shared_ptr<DurableCatalogue> catalogue_;
    std::shared_ptr<HistoryTrimmer> trimmer_;
    std::shared_ptr<PrefixEraser> eraser_;
    std::shared_ptr<GroupWriter> writer_;
    std::shared_ptr<Sweeper> sweeper_;
    BegunTransactions begun_;
    const std::shared_ptr<OpenStates> states_ = std::make_shared<OpenStates>();
    mutable ViewGate views_;
    std::atomic<bool> preparing_rotation_{false};
    std::atomic<std::uint64_t> unchanged_{0};
    std::atomic<std::uint64_t> failed_{0};

    // Used only by the holder of the writer lock.
    WriterState state_;
    storage::Batch batch_;  ///< the writes of the transaction that was executed last

    /// LevelDB's lengths have 32 bits.
    static constexpr std::size_t largest_transaction = std::size_t{2} << 30;

    // Used when the engine ends, and guarded by `mutex_`.
    std::mutex mutex_;
    std::vector<async::Waiter> drained_;  ///< waiting until all commits are decided
    std::vector<async::Waiter> closed_;   ///< waiting until the store is closed
    bool store_is_closed_ = false;
    bool closes_when_drained_ = false;
    std::function<void()> when_closed_;

    // Declared last, so that they end before what they use.
    BackupThread backups_;
    async::WorkerThread reader_;
    async::WorkerThread thread_;
};

}  // namespace keywatch::embedded
