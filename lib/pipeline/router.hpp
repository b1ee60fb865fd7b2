// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/loop_turn.hpp"
#include "counters.hpp"
#include "feed.hpp"
#include "pipeline_strand.hpp"
#include "revision_wakes.hpp"
#include "running_set.hpp"
#include "stage_events.hpp"
#include "watcher_interface.hpp"

#include "async/waiter.hpp"
#include "async/wake_up.hpp"
#include "engine/engine.hpp"
#include "watch/collector.hpp"
#include "watch/distributor.hpp"

#include <keywatch/options.hpp>
#include <keywatch/position.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/channel.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <list>
#include <memory>
#include <vector>

namespace keywatch::pipeline {

namespace asio = boost::asio;

/// Routes durable commits to the inboxes of the watches that select them. Three stages do that, as
/// coroutines on the pipeline's strand that are connected by channels: collector, distributor and
/// victim collector.
///
/// 1. routed() is written after all pushes of that commit.
/// 2. The index changes only between two commits, so a commit is routed to all watches that were in
///    the index when that began, and to no other.
/// 3. A stage that waits does not keep the event loop from ending. Channels are local variables of
///    the coroutines that receive from them.
///
/// Thread safety: members marked "any thread" may be called from any thread, the others on the
/// strand.
class Router {
public:
    /// The arguments must outlive this object.
    Router(PipelineStrand& strand, engine::Engine& engine, Feed& feed, const Options& options,
           Counters& counters, const RunningSet& running, StageEvents& events);

    void start();
    /// Ends the stages.
    void stop();

    /// Returns R: the last revision whose commits have all been routed, or were skipped while no
    /// watch ran. Any thread.
    Revision routed() const noexcept { return routed_.load(std::memory_order_acquire); }
    /// Moves R to this revision, unless it is there already. Precondition: the index is empty.
    void skip_to(Revision revision) noexcept { set_routed(revision); }
    /// Wakes the collector: the hub has commits. Any thread.
    void wake_collector() noexcept;

    /// Adds a watch to the index. Returns R of that moment. Any thread.
    asio::awaitable<Revision> subscribe(SharedWatcher watcher);
    /// Removes a watch from the index, and discards what is in its inbox. Any thread.
    void unsubscribe(SharedWatcher watcher);
    /// Same as `unsubscribe`, for a watch that has ended. StageEvents::removed follows.
    void remove(SharedWatcher watcher);
    /// Wakes the watch once R has reached the revision: see RevisionWakes. Any thread.
    void wake_at(Revision revision, std::weak_ptr<WatcherInterface> watcher);

    /// Gives up the commit that is being routed. Called when a stage has failed.
    void abandon_commit();
    /// Releases all watches. Called while the context is being destroyed.
    void context_shutdown() noexcept;

private:
    using BatchChannel = asio::experimental::channel<void(boost::system::error_code, watch::Batch)>;
    using VictimChannel =
        asio::experimental::channel<void(boost::system::error_code, watch::VictimSet)>;

    // Stages (router.cpp).
    static asio::awaitable<void> collect(std::shared_ptr<Router> self);
    static asio::awaitable<void> distribute(std::shared_ptr<Router> self);
    static asio::awaitable<void> collect_victims(std::shared_ptr<Router> self);
    asio::awaitable<void> fetch_missing(watch::Collector& collector);
    asio::awaitable<void> send_batch(watch::Batch batch);
    asio::awaitable<void> route(watch::Batch& batch);
    asio::awaitable<void> route_rest(async::LoopTurn& turn);
    static void start_workers(std::vector<watch::SharedSubscription>& subscribers);
    asio::awaitable<void> finish_routing(watch::Distributor::Routed& routed);
    void set_routed(Revision revision) noexcept;
    void wake_reached() noexcept;
    bool post_wake_reached() noexcept;
    void count_routed(const CommitRecord& commit);

    // Changes of the index (index_changes.cpp).
    struct Change {
        enum class Kind { subscribe, unsubscribe, remove } kind = Kind::subscribe;
        SharedWatcher watcher;
        /// The coroutine that awaits `subscribe`, and where R is stored for it.
        async::Waiter waiter = {};
        std::shared_ptr<Revision> joined_at = nullptr;
    };
    void post_change(Change change);
    void change(std::list<Change> one) noexcept;
    void apply(Change change) noexcept;
    asio::awaitable<void> apply_changes(async::LoopTurn& turn);

    PipelineStrand& strand_;
    engine::Engine& engine_;
    Feed& feed_;
    const Options& options_;
    Counters& counters_;
    const RunningSet& running_;
    StageEvents& events_;
    /// Written on the strand.
    std::atomic<Revision> routed_;
    async::WakeUp wake_;  ///< for the collector
    async::WakeUp batch_there_;
    async::WakeUp victims_there_;
    async::WakeUp victims_gone_;  ///< notified when there is room for more

    // On the strand.
    watch::Distributor distributor_;
    RevisionWakes wakes_;
    bool mid_commit_ = false;    ///< true while a commit or a gap is routed in part
    std::list<Change> changes_;  ///< changes of the index that have to wait
    BatchChannel* batches_ = nullptr;
    VictimChannel* victims_ = nullptr;
    std::size_t bytes_in_flight_ = 0;
    bool waits_for_room_ = false;  ///< the collector waits for fewer bytes or batches
    bool stopping_ = false;
};

}  // namespace keywatch::pipeline
