// SPDX-License-Identifier: BSL-1.0
#include "model_worker.hpp"

#include <utility>

namespace keywatch::test {

using watch::DeliveryFsm;

ModelWorker::ModelWorker(DeliveryWorld& world, bool begins_within)
    : world_(world),
      machine_({world.scenario.from_state ? 0 : world.scenario.start, world.scenario.near,
                world.scenario.overflow, world.scenario.at_present, begins_within,
                world.scenario.paced, world.scenario.from_state}),
      source_(world),
      action_(machine_.woken()),
      ever_caught_up_(world.scenario.at_present)
{
}

bool ModelWorker::is_at_entry() const
{
    const bool left =
        source_.has_slice() ? !source_.slice_is_over() : source_.next < source_.entries.size();
    return !takes_back_ && action_.what == Do::deliver && left && !world_.scenario.pulled;
}

bool ModelWorker::can(Choice choice) const
{
    const bool calls_back = is_at_entry();
    switch (choice) {
    case Choice::usual:
        return takes_back_ || (action_.what != Do::nothing && action_.what != Do::end &&
                               !(asked_to_join_ && world_.joins));
    case Choice::other:
        return (calls_back && world_.scenario.callback_stops) ||
               (action_.what == Do::check_time && action_.flag && early_ < 2 &&
                !(machine_.is_live() && world_.inbox().empty())) ||
               (action_.what == Do::check_progress && due_ < 1 && !world_.interrupted);
    case Choice::half:
        return calls_back && world_.interrupted;
    case Choice::stops_half:
        return calls_back && world_.scenario.callback_stops;
    case Choice::breaks_off:
        return calls_back && world_.interrupted && !source_.has_slice() && source_.next > 0;
    case Choice::aborts:
        return calls_back && world_.aborts;
    }
    return false;
}

void ModelWorker::wake()
{
    require(is_asleep() && !has_ended(), "a second worker is started");
    report(machine_.woken());
}

void ModelWorker::hand_back()
{
    require(machine_.is_parked() && !takes_back_, "handed back to a worker that is not parked");
    takes_back_ = true;
}

void ModelWorker::work(Choice choice)
{
    if (takes_back_) {
        take_back();
    } else if (choice == Choice::aborts) {
        report(machine_.failed(false, true, world_.inbox().signals()));
    } else if (action_.what == Do::deliver) {
        deliver(choice);
    } else {
        perform(choice == Choice::other);
    }
}

void ModelWorker::report(const Action& action)
{
    if (was_joined_ && !machine_.is_joined() && !by_itself_) {
        began_at_.reset();
    }
    was_joined_ = machine_.is_joined();
    action_ = action;
    const bool ends = action.what == Do::end;
    require(!told_ || ends || action.what == Do::read_routed || action.what == Do::take_inbox,
            "the worker goes on though it was told to end");
    if (!ends) {
        return;
    }
    ending_ = action.ending;
    require(!told_ || ending_ == *told_, "the worker ends for another reason than it was told");
    require(ending_ != Ending::overflow || !told_of_end_, "what is about to end is too slow");
    if (world_.scenario.pulled) {
        world_.outbox.shut();
    }
}

void ModelWorker::perform(bool other)
{
    switch (action_.what) {
    case Do::look:
        return look();
    case Do::check_time:
        return check_time(other);
    case Do::rest:
        return report(machine_.rested(world_.inbox().rest()));
    case Do::read_routed:
        return read_routed();
    case Do::wake_at:
        if (world_.fault != Fault::not_noted) {
            world_.wakes.push_back(action_.revision);
        }
        return report(machine_.noted());
    case Do::read_state:
        return report(machine_.state_read(source_.read_state()));
    case Do::read_history:
        return read_history();
    case Do::join:
        return join();
    case Do::take_inbox:
        return take_inbox();
    case Do::lose_buckets:
        return report(machine_.lost(!world_.subscriber->lose_buckets(*source_.ends_bucket, {})));
    case Do::part:
        world_.changes.push_back(DeliveryWorld::Change::part);
        return report(machine_.parted());
    case Do::check_progress:
        return check_progress(other);
    case Do::sleep:
        return sleep();
    case Do::yield:
        return report(machine_.resumed());
    case Do::nothing:
    case Do::deliver:
    case Do::end:
        break;
    }
    require(false, "a worker that cannot go on does");
}

// The signals.

ModelWorker::Ending ModelWorker::told_by(const watch::Signals& signals) const
{
    const Revision position = machine_.position();
    const auto reached = [&](const std::optional<Revision>& revision) {
        return revision && !machine_.delivers_state() && position >= *revision;
    };
    return signals.error                     ? Ending::pipeline_failed
           : signals.cancel                  ? Ending::cancelled
           : signals.stop                    ? Ending::stopped
           : position >= signals.detached_at ? Ending::bucket_deleted
           : reached(signals.drain_at)       ? Ending::drained
           : signals.close_now               ? Ending::database_closed
           : reached(signals.close_at)       ? Ending::database_closed
                                             : Ending::none;
}

void ModelWorker::learn(const watch::Signals& signals)
{
    told_of_end_ = signals.drain_at || signals.close_at;
}

void ModelWorker::look()
{
    const watch::Signals signals = world_.inbox().signals();
    learn(signals);
    const Ending told = told_by(signals);
    if (told != Ending::none) {
        told_ = told;
    }
    const bool settles = machine_.is_live() && told != Ending::pipeline_failed;
    const Action action = machine_.looked(signals);
    require(told_ || action.what != Do::end, "the worker ends though it was not told to");
    require(!told_ || !settles || action.what == Do::read_routed,
            "a live watch ends at less than what was routed");
    require(
        action.what != Do::check_time || action.flag == !(told_of_end_ || signals.bucket_deleted),
        "a watch that is to end waits, or another one may not");
    report(action);
}

void ModelWorker::check_time(bool early)
{
    if (early) {
        ++early_;
        world_.timer = true;
    }
    report(machine_.timed(early));
}

void ModelWorker::check_progress(bool due)
{
    if (due) {
        ++due_;
        source_.make_progress_marker(machine_.position());
    }
    report(machine_.progress_due(due));
}

void ModelWorker::sleep()
{
    if (action_.flag && world_.scenario.paced && timers_ < 1) {
        ++timers_;
        world_.timer = true;  // for progress
    }
    report(machine_.slept(world_.inbox().sleep(action_.flag)));
}

// Where the next commits come from.

void ModelWorker::read_routed()
{
    if (world_.fault == Fault::routed_read_after_take && machine_.is_live()) {
        if (!taken_) {
            taken_.emplace();
            taken_->report = source_.take_inbox(machine_, taken_->signals);
            return;
        }
        action_ = machine_.routed(world_.routed);
        took(*std::exchange(taken_, std::nullopt));
        return;
    }
    decide(world_.routed);
}

void ModelWorker::decide(Revision routed)
{
    const Action action = machine_.routed(routed);
    if (!machine_.is_joined() && action.what != Do::wake_at && !began_at_) {
        began_at_ = routed;
    }
    const bool gap = action.what == Do::read_history && action.how == DeliveryFsm::How::gap;
    if (gap || (action.what == Do::end && action.ending == Ending::overflow)) {
        gave_up_ = true;
        require(ever_caught_up_, "a watch that has yet to catch up gives up");
        require(routed - began_at_.value_or(routed) > world_.scenario.near,
                "a watch gives up from which the present has not run away");
        require(!told_of_end_, "a watch that is about to end gives up");
    }
    report(action);
}

void ModelWorker::read_history()
{
    const auto read = source_.read_history(action_, machine_.position());
    if (!read) {
        return;  // there is more to gather
    }
    if (action_.how == DeliveryFsm::How::gap) {
        began_at_.reset();
    }
    report(machine_.history_read(*read));
}

void ModelWorker::join()
{
    if (!asked_to_join_) {
        asked_to_join_ = true;
        source_.close_slice();
        world_.joins = true;
        world_.joined_at = world_.routed;
        world_.changes.push_back(DeliveryWorld::Change::join);
        return;
    }
    asked_to_join_ = false;
    report(machine_.joined(world_.joined_at));
}

void ModelWorker::take_inbox()
{
    Taken taken;
    taken.report = source_.take_inbox(machine_, taken.signals);
    took(taken);
}

void ModelWorker::took(const Taken& taken)
{
    const watch::Signals& signals = taken.signals;
    by_itself_ = signals.full && !signals.overflowed;
    if (!action_.flag) {
        learn(signals);
        require(!signals.overflowed || caught_up_, "a watch that has yet to catch up is blamed");
        caught_up_ = !signals.fell_behind;
        if (caught_up_) {
            ever_caught_up_ = true;
            began_at_.reset();
        }
    }
    report(machine_.took(signals, taken.report));
}

}  // namespace keywatch::test
