// SPDX-License-Identifier: BSL-1.0
#include "router.hpp"

#include "published.hpp"

#include "async/spawn.hpp"
#include "async/waiter.hpp"

#include <boost/asio/this_coro.hpp>

#include <new>
#include <utility>

namespace keywatch::pipeline {

namespace {

/// Number of ends that are signalled before other work on the strand has its turn.
constexpr std::size_t victim_slice = 256;

/// Receives from a channel. Returns false if it is empty. The stages do not await `async_receive`:
/// if there is no memory for that, it destroys the coroutine, and the stage would end without an
/// error.
template <class Channel, class T>
bool receive(Channel& channel, T& received)
{
    return channel.try_receive(
        [&](const boost::system::error_code&, T given) { received = std::move(given); });
}

}  // namespace

Router::Router(PipelineStrand& strand, engine::Engine& engine, Feed& feed, const Options& options,
               Counters& counters, const RunningSet& running, StageEvents& events)
    : strand_(strand),
      engine_(engine),
      feed_(feed),
      options_(options),
      counters_(counters),
      running_(running),
      events_(events),
      routed_(engine.durable_head())
{
}

void Router::start()
{
    const auto ended = [self = strand_.share(this)](std::exception_ptr error) {
        if (error) {
            self->events_.stage_failed(std::move(error));
        }
    };
    const asio::any_io_executor& executor = strand_.stage_executor();
    try {
        // The stages are started in this order, so that each finds the channel that it sends to.
        async::spawn(executor, collect_victims(strand_.share(this)), ended);
        async::spawn(executor, distribute(strand_.share(this)), ended);
        async::spawn(executor, collect(strand_.share(this)), ended);
    } catch (...) {
        stop();  // the stages that have begun own this object
        throw;
    }
}

void Router::stop()
{
    stopping_ = true;
    for (async::WakeUp* const each : {&wake_, &batch_there_, &victims_there_, &victims_gone_}) {
        each->notify();
    }
}

void Router::abandon_commit()
{
    mid_commit_ = false;
    start_workers(distributor_.routed().wake);
    for (Change& each : std::exchange(changes_, {})) {
        apply(std::move(each));
    }
}

void Router::context_shutdown() noexcept
{
    distributor_.forget_all();
    const auto changes = std::exchange(changes_, {});
    wakes_.clear();
}

void Router::wake_collector() noexcept
{
    if (!strand_.is_gone()) {
        wake_.notify();
    }
}

asio::awaitable<void> Router::collect(std::shared_ptr<Router> self)
{
    const Budget budget{self->options_.batch_messages, self->options_.distribute_bytes};
    watch::Collector collector(self->feed_.hub(), self->routed(), budget);
    while (!self->stopping_) {
        collector.pass_over(self->routed());  // R is ahead if no watch ran for a time
        switch (collector.next()) {
        case watch::Collector::Step::wait:
            co_await self->wake_.wait();
            break;
        case watch::Collector::Step::read_history:
            co_await self->fetch_missing(collector);
            co_await self->send_batch(collector.take_batch());
            break;
        case watch::Collector::Step::batch:
            co_await self->send_batch(collector.take_batch());
            break;
        }
    }
}

asio::awaitable<void> Router::fetch_missing(watch::Collector& collector)
{
    const SliceLimits limits{options_.batch_messages, options_.distribute_bytes};
    auto slice =
        co_await engine_.read_history(collector.position(), collector.missing_up_to(), limits);
    if (slice.compacted) {
        collector.compacted(*slice.compacted);
    } else {
        add_alone(counters_.read_from_history, slice.commits.size());
        collector.read(std::move(slice.commits), slice.reached);
    }
}

asio::awaitable<void> Router::send_batch(watch::Batch batch)
{
    while (!stopping_ && bytes_in_flight_ > 0 &&
           bytes_in_flight_ + batch.bytes > options_.distribute_bytes) {
        waits_for_room_ = true;
        co_await wake_.wait();
    }
    bytes_in_flight_ += batch.bytes;
    const boost::system::error_code none;
    // A batch that is not sent is not moved from. NOLINTNEXTLINE(bugprone-use-after-move)
    while (!stopping_ && batches_ && !batches_->try_send(none, std::move(batch))) {
        waits_for_room_ = true;
        co_await wake_.wait();
    }
    batch_there_.notify();
}

asio::awaitable<void> Router::distribute(std::shared_ptr<Router> self)
{
    BatchChannel batches(co_await asio::this_coro::executor, self->options_.distribute_batches);
    const Published published(self->batches_, batches);
    while (!self->stopping_) {
        watch::Batch batch;
        if (!receive(batches, batch)) {
            co_await self->batch_there_.wait();
            continue;
        }
        co_await self->route(batch);
        self->bytes_in_flight_ -= batch.bytes;
        if (std::exchange(self->waits_for_room_, false)) {
            self->wake_.notify();
        }
    }
}

asio::awaitable<void> Router::route(watch::Batch& batch)
{
    add_alone(counters_.batches, 1);
    async::LoopTurn turn;
    // Commits at or before R are not routed. The batch may be from before the feed was resumed, but
    // each watch has joined at R or later, and must not receive what was before, least of all the
    // end of a bucket.
    if (batch.gap && batch.reached > this->routed()) {
        distributor_.begin_gap(this->routed());
        co_await route_rest(turn);
        counters_.fell_behind.store(distributor_.fell_behind(), std::memory_order_relaxed);
        start_workers(distributor_.routed().wake);
        // The index does not change until R is after the gap.
    }
    for (const SharedCommit& commit : batch.commits) {
        if (commit->revision <= this->routed()) {
            continue;
        }
        const std::uint64_t before = distributor_.steps();
        distributor_.begin(commit);
        if (!distributor_.advance(async::LoopTurn::steps_a_look)) {
            co_await route_rest(turn);
        }
        count_routed(*commit);
        set_routed(commit->revision);
        mid_commit_ = false;
        watch::Distributor::Routed& routed = distributor_.routed();
        if (!routed.wake.empty() || !routed.victims.empty()) {
            co_await finish_routing(routed);
        }
        if (!changes_.empty()) {
            co_await apply_changes(turn);
        }
        if (turn.is_over(static_cast<std::size_t>(distributor_.steps() - before))) {
            co_await turn.yield();
        }
    }
    set_routed(batch.reached);
    mid_commit_ = false;
    if (!changes_.empty()) {
        co_await apply_changes(turn);
    }
}

asio::awaitable<void> Router::route_rest(async::LoopTurn& turn)
{
    mid_commit_ = true;
    while (!distributor_.advance(async::LoopTurn::steps_a_look)) {
        if (turn.is_over(async::LoopTurn::steps_a_look)) {
            // The workers of the subscribers that have the commit need not wait for the remaining
            // ones.
            start_workers(distributor_.routed().wake);
            co_await turn.yield();
        }
    }
}

void Router::count_routed(const CommitRecord& commit)
{
    add_alone(counters_.commits, 1);
    add_alone(counters_.messages, commit.messages.size());
    counters_.entries.store(distributor_.entries(), std::memory_order_relaxed);
    counters_.fell_behind.store(distributor_.fell_behind(), std::memory_order_relaxed);
}

void Router::start_workers(std::vector<watch::SharedSubscription>& subscribers)
{
    for (const watch::SharedSubscription& each : subscribers) {
        watcher_of(each).start_worker();
    }
    subscribers.clear();
}

asio::awaitable<void> Router::finish_routing(watch::Distributor::Routed& routed)
{
    start_workers(routed.wake);
    const boost::system::error_code none;
    for (watch::VictimSet& set : routed.victims) {
        // NOLINTNEXTLINE(bugprone-use-after-move): as above
        while (!stopping_ && victims_ && !victims_->try_send(none, std::move(set))) {
            co_await victims_gone_.wait();
        }
        victims_there_.notify();
    }
    routed.victims.clear();
}

void Router::set_routed(Revision revision) noexcept
{
    if (revision <= routed()) {
        return;
    }
    // Pairs with the load in `routed()`: a thread that reads R sees the pushes of its commits.
    routed_.store(revision, std::memory_order_release);
    wake_reached();
}

void Router::wake_reached() noexcept
{
    async::LoopTurn turn;
    while (!wakes_.wake_reached(routed(), turn)) {
        if (post_wake_reached()) {
            return;
        }
    }
}

bool Router::post_wake_reached() noexcept
{
    try {
        strand_.post([self = strand_.share(this)] { self->wake_reached(); });
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

void Router::wake_at(Revision revision, std::weak_ptr<WatcherInterface> watcher)
{
    if (strand_.is_gone()) {
        return;
    }
    strand_.post([self = strand_.share(this), revision, weak = std::move(watcher)] {
        if (const SharedWatcher locked = weak.lock()) {
            self->wakes_.add(revision, locked, self->routed());
        }
    });
}

asio::awaitable<void> Router::collect_victims(std::shared_ptr<Router> self)
{
    VictimChannel victims(co_await asio::this_coro::executor, self->options_.victim_sets);
    const Published published(self->victims_, victims);
    while (!self->stopping_) {
        watch::VictimSet set;
        if (!receive(victims, set)) {
            co_await self->victims_there_.wait();
            continue;
        }
        self->victims_gone_.notify();
        std::size_t appended = 0;
        for (const watch::SharedSubscription& each : set.subscribers) {
            if (each->inbox.signal([](watch::Signals& s) { s.bucket_deleted = true; })) {
                watcher_of(each).start_worker();
            }
            if (++appended % victim_slice == 0) {
                co_await async::yield();
            }
        }
    }
}

}  // namespace keywatch::pipeline
