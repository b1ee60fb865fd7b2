// SPDX-License-Identifier: BSL-1.0
#include "embedded_engine.hpp"

#include "async/run_on.hpp"
#include "values/failure.hpp"

#include <keywatch/transaction.hpp>

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace keywatch::embedded {

namespace {

/// Creates an engine, which starts its threads.
std::shared_ptr<EmbeddedEngine> make_engine(const Options& options)
{
    try {
        return std::make_shared<EmbeddedEngine>(options);
    } catch (const std::system_error& error) {
        fail(Error::open_failed, std::string("a thread cannot be started: ") + error.what());
    }
}

}  // namespace

EmbeddedEngine::EmbeddedEngine(const Options& options)
    : options_(storage::Store::located(options)), clock_(options.clock)
{
}

EmbeddedEngine::~EmbeddedEngine()
{
    // For an engine that was not closed.
    reader_.finish();
    states_->close();
}

std::shared_ptr<EmbeddedEngine> EmbeddedEngine::open_blocking(const asio::any_io_executor& executor,
                                                              const Options& options,
                                                              leveldb::Env* base)
{
    auto engine = make_engine(options);
    engine->install_store(storage::Store::open(engine->options_, base), executor);
    async::ContextService::add(executor, engine);
    return engine;
}

asio::awaitable<std::shared_ptr<EmbeddedEngine>> EmbeddedEngine::open(Options options,
                                                                      leveldb::Env* base)
{
    auto engine = make_engine(options);
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    async::ContextService::add(executor, engine);
    auto open = [&](async::Waiter waiter) {
        auto opened = std::make_shared<async::Waiter>(std::move(waiter));
        engine->thread_.post([engine, base, opened, executor] {
            std::exception_ptr error;
            try {
                engine->install_store(storage::Store::open(engine->options_, base), executor);
            } catch (...) {
                error = std::current_exception();
            }
            opened->complete(error);
        });
    };
    co_await async::suspend(open);
    co_return engine;
}

void EmbeddedEngine::install_store(std::unique_ptr<storage::Store> store,
                                   const asio::any_io_executor& executor)
{
    store_ = std::move(store);
    history_id_ = store_->history_id();
    head_at_open_ = store_->head_at_open();
    begun_.opened(head_at_open_);
    state_.catalogue = store_->catalogue_at_open();
    state_.next_bucket = store_->next_bucket_at_open();
    state_.head = store_->head_at_open();
    reserve_bytes_ = store_->reserve_bytes();
    clock_.advance_to(store_->latest_time_at_open());
    state_.totals = store_->history_at_open().newest_totals;
    catalogue_ = std::make_shared<DurableCatalogue>(store_->catalogue_at_open());
    trimmer_ = std::make_shared<HistoryTrimmer>(options_, *store_, thread_, clock_);
    eraser_ = std::make_shared<PrefixEraser>(*store_, thread_);
    writer_ = std::make_shared<GroupWriter>(options_, *store_, thread_, writer_lock_, catalogue_,
                                            trimmer_, eraser_);
    const auto commit = [weak = weak_from_this()](std::shared_ptr<Sweep> sweep) {
        return run_commit(weak.lock(), {}, std::move(sweep));
    };
    sweeper_ =
        std::make_shared<Sweeper>(*store_, clock_, thread_, executor, weak_from_this(), commit);
    writer_->set_sweeper(sweeper_);
    const auto look = [lock = std::weak_ptr(writer_lock_), writer = std::weak_ptr(writer_)] {
        const auto waited_for = lock.lock();
        const auto written_by = writer.lock();
        const bool waits = waited_for && waited_for->skip_blocked();
        return (written_by && written_by->start_overdue()) || waits;
    };
    // The lookout runs on the reader thread, because a flush may block the engine thread for long.
    const auto lookout = std::make_shared<Lookout>(weak_from_this(), reader_, look);
    writer_lock_->set_lookout([lookout] { lookout->arm(); });
    writer_->set_lookout([lookout] { lookout->arm(); });
    if (!options_.read_only) {
        trimmer_->start();
        eraser_->start();
    }
}

void EmbeddedEngine::start_sweeper()
{
    if (!options_.read_only) {
        sweeper_->start();
    }
}

Revision EmbeddedEngine::oldest() const noexcept
{
    // The first commit without a history record of its own has made all older records useless.
    const Revision head = durable_head();
    return options_.enable_watch || head == head_at_open_ ? trimmer_->oldest() : head + 1;
}

asio::awaitable<Revision> EmbeddedEngine::commit(engine::TransactionFunction fn)
{
    return run_commit(shared_from_this(), std::move(fn), nullptr);
}

asio::awaitable<Revision> EmbeddedEngine::run_commit(std::shared_ptr<EmbeddedEngine> self,
                                                     engine::TransactionFunction fn,
                                                     std::shared_ptr<Sweep> sweep)
{
    // Once the lock is acquired, cancellation must be ignored. It must not surface at a suspension
    // in this function instead of in the caller.
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    std::exception_ptr error;
    Revision revision = 0;
    bool begun = false;
    try {
        if (self->options_.read_only) {
            fail(Error::read_only, "it was opened with Options::read_only");
        }
        if (!self->writer_lock_->try_acquire()) {
            co_await self->writer_lock_->acquire();
        }
        WriterLockGuard guard(*self->writer_lock_);
        begun = true;
        PendingCommit pending = self->execute(fn, sweep.get());
        const bool unchanged = pending.revision == 0;
        const Revision reached = pending.revision ? pending.revision : self->state_.head;
        if (self->may_write_now(pending)) {
            if (pending.revision) {
                self->write_now(pending);
            }
            guard.release();
            try {
                co_await async::yield();
            } catch (const std::bad_alloc&) {
                // The commit is already written.
            }
        } else {
            co_await async::suspend([&](async::Waiter waiter) {
                // After `join`, this coroutine may resume, and end, on another thread. Nothing in
                // its frame is used from then on.
                const std::shared_ptr<EmbeddedEngine> engine = self;
                const WriterLockGuard held(std::move(guard));
                engine->join(std::move(pending), std::move(waiter));
            });
        }
        revision = reached;
        if (unchanged && !sweep) {
            self->unchanged_.fetch_add(1, std::memory_order_relaxed);
        }
    } catch (...) {
        error = std::current_exception();
    }
    if (error) {
        if (begun && !sweep) {
            self->failed_.fetch_add(1, std::memory_order_relaxed);
        }
        co_await async::yield();
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    if (error) {
        std::rethrow_exception(error);
    }
    co_return revision;
}

void EmbeddedEngine::write_now(const PendingCommit& pending)
{
    const GroupWriter::Prepared prepared = writer_->prepare_now(pending, batch_);
    apply(pending, false);
    writer_->write_now(pending, batch_, prepared);
    prepare_rotation();
}

void EmbeddedEngine::join(PendingCommit pending, async::Waiter waiter)
{
    // Everything that allocates memory comes first.
    std::list<GroupWriter::Member> one;
    GroupWriter::Member& member = one.emplace_back();
    member.pending = std::move(pending);
    member.batch = batch_;
    member.waiter = std::move(waiter);
    if (member.pending.revision) {
        apply(member.pending, true);
    }
    writer_->join(std::move(one));
}

PendingCommit EmbeddedEngine::execute(const engine::TransactionFunction& fn, Sweep* sweep)
{
    writer_->check();
    BegunTransactions::Scope begun(begun_, state_.head);
    state_.overlay.prune(writer_->durable_head());
    const auto workspace = std::make_shared<TransactionWorkspace>(
        *store_, state_,
        // A sweep must be able to remove what was stored before the limit was lowered.
        TransactionWorkspace::Limits{sweep ? largest_transaction : max_transaction_bytes(),
                                     options_.enable_watch, options_.previous_values},
        clock_);
    struct Finish {
        TransactionWorkspace& workspace;
        ~Finish() { workspace.finish(); }
    } const finish{*workspace};
    if (sweep) {
        sweep->run(*workspace);
    } else {
        Transaction transaction(workspace);
        fn(transaction);
    }
    workspace->check_size();
    batch_.clear();
    if (!workspace->changed_anything()) {
        return {};
    }
    PendingCommit pending = seal(*workspace);
    begun.commit();
    return pending;
}

PendingCommit EmbeddedEngine::seal(TransactionWorkspace& workspace)
{
    PendingCommit pending;
    pending.revision = state_.head + 1;
    pending.time = clock_.now();
    pending.totals = state_.totals;
    pending.bytes = workspace.bytes();
    pending.catalogue = workspace.catalogue_changes();
    pending.orphans = workspace.orphans();
    pending.earliest_deadline = workspace.earliest_deadline();
    pending.expired = workspace.expired();
    pending.may_expire = state_.catalogue.has_deadlines();
    workspace.write_to(batch_);
    if (options_.enable_watch) {
        std::string record = workspace.record().finish(state_.head, pending.time, pending.totals);
        storage::Store::put_record(batch_, pending.revision, record);
        if (!writer_->wants_commits()) {
            // No watch runs.
        } else if (pending.record = storage::decode_record(pending.revision, record);
                   !pending.record) {
            throw std::logic_error("a history record that was just made cannot be read");
        }
    }
    pending.next_bucket = workspace.next_bucket();
    pending.writes = workspace.take_writes();
    pending.unpins = workspace.take_unpins();
    return pending;
}

void EmbeddedEngine::apply(const PendingCommit& pending, bool overlay)
{
    if (overlay) {
        state_.overlay.add(pending.revision, pending.writes);
    }
    try {
        state_.catalogue.apply(pending.catalogue);
    } catch (...) {  // out of memory half-way: later transactions would build on it
        writer_->latch_failure();
        throw;
    }
    state_.next_bucket = pending.next_bucket;
    state_.head = pending.revision;
    state_.totals = pending.totals;
}

bool EmbeddedEngine::may_write_now(const PendingCommit& pending) const
{
    // If a write failed meanwhile, this transaction may have read its data. It then fails together
    // with that write.
    if (!writer_->idle() || writer_->failed()) {
        return false;
    }
    return pending.revision == 0 || (options_.durability == Durability::buffered &&
                                     !store_->may_stall(batch_.memory_bytes()));
}

void EmbeddedEngine::prepare_rotation() noexcept
{
    if (!store_->wants_rotation() || preparing_rotation_.exchange(true)) {
        return;
    }
    try {
        thread_.post([self = shared_from_this()] {
            try {
                self->store_->prepare_rotation();
            } catch (const boost::system::system_error&) {
                // Latched by the store. The next commit reports it.
            }
            self->preparing_rotation_ = false;
        });
    } catch (const std::bad_alloc&) {
        preparing_rotation_ = false;  // retried with the next commit
    }
}

asio::awaitable<void> EmbeddedEngine::read(engine::SnapshotFunction fn)
{
    return run_read(shared_from_this(), std::move(fn));
}

asio::awaitable<void> EmbeddedEngine::run_read(std::shared_ptr<EmbeddedEngine> self,
                                               engine::SnapshotFunction fn)
{
    if (!self->views_.enter()) {
        fail(Error::closed);
    }
    const ViewGate::Inside inside{self->views_};
    const auto workspace =
        std::make_shared<SnapshotWorkspace>(*self->store_, *self->catalogue_, self->clock_);
    struct Finish {
        SnapshotWorkspace& workspace;
        ~Finish() { workspace.finish(); }
    } const finish{*workspace};
    const Snapshot snapshot(workspace);
    fn(snapshot);
    co_return;
}

asio::awaitable<HistorySlice> EmbeddedEngine::read_history(Revision after, Revision up_to,
                                                           SliceLimits limits, HistorySlice used)
{
    return run_read_history(shared_from_this(), after, up_to, limits, std::move(used));
}

asio::awaitable<HistorySlice> EmbeddedEngine::run_read_history(std::shared_ptr<EmbeddedEngine> self,
                                                               Revision after, Revision up_to,
                                                               SliceLimits limits,
                                                               HistorySlice used)
{
    HistorySlice slice;
    const auto read = [&] {
        used = HistorySlice();
        slice = self->store_->read_history(after, up_to, limits);
    };
    const bool taken = co_await run_on(self->reader_, self, std::ref(read));
    if (!taken) {
        fail(Error::closed);
    }
    co_return slice;
}

}  // namespace keywatch::embedded
