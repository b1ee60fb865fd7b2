// SPDX-License-Identifier: BSL-1.0
#include "decision_check.hpp"

#include "delivery_history.hpp"

#include <algorithm>

namespace keywatch::test {

using watch::DeliveryFsm;

namespace {

DecisionCheck::Ending told_by(const watch::Signals& signals, const DeliveryFsm& machine)
{
    using Ending = DecisionCheck::Ending;
    const Revision position = machine.position();
    const auto reached = [&](const std::optional<Revision>& revision) {
        return revision && !machine.delivers_state() && position >= *revision;
    };
    if (signals.error) {
        return Ending::pipeline_failed;
    }
    if (signals.cancel) {
        return Ending::cancelled;
    }
    if (signals.stop) {
        return Ending::stopped;
    }
    if (position >= signals.detached_at) {
        return Ending::bucket_deleted;
    }
    if (reached(signals.drain_at)) {
        return Ending::drained;
    }
    return signals.close_now || reached(signals.close_at) ? Ending::database_closed : Ending::none;
}

}  // namespace

void DecisionCheck::learn(const watch::Signals& signals)
{
    last_ = std::min(signals.drain_at.value_or(never), signals.close_at.value_or(never));
}

void DecisionCheck::look(const watch::Signals& signals, const DeliveryFsm& machine)
{
    learn(signals);
    const Ending told = told_by(signals, machine);
    if (told != Ending::none) {
        told_ = told;
    }
    was_live_ = machine.is_live();
}

void DecisionCheck::looked(const watch::Signals& signals, const Action& action) const
{
    require(told_ || action.what != Do::end, "the worker ends though it was not told to");
    require(
        !told_ || !was_live_ || told_ == Ending::pipeline_failed || action.what == Do::read_routed,
        "a live watch ends at less than what was routed");
    require(
        action.what != Do::check_time || action.flag == !(is_to_end() || signals.bucket_deleted),
        "a watch that is to end waits, or another one may not");
    require(
        told_ || !scenario_.paced || action.what == Do::check_time || action.what == Do::read_state,
        "the time is not looked at");
}

bool DecisionCheck::is_too_slow(Revision lag) const
{
    return ever_caught_up_ && !is_to_end() && lag > *lag_at_begin_ + scenario_.near &&
           (scenario_.overflow == Overflow::skip || scenario_.overflow == Overflow::stop);
}

void DecisionCheck::decided(Revision routed, const DeliveryFsm& machine, const Action& action)
{
    routed_ = told_ ? routed : 0;
    const bool gap = action.what == Do::read_history && action.how == DeliveryFsm::How::gap;
    const bool gives_up = gap || (action.what == Do::end && action.ending == Ending::overflow);
    gave_up_ = gave_up_ || gives_up;
    if (action.what == Do::read_history && !gap) {
        require(
            (action.how == DeliveryFsm::How::newest) == (scenario_.overflow == Overflow::latest),
            "history is read as another policy wants it");
    }
    if (machine.is_joined() || action.what == Do::wake_at) {
        require(!gives_up, "a watch gives up that does not read");
        return;
    }
    const Revision lag = std::min(routed, last_) - machine.position();
    if (!lag_at_begin_) {
        lag_at_begin_ = lag;
    }
    require(gives_up == (lag > scenario_.near && is_too_slow(lag)),
            "a watch gives up that is not too slow, or does not");
    require(action.what != Do::join || lag <= scenario_.near, "a watch joins from afar");
    require(action.what != Do::read_history || action.revision <= last_,
            "a watch that is to end reads on");
}

void DecisionCheck::taken(const watch::Signals& signals, bool any, const Action& action)
{
    learn(signals);
    const bool ends = signals.overflowed && scenario_.overflow == Overflow::stop && !is_to_end();
    require(any || ends == (action.what == Do::end && action.ending == Ending::overflow),
            "a full inbox ends the watch though it should not, or does not");
    require(!signals.overflowed || caught_up_, "a watch that has yet to catch up is blamed");
    by_itself_ = signals.full && !signals.overflowed;
    caught_up_ = !signals.fell_behind;
    if (caught_up_) {
        ever_caught_up_ = true;
        lag_at_begin_.reset();
    }
}

void DecisionCheck::took_last(const watch::Signals& signals, bool any,
                              const DeliveryFsm& machine) const
{
    require(
        any || signals.fell_behind || machine.position() >= std::min(routed_, signals.detached_at),
        "the position at the end is less than what was routed");
}

void DecisionCheck::follows(Do before, const Action& action, const DeliveryFsm& machine)
{
    const bool detached = was_joined_ && !machine.is_joined();
    if (detached && !by_itself_) {
        lag_at_begin_.reset();
    }
    was_joined_ = machine.is_joined();
    const bool ends = action.what == Do::end;
    require(!told_ || ends || action.what == Do::read_routed || action.what == Do::take_inbox,
            "the worker goes on though it was told to end");
    require(!told_ || !ends || action.ending == *told_,
            "the worker ends for another reason than it was told");
    require(!ends || action.ending != Ending::overflow || !is_to_end(),
            "what is about to end is too slow");
    require(action.what != Do::take_inbox || action.flag == told_.has_value(),
            "what is taken is delivered though the watch ends, or is not");
    require(action.what != Do::sleep || !action.flag || !scenario_.paced ||
                (before != Do::take_inbox && before != Do::take_if_empty),
            "progress is not looked at");
}

}  // namespace keywatch::test
