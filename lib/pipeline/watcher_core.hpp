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

/// A watch: what the handles point to, and its worker.
///
/// 1. The worker is a coroutine on the watch's own strand. It exists while there is something to
///    deliver; an idle watch has none, nor a timer, nor a channel. The inbox knows whether it is
///    asleep; whoever wakes it starts a new one.
/// 2. The worker alone delivers, reports to the machine that decides (DeliveryFsm), and ends the
///    watch; everything else sends signals through the inbox.
/// 3. A watch ends once: `finish` is called once, by the worker (or instead of it, if it is
///    refused).
class WatcherCore final : public watch::Subscription,
                          public std::enable_shared_from_this<WatcherCore> {
public:
    /// Throws what is wrong with the selectors: see Subscription.
    WatcherCore(std::shared_ptr<Pipeline> pipeline, const Selectors& selectors,
                WatchCallback callback, const WatchOptions& options, const Position& start);
    /// One without a callback.
    WatcherCore(std::shared_ptr<Pipeline> pipeline, const Selectors& selectors,
                const WatchOptions& options, const Position& start);
    /// Makes one, with the arguments of a constructor, and has the registry show it. Not in the
    /// constructor: others would ask it for a pointer that is yet to be written.
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

    // What the handle offers; see Watcher. Any thread.
    static asio::awaitable<WatchEnd> run(std::shared_ptr<WatcherCore> self);
    static asio::awaitable<void> wait_ready(std::shared_ptr<WatcherCore> self,
                                            std::chrono::milliseconds timeout);
    static asio::awaitable<void> stop(std::shared_ptr<WatcherCore> self);
    static asio::awaitable<void> reached(std::shared_ptr<WatcherCore> self, Revision revision);
    void request_stop();
    static asio::awaitable<void> drain(std::shared_ptr<WatcherCore> self);
    /// Gives the revision through which everything is delivered then.
    Revision request_drain();
    Position position() const;
    WatcherInfo info() const;
    /// Whether it runs, and a change of this key would be for it.
    bool would_reach(std::string_view bucket, std::string_view key) const;
    std::uint64_t id() const noexcept { return id_; }
    const std::string& name() const noexcept { return *name_; }

    // What the handle of a pulled watch offers besides (pull.cpp); see PullWatcher. Any thread.
    static asio::awaitable<bool> wait(std::shared_ptr<WatcherCore> self);
    watch::Outbox::Answer take();
    std::optional<WatchEnd> ended() const;

    // For the pipeline.
    void entered(std::size_t place);
    /// Where the pipeline has it among the running ones; of its strand.
    std::size_t place() const noexcept { return place_; }
    void set_place(std::size_t place) noexcept { place_ = place; }
    void refuse(std::exception_ptr error);
    /// Gives a watch that is pulled a strand of the database's executor.
    void use_executor(const asio::any_io_executor& executor);
    /// If it was never run, it will not be any more: tells those who wait for that.
    void database_closed();
    void start_worker() noexcept { errands_.run(Errands::wake); }
    void poke();
    /// Whether it has a use for being woken at this revision: it starts there, or has asked for it.
    bool waits_for(Revision revision) const;
    /// R is this now: the revision at which it has to be woken next; 0: none.
    Revision next_wake(Revision routed);
    void close_at(Revision revision);
    void close_now();
    /// Whether it is pulled, and its consumer may be making something of the commit it has.
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

    /// Who waits for this watch; made when somebody does.
    struct Waiters {
        std::shared_ptr<async::WaiterList> ready = std::make_shared<async::WaiterList>();
        std::shared_ptr<async::WaiterList> ended = std::make_shared<async::WaiterList>();
        std::shared_ptr<async::WaiterList> reached = std::make_shared<async::WaiterList>();
        /// The next revision at which the pipeline wakes the worker for them; 0: none.
        Revision wake_at = 0;
    };

    // Running and ending (watcher_core.cpp).
    void enter_registry();
    void begin();
    void start(async::Waiter waiter, const asio::any_io_executor& executor);
    class RunFrame;
    /// The context of run() is being destroyed: ends the watch, which has no worker any more.
    void run_is_destroyed() noexcept;
    /// Keeps the context of run() alive while something is posted to it. Null if it is gone.
    std::optional<async::ContextLife::Hold> hold_context() const;
    void request_cancel();
    void cancel_worker() noexcept { errands_.run(Errands::cancel); }
    template <class Change>
    void interrupt(Change change);
    /// Changes the signals so that the watch ends at this revision.
    template <class Change>
    void end_at(Revision revision, Change change);
    /// Destroys what the program gave: it may own a handle of this very watch.
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
    /// Runs until it sleeps, or something has to be awaited: then a coroutine continues.
    void run_in_place();
    Action begin_run(Batch& batch);
    /// Performs an action that never waits.
    Action perform(Action action, Batch& batch);
    void spawn_worker(Action action, Batch batch);
    static asio::awaitable<void> work(std::shared_ptr<WatcherCore> self,
                                      std::shared_ptr<Watchdog> watchdog, Action action,
                                      Batch batch);
    asio::awaitable<void> work_until_idle(Watchdog& watchdog, Action action, Batch& batch);
    /// `error`: what ends it, if the ending does not say.
    void end(Ending ending, std::exception_ptr error);
    void worker_failed(std::exception_ptr error, bool timed_out);

    // Where the batches come from (reading.cpp, snapshot.cpp).
    Action take_inbox(bool is_discarded, Batch& batch);
    /// Returns the revision before an error.
    Revision make_newest(watch::Inbox::Taken& taken, std::exception_ptr& error);
    asio::awaitable<Action> read_history(Action action, HistoryCursor& history, Batch& batch);
    /// Returns null if the engine is closed.
    asio::awaitable<const engine::HistorySlice*> read_slice(HistoryCursor& history, Revision after,
                                                            Revision up_to);
    static HistoryRead compacted(Revision after, const engine::HistorySlice& slice, Batch& batch);
    asio::awaitable<HistoryRead> read_each(Revision up_to, HistoryCursor& history, Batch& batch);
    HistoryRead select_each(const engine::HistorySlice& slice, Batch& batch) const;
    struct Gathered {
        HistoryRead read;
        bool is_all = false;  ///< no more is to be gathered now
    };
    /// Takes from a slice what it needs.
    using Gather = std::function<Gathered(const engine::HistorySlice&)>;
    asio::awaitable<HistoryRead> gather(Revision up_to, HistoryCursor& history, Batch& batch,
                                        const Gather& take);
    asio::awaitable<HistoryRead> read_newest(Revision up_to, HistoryCursor& history, Batch& batch);
    Gathered gather_newest(watch::Coalescer& newest, const engine::HistorySlice& slice,
                           Batch& batch);
    /// Only a gap is delivered, up to where a bucket has ended.
    asio::awaitable<HistoryRead> read_gap(Revision up_to, HistoryCursor& history, Batch& batch);
    Gathered gather_gap(std::unique_ptr<watch::Marker>& gap,
                        const engine::HistorySlice& slice) const;
    asio::awaitable<Action> read_state(Batch& batch);
    /// Returns null after the last part, and if the engine is closed.
    asio::awaitable<watch::SharedCommit> read_state_part();

    // The position (watcher_position.cpp), and what is shown of the phase (overflow.cpp).
    void advanced();
    /// Everything up to here has been delivered, except what the consumer of a pulled watch has.
    void show_position(Revision revision) const;
    void raise_position(Revision revision) const noexcept;
    /// Raises it to there, and shows this place instead.
    void move_within(const watch::Within& within);
    void show_phase() noexcept;
    /// Returns true if its policy is not to be late, and it is. Any thread.
    bool has_overflowed(const watch::Inbox::Level& level) const noexcept;

    // By the clock (pacing.cpp).
    void begin_delivery(const Batch& batch);
    /// Returns true if it is too early to deliver what there is: then the worker will be woken when
    /// it is not.
    bool is_early(bool may_wait);
    /// Has the worker woken when progress may be due.
    void look_at_progress_later();
    /// Returns true if progress is due: the batch is then a marker that tells it.
    bool tells_progress(Batch& batch);

    // Calling back (deliver.cpp).
    /// How far the delivery of one commit came.
    struct Outcome {
        bool whole = true;
        bool stop = false;
        /// So many messages the predicate did not let through.
        std::size_t left_out = 0;
    };
    /// Delivers the batch without a coroutine. Returns nothing if it needs one, or if others
    /// should have their turn before the rest.
    std::optional<Action> deliver_in_place(Batch& batch);
    /// Returns false if others should have their turn before the rest.
    bool deliver_plain(Batch& batch);
    asio::awaitable<Action> deliver(HistoryCursor& history, Batch& batch, Watchdog& watchdog);
    asio::awaitable<void> deliver_batch(Batch& batch, Watchdog& watchdog);
    /// Up to a commit with which a bucket ends.
    asio::awaitable<void> deliver_slice(HistoryCursor& history, Batch& batch, Watchdog& watchdog);
    /// What the commit refers to must live until it has been awaited.
    asio::awaitable<Outcome> deliver_commit(Commit commit, Watchdog& watchdog);
    asio::awaitable<Outcome> deliver_next(Batch& batch, const Commit& commit, Watchdog& watchdog);
    asio::awaitable<Outcome> deliver_from(watch::Wanted wanted, std::size_t at, Watchdog& watchdog);
    /// Returns false if the rest must not be delivered.
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
    /// From there on; nothing, and `at` is where, if others should have their turn before the rest.
    std::optional<Outcome> call_plain(watch::Wanted& wanted, std::size_t& at, LoopTurn& turn);
    Flow call_plain(const Commit& commit, std::size_t at);
    /// Its arguments must live until it has been awaited.
    asio::awaitable<Flow> call_coroutine(const Commit& commit, const Message& message,
                                         Watchdog& watchdog);
    std::size_t calls(const watch::Wanted& wanted) const noexcept;
    /// Null if there is none, or it has been asked before: with Overflow::latest what it does not
    /// let through must not stand for what it does.
    const watch::Predicate* predicate_at_delivery() const noexcept
    {
        return overflow_ == Overflow::latest && !fsm_.delivers_state() ? nullptr : predicate_.get();
    }
    /// Settles a delivered commit, with which everything up to `through` is. Returns false if the
    /// rest must not be delivered.
    bool settle(const Commit& commit, Revision through, Outcome outcome, std::size_t messages,
                Tally& tally);

    // Being pulled (pull.cpp).
    void begin_pulled();
    void heed(const watch::Outbox::Answer& answer);
    bool is_over() const;
    /// Hands the batch to the consumer.
    Action offer(Batch& batch);
    /// The batch that the consumer had is over.
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
    /// The machine's position, or later, for any thread to see. It only grows.
    mutable std::atomic<Revision> position_;
    /// Set after the signals that end the watch before the next callback.
    std::atomic<bool> interrupted_{false};
    /// Where the first of the signals that say so ends the watch.
    std::atomic<Revision> end_at_{never};
    // The machine's, for any thread to see.
    std::atomic<bool> live_{false};
    std::atomic<bool> away_{true};
    std::atomic<Revision> bears_{std::numeric_limits<Revision>::max()};
    /// Set when somebody waits for a revision. In one order with the position, so that of who waits
    /// and who moves it at the same time at least one sees the other.
    std::atomic<bool> awaited_{false};

    Figures figures_;
    Errands errands_{*this};

    // Of the pipeline's strand.
    std::size_t place_ = 0;

    // The worker's; empty when the watch has ended. Which kind the callback is, all may ask.
    WatchCallback callback_;
    /// Null if there is none.
    std::unique_ptr<const watch::Predicate> predicate_;

    // The worker's.
    watch::DeliveryFsm fsm_;
    const std::unique_ptr<Pace> pace_;  ///< null if the clock does not matter
    /// Until all of the state that the watch begins with has been delivered.
    std::unique_ptr<StateStart> start_state_;

    // Of the inbox's mutex: an idle watch has to be small.
    std::mutex& mutex() const noexcept { return inbox.mutex(); }
    State state_ = State::created;
    bool ran_ = false;
    bool following_ = false;
    asio::any_io_executor strand_;
    /// Of the context of run(), if that is not the database's. Constant while the watch runs.
    std::shared_ptr<async::ContextLife> life_;
    std::weak_ptr<Watchdog> worker_;
    async::Waiter run_waiter_;
    std::shared_ptr<Waiters> waiters_;
    std::optional<EndReason> reason_;
    std::exception_ptr error_;
    watch::Within within_;
};

}  // namespace keywatch::pipeline
