// SPDX-License-Identifier: BSL-1.0
#include "model_strand.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace keywatch::test {

ModelStrand::ModelStrand(DeliveryWorld& world)
    : world_(world),
      bystander_(std::make_shared<watch::Subscription>(
          in("b", glob("k*")), Filter(),
          watch::Budget{DeliveryWorld::all_bytes, DeliveryWorld::all_bytes})),
      next_(world.routed + 1 - std::min(world.routed, world.scenario.on_their_way))
{
    distributor_.index().add(bystander_);
}

bool ModelStrand::is_indexed() const
{
    return std::ranges::any_of(world_.subscriber->interests(), &watch::Interest::indexed);
}

bool ModelStrand::can_route() const
{
    return at_ != At::idle || next_ <= world_.history.head();
}

bool ModelStrand::can_lose_commit() const
{
    return at_ == At::idle && next_ <= world_.history.head() && next_ > world_.routed;
}

bool ModelStrand::can_change() const
{
    return !world_.changes.empty() &&
           (at_ == At::idle || (at_ == At::routing && world_.fault == Fault::joins_mid_commit));
}

// Routing.

bool ModelStrand::route()
{
    switch (at_) {
    case At::pushed:
        at_ = At::idle;
        return write_routed();
    case At::idle:
        if (next_ <= world_.routed && world_.fault != Fault::routes_the_past) {
            ++next_;  // it is passed over
            return false;
        }
        begin(next_++);
        distributor_.begin(world_.history.commit(next_ - 1));
        break;
    case At::routing:
        break;
    }
    return route_slice();
}

bool ModelStrand::lose_commit()
{
    begin(next_++);
    distributor_.begin_gap(world_.routed);
    route_slice();
    distributor_.index().add(bystander_);
    return std::exchange(wake_, false);
}

void ModelStrand::begin(Revision revision)
{
    if (world_.fault == Fault::routed_before_push) {
        world_.routed = std::max(world_.routed, revision);
    }
    slices_ = 0;
    entries_before_ = distributor_.entries();
    in_index_at_begin_ = is_indexed();
    starved_at_begin_ = world_.starves;
}

bool ModelStrand::route_slice()
{
    // The first slice finds the subscribers. Each of the others pushes to one of them.
    bool finished = distributor_.advance(1);
    while (!finished && distributor_.entries() == entries_before_) {
        finished = distributor_.advance(1);
    }
    at_ = finished ? At::pushed : At::routing;
    ++slices_;
    watch::Distributor::Routed& routed = distributor_.routed();
    wake_ = wake_ || std::ranges::count(routed.wake, world_.subscriber) != 0;
    routed.wake.clear();
    for (const watch::VictimSet& each : routed.victims) {
        victim_ = victim_ || (finished && std::ranges::count(each.subscribers, world_.subscriber));
    }
    return !finished && std::exchange(wake_, false);
}

bool ModelStrand::write_routed()
{
    world_.routed = std::max(world_.routed, next_ - 1);
    bool starts = std::exchange(wake_, false);
    while (!wake_at_.empty() && *wake_at_.begin() <= world_.routed) {
        wake_at_.erase(wake_at_.begin());
        starts = world_.poke() || starts;
    }
    return starts;
}

bool ModelStrand::tell_victim()
{
    victim_ = false;
    return world_.inbox().signal([](watch::Signals& signals) { signals.bucket_deleted = true; });
}

// The tasks.

bool ModelStrand::change()
{
    const DeliveryWorld::Change change = world_.changes.front();
    world_.changes.pop_front();
    if (change == DeliveryWorld::Change::part) {
        distributor_.index().remove(*world_.subscriber);
        world_.inbox().drop();
        return false;
    }
    distributor_.index().add(world_.subscriber);
    world_.joins = false;
    if (world_.fault != Fault::join_not_atomic) {
        world_.joined_at = world_.routed;
    }
    return false;
}

bool ModelStrand::note()
{
    const Revision revision = world_.wakes.front();
    world_.wakes.erase(world_.wakes.begin());
    if (revision <= world_.routed) {
        return world_.poke();
    }
    wake_at_.insert(revision);
    return false;
}

}  // namespace keywatch::test
