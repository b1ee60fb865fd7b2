// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "counters.hpp"
#include "feed.hpp"
#include "loop_turn.hpp"
#include "registry.hpp"

#include "async/context_service.hpp"
#include "async/waiter.hpp"
#include "async/waiter_list.hpp"
#include "async/wake_up.hpp"
#include "engine/engine.hpp"
#include "watch/collector.hpp"
#include "watch/distributor.hpp"
#include "watch/shared_bytes.hpp"
#include "watch/timetable.hpp"

#include <keywatch/options.hpp>
#include <keywatch/position.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <vector>

namespace keywatch::pipeline {

namespace asio = boost::asio;

class WatcherCore;

/// The stages between the engine's durable commits and the watchers: collector, distributor and
/// victim collector. They are coroutines on one strand of the database's executor, connected by
/// channels.
///
/// 1. The members of the section "On the strand" are used only there. A function marked "any
///    thread" posts to the strand, or is thread-safe by itself.
/// 2. routed() is written after all pushes of that commit.
/// 3. A parked stage does not keep the event loop from ending (UntrackedExecutor). Channels are
///    local variables of the coroutines that receive from them.
class Pipeline final : public async::ContextUser,
                       public std::enable_shared_from_this<Pipeline>,
                       private async::Undelivered::Entry {
public:
    static std::shared_ptr<Pipeline> start(const asio::any_io_executor& executor,
                                           std::shared_ptr<engine::Engine> engine,
                                           std::shared_ptr<Feed> feed, const Options& options);
    Pipeline(const asio::any_io_executor& executor, std::shared_ptr<engine::Engine> engine,
             std::shared_ptr<Feed> feed, const Options& options);

    engine::Engine& engine() noexcept { return *engine_; }
    /// Returns R: the last revision whose commits have all been routed, or were skipped while no
    /// watch ran. Any thread.
    Revision routed() const noexcept { return routed_.load(std::memory_order_acquire); }
    /// Returns the life of the context that the database was opened on.
    const std::shared_ptr<async::ContextLife>& life() const noexcept { return life_; }
    bool closing() const noexcept { return closing_.load(std::memory_order_acquire); }
    /// Returns true once closing has reached the step that refuses commits.
    bool refuses_commits() const noexcept { return drained_.load(std::memory_order_acquire); }
    std::uint64_t next_watcher_id() noexcept { return next_watcher_id_.fetch_add(1) + 1; }

    Registry& registry() noexcept { return registry_; }
    const Registry& registry() const noexcept { return registry_; }
    std::uint64_t watchers_made() const noexcept { return next_watcher_id_.load(); }
    Counters& counters() noexcept { return counters_; }
    const Counters& counters() const noexcept { return counters_; }
    const watch::Hub& hub() const noexcept { return feed_->hub(); }
    const std::shared_ptr<watch::SharedBytes>& inbox_bytes() const noexcept { return inbox_bytes_; }

    /// Wakes the collector: the hub has commits. Any thread.
    void wake_collector() noexcept;

    // For running watchers. Any thread.
    /// Adds the watcher to the running ones and starts its worker, or refuses it.
    void enter(std::shared_ptr<WatcherCore> watcher);
    /// Adds the watcher's subscription to the index. Returns R of that moment.
    asio::awaitable<Revision> join(std::shared_ptr<WatcherCore> watcher);
    /// Removes the watcher's subscription from the index, and discards what is in its inbox.
    void part(std::shared_ptr<WatcherCore> watcher);
    /// Removes a watcher that has ended from the index and from the running ones.
    void leave(std::shared_ptr<WatcherCore> watcher);
    /// Wakes the watcher at this time, if it is still running.
    void call_at(std::chrono::steady_clock::time_point time, std::weak_ptr<WatcherCore> watcher);
    /// Wakes the watcher once R has reached the revision, and again at each revision that
    /// WatcherCore::next_wake then returns.
    void wake_at(Revision revision, std::weak_ptr<WatcherCore> watcher);

    /// Notifies closing that the consumer of a pulled watch has asked for more than the commit it
    /// had. Any thread.
    void consumer_asked() noexcept;

    /// Same as Database::close. Any thread.
    static asio::awaitable<void> close(std::shared_ptr<Pipeline> self,
                                       std::chrono::milliseconds timeout);
    /// Begins to close, without a caller that waits for it. Any thread.
    void abandon() noexcept;

private:
    using BatchChannel = asio::experimental::channel<void(boost::system::error_code, watch::Batch)>;
    using VictimChannel =
        asio::experimental::channel<void(boost::system::error_code, watch::VictimSet)>;

    void context_shutdown() noexcept override;

    // Stages (stages.cpp).
    void start_stages();
    void stop_stages();
    static asio::awaitable<void> collect(std::shared_ptr<Pipeline> self);
    static asio::awaitable<void> distribute(std::shared_ptr<Pipeline> self);
    static asio::awaitable<void> collect_victims(std::shared_ptr<Pipeline> self);
    asio::awaitable<void> fetch_missing(watch::Collector& collector);
    asio::awaitable<void> hand_over(watch::Batch batch);
    asio::awaitable<void> route(watch::Batch& batch);
    asio::awaitable<void> route_rest(LoopTurn& turn);
    void start_workers(std::vector<watch::SharedSubscription>& subscribers);
    asio::awaitable<void> finish_routing(watch::Distributor::Routed& routed);
    void set_routed(Revision revision) noexcept;
    void wake_reached() noexcept;
    bool post_wake_reached() noexcept;
    void stage_ended(std::exception_ptr error);
    void fail(std::exception_ptr error);
    void take_in(const std::shared_ptr<WatcherCore>& watcher);
    bool is_running(const WatcherCore& watcher) const;
    /// Checks two wakes, and removes those that are no longer of use. Called for each new wake, so
    /// there are never many of these, and it is never much work.
    void clean_up_wakes();
    void forget(const WatcherCore& watcher);
    void rouse_feed();
    void count_routed(const CommitRecord& commit);

    // Changes of the index (index_changes.cpp).
    struct Change {
        enum class Kind { join, part, leave } kind = Kind::join;
        std::shared_ptr<WatcherCore> watcher;
        /// The coroutine that awaits `join`, and where R is stored for it.
        async::Waiter waiter = {};
        std::shared_ptr<Revision> joined_at = nullptr;
    };
    void post_change(Change change);
    void change(std::list<Change> one) noexcept;
    void apply(Change change) noexcept;
    asio::awaitable<void> apply_changes(LoopTurn& turn);
    void note_busy_consumer(const std::shared_ptr<WatcherCore>& watcher) noexcept;

    // Waking watchers at a time (pacing.cpp).
    static asio::awaitable<void> keep_time(std::shared_ptr<Pipeline> self);
    void start_timekeeper();
    void wake_timekeeper();
    void call_off(const WatcherCore& watcher);

    // Closing (closing.cpp).
    void begin_close(std::chrono::milliseconds timeout);
    void add_closer(const asio::any_io_executor& closer);
    /// The progress of closing.
    struct Closing {
        enum class Step {
            finish_commits,
            end_watchers,
            refuse_commits,
            end_others,
            close_engine,
            closed
        };

        std::chrono::steady_clock::time_point begun;
        std::chrono::milliseconds timeout{};
        Step step = Step::finish_commits;
        bool done = false;  ///< true if all watchers have ended in time
    };
    asio::awaitable<void> do_step(Closing& closing);
    bool deliver() noexcept override;
    static asio::awaitable<void> run_close(std::shared_ptr<Pipeline> self,
                                           std::chrono::milliseconds timeout);
    /// Ends the watches that were never run, and completes their waiters.
    asio::awaitable<void> end_those_never_run();
    using Tell = std::function<void(WatcherCore&)>;
    /// Calls `tell` for each running watch, in slices. `tell` must live until this has been
    /// awaited.
    asio::awaitable<void> tell_running(const Tell& tell);
    asio::awaitable<void> drain_watchers(std::chrono::steady_clock::time_point deadline);
    asio::awaitable<void> wait_for_watchers(std::chrono::steady_clock::time_point deadline);
    bool watchers_done() const;
    asio::awaitable<void> wait_for_consumers(std::chrono::steady_clock::time_point deadline);
    asio::awaitable<void> finish_queued_commits();
    void poke_closer();

    // The limit of closing (closing_limit.cpp).
    void limit_closing(std::chrono::milliseconds timeout);
    void look_after_loop();
    void close_without_loop();
    void tell_closed(std::exception_ptr result);

    // Constant after construction, or thread-safe by itself.
    const Options options_;
    const std::shared_ptr<engine::Engine> engine_;
    const std::shared_ptr<Feed> feed_;
    const std::shared_ptr<async::ContextLife> life_;
    const std::shared_ptr<async::WaiterList> closed_ = std::make_shared<async::WaiterList>();
    const std::shared_ptr<watch::SharedBytes> inbox_bytes_;
    std::atomic<Revision> routed_;
    std::atomic<std::uint64_t> next_watcher_id_{0};
    Counters counters_;
    Registry registry_;
    std::atomic<bool> closing_{false};
    std::atomic<bool> told_closed_{false};
    std::atomic<bool> drained_{false};
    std::atomic<bool> context_gone_{false};
    std::shared_ptr<Pipeline> abandoned_;  ///< itself, while there is no memory to begin closing
    async::WakeUp wake_;                   ///< for the collector
    async::WakeUp batch_there_;
    async::WakeUp victims_there_;
    async::WakeUp victims_gone_;  ///< notified when there is room for more
    /// Reset when the context is destroyed, because a strand must not outlive it.
    asio::any_io_executor executor_;
    asio::any_io_executor strand_;
    asio::any_io_executor stage_executor_;

    // On the strand.
    watch::Distributor distributor_;
    bool mid_commit_ = false;    ///< true while a commit or a gap is routed in part
    std::list<Change> changes_;  ///< changes of the index that have to wait
    std::vector<std::shared_ptr<WatcherCore>> running_;
    struct Wake {
        Revision revision = 0;
        std::weak_ptr<WatcherCore> watcher;
        bool operator<(const Wake& other) const noexcept
        {
            return revision != other.revision ? revision < other.revision
                                              : watcher.owner_before(other.watcher);
        }
    };
    std::set<Wake> wakes_;
    Wake looked_at_;  ///< the last wake that `clean_up_wakes` checked
    watch::Timetable timetable_;
    bool keeps_time_ = false;  ///< true while `keep_time` runs, which owns the timer
    asio::steady_timer* timer_ = nullptr;
    bool draining_ = false;  ///< true once the running watches are to end
    BatchChannel* batches_ = nullptr;
    VictimChannel* victims_ = nullptr;
    std::size_t bytes_in_flight_ = 0;
    bool waits_for_room_ = false;  ///< the collector waits for fewer bytes or batches
    std::size_t stages_ = 0;
    bool stopping_ = false;
    std::exception_ptr error_;
    asio::steady_timer* close_timer_ = nullptr;
    /// Pulled watches that ended during closing while their consumers had a commit.
    std::vector<std::weak_ptr<WatcherCore>> busy_consumers_;
    /// Watches whose own callbacks wait for the closing.
    std::vector<std::weak_ptr<const WatcherCore>> closers_;
};

}  // namespace keywatch::pipeline
