// SPDX-License-Identifier: BSL-1.0
#include "pipeline.hpp"
#include "published.hpp"
#include "watcher_core.hpp"

#include "async/spawn.hpp"
#include "async/waiter.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

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

WatcherCore& core(const watch::SharedSubscription& subscription)
{
    return static_cast<WatcherCore&>(*subscription);
}

}  // namespace

void Pipeline::start_stages()
{
    const auto ended = [self = shared_from_this()](std::exception_ptr error) {
        self->stage_ended(std::move(error));
    };
    stages_ = 3;
    try {
        // The stages are started in this order, so that each finds the channel that it sends to.
        async::spawn(stage_executor_, collect_victims(shared_from_this()), ended);
        async::spawn(stage_executor_, distribute(shared_from_this()), ended);
        async::spawn(stage_executor_, collect(shared_from_this()), ended);
    } catch (...) {
        stop_stages();  // the stages that have begun own this object
        throw;
    }
}

void Pipeline::stop_stages()
{
    stopping_ = true;
    for (async::WakeUp* const each : {&wake_, &batch_there_, &victims_there_, &victims_gone_}) {
        each->notify();
    }
    if (timer_) {
        timer_->cancel();
    }
}

void Pipeline::stage_ended(std::exception_ptr error)
{
    --stages_;
    if (error) {
        // The commit that was being routed is not routed any further.
        mid_commit_ = false;
        start_workers(distributor_.routed().wake);
        for (Change& each : std::exchange(changes_, {})) {
            apply(std::move(each));
        }
        fail(std::move(error));
    }
    poke_closer();
}

asio::awaitable<void> Pipeline::collect(std::shared_ptr<Pipeline> self)
{
    const watch::Budget budget{self->options_.batch_messages, self->options_.distribute_bytes};
    watch::Collector collector(self->feed_->hub(), self->routed(), budget);
    while (!self->stopping_) {
        collector.pass_over(self->routed());  // R is ahead if no watch ran for a time
        switch (collector.next()) {
        case watch::Collector::Step::wait:
            co_await self->wake_.wait();
            break;
        case watch::Collector::Step::read_history:
            co_await self->fetch_missing(collector);
            co_await self->hand_over(collector.take_batch());
            break;
        case watch::Collector::Step::batch:
            co_await self->hand_over(collector.take_batch());
            break;
        }
    }
}

asio::awaitable<void> Pipeline::fetch_missing(watch::Collector& collector)
{
    const engine::SliceLimits limits{options_.batch_messages, options_.distribute_bytes};
    auto slice =
        co_await engine_->read_history(collector.position(), collector.missing_up_to(), limits);
    if (slice.compacted) {
        collector.compacted(*slice.compacted);
    } else {
        add_alone(counters_.read_from_history, slice.commits.size());
        collector.read(std::move(slice.commits), slice.reached);
    }
}

asio::awaitable<void> Pipeline::hand_over(watch::Batch batch)
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

asio::awaitable<void> Pipeline::distribute(std::shared_ptr<Pipeline> self)
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

asio::awaitable<void> Pipeline::route(watch::Batch& batch)
{
    add_alone(counters_.batches, 1);
    LoopTurn turn;
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
    for (const watch::SharedCommit& commit : batch.commits) {
        if (commit->revision <= this->routed()) {
            continue;
        }
        const std::uint64_t before = distributor_.steps();
        distributor_.begin(commit);
        if (!distributor_.advance(LoopTurn::steps_a_look)) {
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

asio::awaitable<void> Pipeline::route_rest(LoopTurn& turn)
{
    mid_commit_ = true;
    while (!distributor_.advance(LoopTurn::steps_a_look)) {
        if (turn.is_over(LoopTurn::steps_a_look)) {
            // The workers of the subscribers that have the commit need not wait for the remaining
            // ones.
            start_workers(distributor_.routed().wake);
            co_await turn.yield();
        }
    }
}

void Pipeline::count_routed(const CommitRecord& commit)
{
    add_alone(counters_.commits, 1);
    add_alone(counters_.messages, commit.messages.size());
    counters_.entries.store(distributor_.entries(), std::memory_order_relaxed);
    counters_.fell_behind.store(distributor_.fell_behind(), std::memory_order_relaxed);
}

void Pipeline::start_workers(std::vector<watch::SharedSubscription>& subscribers)
{
    for (const watch::SharedSubscription& each : subscribers) {
        core(each).start_worker();
    }
    subscribers.clear();
}

asio::awaitable<void> Pipeline::finish_routing(watch::Distributor::Routed& routed)
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

void Pipeline::set_routed(Revision revision) noexcept
{
    if (revision <= routed()) {
        return;
    }
    routed_.store(revision, std::memory_order_release);
    wake_reached();
}

asio::awaitable<void> Pipeline::collect_victims(std::shared_ptr<Pipeline> self)
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
                core(each).start_worker();
            }
            if (++appended % victim_slice == 0) {
                co_await async::yield();
            }
        }
    }
}

}  // namespace keywatch::pipeline
