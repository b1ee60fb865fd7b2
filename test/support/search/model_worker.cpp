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
      check_(world.scenario),
      action_(machine_.woken())
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
               (action_.what == Do::check_time && action_.flag && early_ < 2) ||
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
    check_.follows(action_.what, action, machine_);
    action_ = action;
    if (action.what == Do::end) {
        ending_ = action.ending;
        if (world_.scenario.pulled) {
            world_.outbox.shut();
        }
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
        return report(world_.inbox().rest() ? Action() : machine_.rest_refused());
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
    case Do::take_if_empty:
        return take_if_empty();
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

void ModelWorker::look()
{
    const watch::Signals signals = world_.inbox().signals();
    check_.look(signals, machine_);
    const Action action = machine_.looked(signals);
    check_.looked(signals, action);
    report(action);
}

void ModelWorker::check_time(bool early)
{
    using Timing = DeliveryFsm::Timing;
    Timing timing = Timing::due;
    too_early_ = false;
    if (early) {
        ++early_;
        too_early_ = machine_.is_live() && world_.inbox().empty();
        timing = too_early_ ? Timing::early_but_empty : Timing::early;
        world_.timer = world_.timer || !too_early_;
    }
    const Action action = machine_.timed(timing);
    require((timing == Timing::early) == (action.what == Do::rest),
            "a watch that is early does not rest, or rests");
    report(action);
}

void ModelWorker::check_progress(bool due)
{
    if (due) {
        ++due_;
        source_.make_progress_marker(machine_.position());
    }
    const Action action = machine_.progress_due(due);
    require(due == (action.what == Do::deliver), "progress that is due is not told, or other is");
    report(action);
}

void ModelWorker::sleep()
{
    if (action_.flag && world_.scenario.paced && timers_ < 1) {
        ++timers_;
        world_.timer = true;  // for progress
    }
    report(world_.inbox().sleep(action_.flag) ? Action() : machine_.sleep_refused());
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
    const watch::DeliveryFsm before = machine_;
    const Action action = machine_.routed(world_.routed);
    check_.decided(world_.routed, before, action);
    report(action);
}

void ModelWorker::read_history()
{
    const auto read = source_.read_history(action_, machine_.position());
    if (!read) {
        return;  // there is more to gather
    }
    if (action_.how == DeliveryFsm::How::gap) {
        check_.read_gap();
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

void ModelWorker::take_if_empty()
{
    if (world_.inbox().empty()) {
        take_inbox();
    } else {
        report(machine_.not_empty());
    }
}

void ModelWorker::took(const Taken& taken)
{
    const bool is_last = action_.flag;
    require(is_last || !too_early_ || !taken.report.any, "a delivery begins too early");
    const Action action = machine_.took(taken.signals, taken.report);
    if (is_last) {
        check_.took_last(taken.signals, taken.report.any, machine_);
    } else {
        check_.taken(taken.signals, taken.report.any, action);
    }
    report(action);
}

}  // namespace keywatch::test
