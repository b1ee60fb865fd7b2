// SPDX-License-Identifier: BSL-1.0
#include "join_model.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <utility>

namespace keywatch::test {

namespace {

constexpr std::size_t all_bytes = std::size_t{1} << 30;

void require(bool holds, const char* what)
{
    if (!holds) {
        throw std::logic_error(what);
    }
}

}  // namespace

JoinModel::JoinModel(const JoinScenario& scenario, Fault fault)
    : scenario_(scenario),
      fault_(fault),
      bytes_(std::make_shared<watch::SharedBytes>(all_bytes)),
      starves_(scenario.starved && bytes_->reserve(all_bytes)),
      subscriber_(std::make_shared<watch::Subscription>(
          keywatch::in("b", keywatch::prefix("k")), keywatch::Filter(),
          watch::Budget{scenario.room, all_bytes}, scenario.overflow, bytes_)),
      bystander_(std::make_shared<watch::Subscription>(keywatch::in("b", keywatch::glob("k*")),
                                                       keywatch::Filter(),
                                                       watch::Budget{all_bytes, all_bytes})),
      follower_(scenario.start, scenario.near, scenario.at_present,
                scenario.seen != 0 && fault != Fault::joins_within),
      routed_(scenario.routed_before),
      next_(scenario.routed_before + 1 - std::min(scenario.routed_before, scenario.on_their_way)),
      was_caught_up_(scenario.at_present)
{
    subscriber_->start_within(scenario.start, scenario.seen);
    distributor_.index().add(bystander_);
    for (Revision revision = scenario.start + 1; revision <= head(); ++revision) {
        if (matches(revision)) {
            expected_.push_back(revision);
        }
        if (ends_it(revision)) {
            break;
        }
    }
}

bool JoinModel::matches(Revision revision) const
{
    const std::string some = starts_within(revision) ? "MR" : "mMnDR";
    return some.find(scenario_.commits[revision - 1]) != std::string::npos;
}

bool JoinModel::ends_it(Revision revision) const
{
    const char commit = scenario_.commits[revision - 1];
    return (commit == 'D' || commit == 'R') && !starts_within(revision);
}

bool JoinModel::starts_within(Revision revision) const
{
    return scenario_.seen != 0 && revision == scenario_.start + 1;
}

bool JoinModel::same_element(Revision one, Revision other) const
{
    const auto key = [this](Revision revision) {
        const char commit = scenario_.commits[revision - 1];
        return commit == 'R' ? 'm' : std::tolower(static_cast<unsigned char>(commit));
    };
    return key(one) == key(other) && !ends_it(one) && !ends_it(other);
}

std::optional<Revision> JoinModel::missing() const
{
    const auto first = std::ranges::find_if(
        expected_, [this](Revision each) { return !delivered_.contains(each); });
    return first == expected_.end() ? std::nullopt : std::optional(*first);
}

SharedRecord JoinModel::commit(Revision revision) const
{
    switch (scenario_.commits[revision - 1]) {
    case 'm':
        return make_commit(revision, {put_of("k")});
    case 'n':
        return make_commit(revision, {put_of("kn")});
    case 'M':
        return make_commit(revision, {put_of("x"), put_of("k")});
    case 'D':
        return make_commit(revision, {deletion_of("b")});
    case 'R':
        return make_commit(revision, {deletion_of("b"), put_of("k")});
    case 'o':
        return make_commit(revision, {put_of("k", "other")});
    default:
        return make_commit(revision, {put_of("x")});
    }
}

bool JoinModel::indexed() const
{
    return subscriber_->interests().front().indexed;
}

bool JoinModel::can_run_task() const
{
    if (strand_ == Strand::pushed) {
        return false;
    }
    return !wake_at_posted_.empty() ||
           (join_posted_ && (strand_ == Strand::idle || fault_ == Fault::joins_mid_commit));
}

std::vector<JoinModel::Actor> JoinModel::enabled() const
{
    std::vector<Actor> actors;
    if (strand_ != Strand::idle || next_ <= head()) {
        actors.push_back(Actor::strand_routes);
    }
    if (can_run_task()) {
        actors.push_back(Actor::strand_runs_task);
    }
    if (strand_ != Strand::pushed && victim_) {
        actors.push_back(Actor::victims);
    }
    if (at_ != At::asleep && at_ != At::joining && at_ != At::ended) {
        actors.push_back(Actor::worker);
    }
    if (scenario_.stop && stop_steps_ < 2) {
        actors.push_back(Actor::stopper);
    }
    if (scenario_.close && !closed_ && strand_ != Strand::pushed) {
        actors.push_back(Actor::closer);
    }
    if (scenario_.relieved && starves_) {
        actors.push_back(Actor::others);
    }
    return actors;
}

void JoinModel::step(Actor actor)
{
    switch (actor) {
    case Actor::strand_routes:
        route();
        break;
    case Actor::strand_runs_task:
        run_task();
        break;
    case Actor::victims:
        victim_ = false;
        told_ += 'v';
        since_look_ += 'v';
        wake(subscriber_->inbox.signal([](watch::Signals& s) { s.bucket_deleted = true; }));
        break;
    case Actor::worker:
        work();
        break;
    case Actor::stopper:
        signal_stop();
        break;
    case Actor::closer:
        closed_ = true;
        told_ += 'c';
        since_look_ += 'c';
        wake(subscriber_->inbox.signal([&](watch::Signals& s) { s.close_at = head(); }));
        wake_at_posted_.push_back(head());
        break;
    case Actor::others:
        starves_ = false;
        bytes_->release(all_bytes);
        break;
    }
    check_position();
}

void JoinModel::route()
{
    if (strand_ == Strand::pushed) {
        strand_ = Strand::idle;
        write_routed();
        return;
    }
    if (strand_ == Strand::idle) {
        const Revision revision = next_++;
        if (fault_ == Fault::routed_before_push) {
            routed_ = std::max(routed_, revision);
        }
        slices_ = 0;
        entries_before_ = distributor_.entries();
        if (revision <= scenario_.routed_before && fault_ != Fault::routes_the_past) {
            strand_ = Strand::pushed;  // it is passed over
            return;
        }
        distributor_.begin(commit(revision));
    }
    route_slice();
}

void JoinModel::route_slice()
{
    // The first slice finds the subscribers. Each of the others pushes to one of them.
    bool finished = distributor_.advance(1);
    while (!finished && distributor_.entries() == entries_before_) {
        finished = distributor_.advance(1);
    }
    strand_ = finished ? Strand::pushed : Strand::routing;
    if (++slices_ > 1) {
        const std::string slice = std::to_string(next_) + '.' + std::to_string(slices_) + ' ';
        since_take_ += slice;
        since_look_ += slice;
    }
    watch::Distributor::Routed& routed = distributor_.routed();
    wake_after_commit_ |= std::ranges::count(routed.wake, subscriber_) != 0;
    routed.wake.clear();
    for (const watch::VictimSet& each : routed.victims) {
        victim_ |= finished && std::ranges::count(each.subscribers, subscriber_) != 0;
    }
    if (!finished) {
        wake(std::exchange(wake_after_commit_, false));
    }
}

void JoinModel::write_routed()
{
    routed_ = std::max(routed_, next_ - 1);
    wake(std::exchange(wake_after_commit_, false));
    while (!wake_at_.empty() && *wake_at_.begin() <= routed_) {
        wake_at_.erase(wake_at_.begin());
        poke();
    }
}

void JoinModel::run_task()
{
    if (!wake_at_posted_.empty() && !(join_posted_ && fault_ == Fault::joins_mid_commit)) {
        const Revision revision = wake_at_posted_.front();
        wake_at_posted_.erase(wake_at_posted_.begin());
        if (revision <= routed_) {
            poke();
        } else {
            wake_at_.insert(revision);
        }
        return;
    }
    join_posted_ = false;
    distributor_.index().add(subscriber_);
    follower_.joined(fault_ == Fault::join_not_atomic ? seen_routed_ : routed_);
    at_ = At::look;
}

void JoinModel::poke()
{
    since_look_ += 'p';
    wake(subscriber_->inbox.signal([](watch::Signals&) {}));
}

void JoinModel::signal_stop()
{
    if (stop_steps_++ == 0) {
        told_ += 's';
        since_look_ += 's';
        wake(subscriber_->inbox.signal([](watch::Signals& s) { s.stop = true; }));
    } else {
        interrupted_ = true;
    }
}

void JoinModel::wake(bool asleep)
{
    if (asleep) {
        require(at_ == At::asleep, "a second worker is started");
        at_ = At::look;
    }
}

void JoinModel::check_position() const
{
    const std::optional<Revision> missing = this->missing();
    if (!missing) {
        return;
    }
    require(follower_.position() < *missing, "the position is ahead of an undelivered commit");
    if (const auto through = subscriber_->inbox.up_to_date(routed_)) {
        require(*through < *missing, "a sleeper is up to date ahead of an undelivered commit");
    }
}

void JoinModel::check_end() const
{
    const bool complete = !missing();
    const bool deletion = complete && !expected_.empty() && ends_it(expected_.back());
    switch (reason_) {
    case Reason::none:
        require(at_ == At::asleep, "the worker waits for nobody");
        require(complete, "the worker sleeps, and something is undelivered");
        require(!deletion && !scenario_.stop && !scenario_.close, "the watch does not end");
        break;
    case Reason::stopped:
        require(scenario_.stop, "stopped by nobody");
        break;
    case Reason::bucket_deleted:
        require(deletion, "ended by a deletion that is not its own, or too early");
        break;
    case Reason::closed:
        require(complete && scenario_.close, "closed too early");
        break;
    case Reason::overflow:
        require(scenario_.overflow == Overflow::stop, "ended by an inbox that was full");
        require(gave_up_ || scenario_.relieved || !scenario_.starved,
                "ended for what others have used up");
        break;
    }
}

std::string JoinModel::key() const
{
    std::string key = since_take_ + '/' + since_look_ + '/' + told_ + '/';
    const auto add = [&key](auto... numbers) {
        ((key += std::to_string(static_cast<Revision>(numbers)) + ' '), ...);
    };
    add(newest_, caught_up_, slice_loses_, follower_.position(), follower_.joined(),
        follower_.live(), follower_.up_to(), routed_, next_, strand_, slices_, wake_after_commit_,
        victim_, starves_, was_caught_up_, join_posted_, stop_steps_, closed_, interrupted_, at_,
        reason_, seen_routed_, slice_reached_, place_, indexed(), gave_up_, follower_.bears(),
        began_at_.has_value(), began_at_.value_or(0));
    key += '/';
    for (const watch::Entry& each : taken_.entries) {
        add(each.commit->revision, each.since.empty() ? 0 : each.since.front(), each.hold,
            each.loses);
    }
    key += taken_.signals.overflowed ? 'o' : '-';
    key += taken_.signals.full ? 'F' : '-';
    key += taken_.signals.fell_behind ? 'f' : '-';
    key += taken_.signals.stop ? 's' : '-';
    key += taken_.signals.close_at ? 'c' : '-';
    key += taken_.signals.bucket_deleted ? 'v' : '-';
    add(taken_.signals.detached_at, subscriber_->inbox.up_to_date(0).has_value());
    for (const auto& each : {slice_,
                             wake_at_posted_,
                             {wake_at_.begin(), wake_at_.end()},
                             {delivered_.begin(), delivered_.end()}}) {
        key += '/';
        for (const Revision revision : each) {
            add(revision);
        }
    }
    return key;
}

}  // namespace keywatch::test
