// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "batch.hpp"
#include "counters.hpp"
#include "errands.hpp"
#include "figures.hpp"
#include "pace.hpp"
#include "pull.hpp"
#include "slice_reader.hpp"
#include "snapshot.hpp"
#include "watchdog.hpp"

#include "async/waiter.hpp"
#include "async/waiter_list.hpp"
#include "engine/engine.hpp"
#include "watch/coalescer.hpp"
#include "watch/delivery_fsm.hpp"
#include "watch/subscription.hpp"
#include "watch/wanted.hpp"

#include <keywatch/watcher.hpp>
#include <keywatch/watcher_info.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::pipeline {

namespace asio = boost::asio;

class Pipeline;

/// The implementation of a watch: the object that the handles point to, and its worker.
///
/// 1. The worker exists while there is something to deliver. It begins as a posted function, and
///    continues as a coroutine on the watch's own strand if something has to be awaited. An idle
///    watch has no coroutine, timer or channel. The inbox knows whether the worker is asleep, and
///    the call that wakes it starts a new one.
/// 2. Only the worker delivers, reports to the machine that decides (DeliveryFsm), and ends the
///    watch. Everything else sends signals through the inbox.
/// 3. A watch ends once: `finish` is called once, by the worker, or instead of it if the watch is
///    refused.
class WatcherCore final : public watch::Subscription,
                          public std::enable_shared_from_this<WatcherCore> {
public:
    /// Throws if a selector is invalid: see Subscription.
    WatcherCore(std::shared_ptr<Pipeline> pipeline, const Selectors& selectors,
                WatchCallback callback, const WatchOptions& options, const Position& start);
    /// Constructs a pulled watch, which has no callback.
    WatcherCore(std::shared_ptr<Pipeline> pipeline, const Selectors& selectors,
                const WatchOptions& options, const Position& start);
    /// Creates a watch with the arguments of a constructor, and adds it to the registry. A
    /// constructor cannot do that: another thread would ask the watch for a shared pointer that
    /// does not exist yet.
    template <class... Arguments>
    static std::shared_ptr<WatcherCore> make(Arguments&&... arguments)
    {
        auto core = std::make_shared<WatcherCore>(std::forward<Arguments>(arguments)...);
        core->enter_registry();
        return core;
    }
    WatcherCore(const WatcherCore&) = delete;
    WatcherCore& operator=(const WatcherCore&) = delete;
    ~WatcherCore();

    // Functions of the handle: see Watcher. Any thread.
    static asio::awaitable<WatchEnd> run(std::shared_ptr<WatcherCore> self);
    static asio::awaitable<void> wait_ready(std::shared_ptr<WatcherCore> self,
                                            std::chrono::milliseconds timeout);
    static asio::awaitable<void> stop(std::shared_ptr<WatcherCore> self);
    static asio::awaitable<void> reached(std::shared_ptr<WatcherCore> self, Revision revision);
    void request_stop();
    static asio::awaitable<void> drain(std::shared_ptr<WatcherCore> self);
    /// Returns the revision through which everything will be delivered.
    Revision request_drain();
    Position position() const;
    WatcherInfo info() const;
    /// Returns true if the watch runs and a change of this key would reach it.
    bool would_reach(std::string_view bucket, std::string_view key) const;
    std::uint64_t id() const noexcept { return id_; }
    const std::string& name() const noexcept { return *name_; }

    // Additional functions of the handle of a pulled watch (pull.cpp): see PullWatcher. Any thread.
    static asio::awaitable<bool> wait(std::shared_ptr<WatcherCore> self);
    watch::Outbox::Answer take();
    std::optional<WatchEnd> ended() const;

    // For the pipeline.
    /// Notes that the watch is one of the running ones, and starts its worker.
    void entered(std::size_t place);
    /// Returns the place of the watch among the pipeline's running ones. Used on the pipeline's
    /// strand.
    std::size_t place() const noexcept { return place_; }
    void set_place(std::size_t place) noexcept { place_ = place; }
    void refuse(std::exception_ptr error);
    /// Creates the strand of a pulled watch, on the database's executor.
    void use_executor(const asio::any_io_executor& executor);
    /// Ends a watch that was never run, and completes its waiters.
    void database_closed();
    void start_worker() noexcept { errands_.run(Errands::wake); }
    /// Wakes the worker, even if it waits for a time or a revision.
    void poke();
    /// Returns true if the watch has a use for being woken at this revision: it starts or ends
    /// there, or a coroutine waits for it.
    bool waits_for(Revision revision) const;
    /// Returns the revision after R (`routed`) at which the watch has to be woken next, or 0 if
    /// none.
    Revision next_wake(Revision routed);
    void close_at(Revision revision);
    void close_now();
    /// Returns true if the watch is pulled and its consumer may still be processing the commit it
    /// has.
    bool consumer_is_busy() const { return pull_ && pull_->outbox.is_busy(); }
    void fail(std::exception_ptr error);
    bool runs_on(const asio::any_io_executor& executor) const;
    void context_shutdown() noexcept;

private:
    friend class Errands;
    void post_errand(Errands::Kind kind);
    void post_wake_up();
    void post_cancel();

    WatcherCore(std::shared_ptr<Pipeline> pipeline, const Selectors& selectors,
                WatchCallback callback, const WatchOptions& options, const Position& start,
                std::unique_ptr<Pull> pull);

    enum class State : std::uint8_t { created, running, ended };

    /// The coroutines that wait for this watch. Created when the first one does.
    struct Waiters {
        std::shared_ptr<async::WaiterList> ready = std::make_shared<async::WaiterList>();
        std::shared_ptr<async::WaiterList> ended = std::make_shared<async::WaiterList>();
        std::shared_ptr<async::WaiterList> reached = std::make_shared<async::WaiterList>();
        /// The next revision at which the pipeline wakes the worker for them, or 0 if none.
        Revision wake_at = 0;
    };

    // Running and ending (watcher_core.cpp).
    void enter_registry();
    void begin();
    void start(async::Waiter waiter, const asio::any_io_executor& executor);
    class RunFrame;
    /// Ends the watch, which no longer has a worker: the context of run() is being destroyed.
    void run_is_destroyed() noexcept;
    /// Keeps the context of run() alive while something is posted to it. Returns nothing if the
    /// context is being destroyed.
    std::optional<async::ContextLife::Hold> hold_context() const;
    void request_cancel();
    void cancel_worker() noexcept { errands_.run(Errands::cancel); }
    template <class Change>
    void interrupt(Change change);
    /// Changes the signals so that the watch ends at this revision.
    template <class Change>
    void end_at(Revision revision, Change change);
    /// Destroys the callback and the predicate, which may own a handle of this very watch.
    void release_functions() noexcept;
    void throw_unless_drained(Revision revision) const;
    void finish(std::optional<EndReason> reason, std::exception_ptr error);
    std::shared_ptr<Waiters> waiters();
    std::shared_ptr<Waiters> known_waiters() const;
    void ask_to_be_woken(Revision revision);
    std::exception_ptr end_for_waiters() const;
    void tell_end(const Waiters& waiters) const;

    // The worker (worker.cpp).
    using Action = watch::DeliveryFsm::Action;
    using Do = watch::DeliveryFsm::Do;
    using How = watch::DeliveryFsm::How;
    using Ending = watch::DeliveryFsm::Ending;
    using HistoryRead = watch::DeliveryFsm::HistoryRead;

    void wake_up();
    /// Performs actions until the worker sleeps, or until something has to be awaited: then a
    /// coroutine continues.
    void run_in_place();
    Action begin_run(Batch& batch);
    /// Performs an action that never waits.
    Action perform(Action action, Batch& batch);
    void spawn_worker(Action action, Batch batch);
    static asio::awaitable<void> work(std::shared_ptr<WatcherCore> self,
                                      std::shared_ptr<Watchdog> watchdog, Action action,
                                      Batch batch);
    asio::awaitable<void> work_until_idle(Watchdog& watchdog, Action action, Batch& batch);
    /// Ends the watch. `error` is used if the ending does not determine the exception.
    void end(Ending ending, std::exception_ptr error);
    void worker_failed(std::exception_ptr error, bool timed_out);

    // Reading batches (reading.cpp, snapshot.cpp).
    Action take_inbox(bool is_discarded, Batch& batch);
    /// Applies the predicate and coalesces what was taken. If the predicate throws, stores that in
    /// `error` and returns the last revision before that commit.
    Revision make_newest(watch::Inbox::Taken& taken, std::exception_ptr& error);
    asio::awaitable<Action> read_history(Action action, HistoryCursor& history, Batch& batch);
    /// Returns a slice of history. Returns null if the engine is closed.
    asio::awaitable<const engine::HistorySlice*> read_slice(HistoryCursor& history, Revision after,
                                                            Revision up_to);
    static HistoryRead compacted(Revision after, const engine::HistorySlice& slice, Batch& batch);
    asio::awaitable<HistoryRead> read_each(Revision up_to, HistoryCursor& history, Batch& batch);
    HistoryRead select_each(const engine::HistorySlice& slice, Batch& batch) const;
    struct Gathered {
        HistoryRead read;
        bool is_all = false;  ///< true if no more is to be gathered now
    };
    /// A function that takes what it needs from a slice.
    using Gather = std::function<Gathered(const engine::HistorySlice&)>;
    asio::awaitable<HistoryRead> gather(Revision up_to, HistoryCursor& history, Batch& batch,
                                        const Gather& take);
    asio::awaitable<HistoryRead> read_newest(Revision up_to, HistoryCursor& history, Batch& batch);
    Gathered gather_newest(watch::Coalescer& newest, const engine::HistorySlice& slice,
                           Batch& batch);
    /// Reads history into one gap, up to where a bucket has ended.
    asio::awaitable<HistoryRead> read_gap(Revision up_to, HistoryCursor& history, Batch& batch);
    Gathered gather_gap(std::unique_ptr<watch::Marker>& gap,
                        const engine::HistorySlice& slice) const;
    asio::awaitable<Action> read_state(Batch& batch);
    /// Returns the next part of the state. Returns null after the last one, or if the engine is
    /// closed.
    asio::awaitable<watch::SharedCommit> read_state_part();

    // The visible position (watcher_position.cpp) and phase (overflow.cpp).
    void advanced();
    /// Raises the visible position. If the consumer of a pulled watch has a commit, then the
    /// position is raised when the consumer asks for more.
    void show_position(Revision revision) const;
    void raise_position(Revision revision) const noexcept;
    /// Raises the visible position to `within.at`, and shows the place within a commit instead of
    /// it.
    void move_within(const watch::Within& within);
    /// Copies the phase of the machine to members that any thread may read.
    void show_phase() noexcept;
    /// Returns true if the policy is `stop` or `skip` and the watch is slower than the commits. Any
    /// thread.
    bool has_overflowed(const watch::Inbox::Level& level) const noexcept;

    // Intervals (pacing.cpp).
    void begin_delivery(const Batch& batch);
    /// Returns true if it is too early to deliver what there is, and `may_wait` is true. The worker
    /// is then woken when it is time.
    bool is_early(bool may_wait);
    /// Schedules a wake-up of the worker for when progress may be due.
    void look_at_progress_later();
    /// Returns true if progress is due. The batch is then a progress marker.
    bool tells_progress(Batch& batch);

    // Calling back (deliver.cpp).
    /// The outcome of the delivery of one commit.
    struct Outcome {
        bool whole = true;
        bool stop = false;
        /// Number of messages that the predicate rejected.
        std::size_t left_out = 0;
    };
    /// Delivers the batch without a coroutine. Returns nothing if a coroutine is needed, or if
    /// other work should have its turn before the rest.
    std::optional<Action> deliver_in_place(Batch& batch);
    /// Delivers the batch to a plain callback. Returns false if other work should have its turn
    /// before the rest.
    bool deliver_plain(Batch& batch);
    asio::awaitable<Action> deliver(HistoryCursor& history, Batch& batch, Watchdog& watchdog);
    asio::awaitable<void> deliver_batch(Batch& batch, Watchdog& watchdog);
    /// Delivers the open slice, up to and including a commit with which a bucket ends.
    asio::awaitable<void> deliver_slice(HistoryCursor& history, Batch& batch, Watchdog& watchdog);
    /// Delivers one commit. What the commit refers to must live until this has been awaited.
    asio::awaitable<Outcome> deliver_commit(Commit commit, Watchdog& watchdog);
    asio::awaitable<Outcome> deliver_next(Batch& batch, const Commit& commit, Watchdog& watchdog);
    asio::awaitable<Outcome> deliver_from(watch::Wanted wanted, std::size_t at, Watchdog& watchdog);
    /// Settles the entry that was delivered, and moves to the next one. Returns false if the rest
    /// must not be delivered.
    bool settle_next(Batch& batch, const Commit& commit, Outcome outcome, Tally& tally);
    Commit commit_of(const watch::Entry& entry) const
    {
        return {*entry.commit, entry.selected.empty() ? nullptr : &entry.selected,
                entry.since.empty() ? nullptr : &entry.since,
                seen_of(*entry.commit, entry.selected)};
    }
    Commit commit_of(const CommitRecord& record, const std::vector<std::uint32_t>& selected) const
    {
        return {record, selected.empty() ? nullptr : &selected, nullptr, seen_of(record, selected)};
    }
    bool is_plain() const noexcept;
    /// Calls a plain callback, from call number `at` on. If other work should have its turn before
    /// the rest, returns nothing and sets `at` to the next call.
    std::optional<Outcome> call_plain(watch::Wanted& wanted, std::size_t& at, LoopTurn& turn);
    Flow call_plain(const Commit& commit, std::size_t at);
    /// Calls a coroutine callback. The arguments must live until this has been awaited.
    asio::awaitable<Flow> call_coroutine(const Commit& commit, const Message& message,
                                         Watchdog& watchdog);
    /// Returns how often the callback is called for this commit.
    std::size_t calls(const watch::Wanted& wanted) const noexcept;
    /// Returns the predicate to be applied at delivery. Null if there is none, or if it was applied
    /// before: with Overflow::latest, a message that it rejects must not stand for one that it
    /// accepts.
    const watch::Predicate* predicate_at_delivery() const noexcept
    {
        return overflow_ == Overflow::latest && !fsm_.delivers_state() ? nullptr : predicate_.get();
    }
    /// Reports the delivery of a commit. If the commit was delivered whole, then everything up to
    /// `through` has been delivered. Returns false if the rest must not be delivered.
    bool settle(const Commit& commit, Revision through, Outcome outcome, std::size_t messages,
                Tally& tally);

    // Pulled watches (pull.cpp).
    void begin_pulled();
    /// Applies what the consumer has done to the visible position and the counters. If the batch
    /// was handed back, starts the worker.
    void heed(const watch::Outbox::Answer& answer);
    bool is_over() const;
    /// Passes the batch to the consumer.
    Action offer(Batch& batch);
    /// Settles the batch that the consumer has handed back.
    Action take_back(Batch& batch);
    bool shut_outbox() noexcept { return pull_ && pull_->outbox.shut(); }

    static constexpr Revision never = std::numeric_limits<Revision>::max();

    // Constant after construction, or thread-safe by itself.
    const std::shared_ptr<Pipeline> pipeline_;
    const std::unique_ptr<const std::string> name_;
    const std::uint64_t id_;
    const std::chrono::milliseconds callback_timeout_;
    const Overflow overflow_;
    /// Null if there is a callback.
    const std::unique_ptr<Pull> pull_;
    /// The visible position: that of the machine, or a later one. It only grows.
    mutable std::atomic<Revision> position_;
    /// True once a signal ends the watch before its next callback. Set after that signal.
    std::atomic<bool> interrupted_{false};
    /// The lowest revision at which a signal ends the watch.
    std::atomic<Revision> end_at_{never};
    // Copies of the machine's phase, for any thread.
    std::atomic<bool> live_{false};
    std::atomic<bool> away_{true};
    std::atomic<Revision> bears_{std::numeric_limits<Revision>::max()};
    /// True once a coroutine waits for a revision. Sequentially consistent with the position: if a
    /// coroutine begins to wait while another thread moves the position, at least one of the two
    /// sees what the other has done.
    std::atomic<bool> awaited_{false};

    Figures figures_;
    Errands errands_{*this};

    // Used on the pipeline's strand.
    std::size_t place_ = 0;

    // Used by the worker. Empty once the watch has ended. The kind of the callback may be read by
    // any thread.
    WatchCallback callback_;
    /// Null if there is no predicate.
    std::unique_ptr<const watch::Predicate> predicate_;

    // Used by the worker.
    watch::DeliveryFsm fsm_;
    const std::unique_ptr<Pace> pace_;  ///< null if there are no intervals
    /// The state that the watch begins with. Null if there is none, and once it has been delivered.
    std::unique_ptr<StateStart> start_state_;

    // Guarded by the inbox's mutex, which is shared because an idle watch has to be small.
    std::mutex& mutex() const noexcept { return inbox.mutex(); }
    State state_ = State::created;
    bool ran_ = false;
    bool following_ = false;
    asio::any_io_executor strand_;
    /// The life of the context of run(), if that is not the database's. Constant while the watch
    /// runs.
    std::shared_ptr<async::ContextLife> life_;
    std::weak_ptr<Watchdog> worker_;
    async::Waiter run_waiter_;
    std::shared_ptr<Waiters> waiters_;
    std::optional<EndReason> reason_;
    std::exception_ptr error_;
    watch::Within within_;
};

}  // namespace keywatch::pipeline
