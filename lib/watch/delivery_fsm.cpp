// SPDX-License-Identifier: BSL-1.0
#include "delivery_fsm.hpp"

#include <algorithm>
#include <stdexcept>

namespace keywatch::watch {

DeliveryFsm::DeliveryFsm(const Config& config)
    : position_(config.start),
      near_(config.near),
      begins_at_(config.start + (config.within_next ? 1 : 0)),
      overflow_(config.overflow),
      paced_(config.paced),
      from_state_(config.from_state),
      caught_up_(config.at_present)
{
}

void DeliveryFsm::expect(At at) const
{
    if (at_ != at) {
        throw std::logic_error("a report that the state does not expect");
    }
}

DeliveryFsm::Action DeliveryFsm::go(At at, Do what) noexcept
{
    at_ = at;
    return {.what = what};
}

void DeliveryFsm::detach(bool by_itself) noexcept
{
    joined_ = false;
    began_away_by_ = by_itself ? began_away_by_ : never;
}

Revision DeliveryFsm::bears() const noexcept
{
    if (!caught_up_ || began_away_by_ == never || near_ > never - began_away_by_) {
        return never;
    }
    return began_away_by_ + near_;
}

// A run begins, or ends.

DeliveryFsm::Action DeliveryFsm::woken()
{
    if (at_ == At::ended) {
        return {};
    }
    if (at_ != At::idle && at_ != At::sleep && at_ != At::wait && at_ != At::rest) {
        throw std::logic_error("a second worker is started");
    }
    return look();
}

DeliveryFsm::Action DeliveryFsm::sleep_refused()
{
    if (at_ != At::sleep) {
        expect(At::wait);
    }
    return go(At::yield, Do::yield);
}

DeliveryFsm::Action DeliveryFsm::resumed()
{
    expect(At::yield);
    return look();
}

DeliveryFsm::Action DeliveryFsm::end(Ending ending)
{
    if (at_ == At::ended) {
        throw std::logic_error("a watch ends twice");
    }
    Action action = go(At::ended, Do::end);
    action.ending = ending;
    return action;
}

DeliveryFsm::Action DeliveryFsm::failed(bool timed_out, bool aborted, const Signals& signals)
{
    if (timed_out) {
        return end(Ending::callback_timeout);
    }
    if (aborted && signals.error) {
        return end(Ending::pipeline_failed);
    }
    if (aborted && signals.cancel) {
        return end(Ending::cancelled);
    }
    if (aborted && signals.close_now) {
        return end(Ending::database_closed);
    }
    return end(Ending::failed);
}

// The signals.

void DeliveryFsm::learn(const Signals& signals) noexcept
{
    last_ = std::min(signals.drain_at.value_or(never), signals.close_at.value_or(never));
    const bool now = signals.error || signals.cancel || signals.stop || signals.close_now;
    end_at_ = now ? 0 : std::min(signals.detached_at, last_);
}

DeliveryFsm::Action DeliveryFsm::looked(const Signals& signals)
{
    expect(At::look);
    learn(signals);
    const auto reached = [&](const std::optional<Revision>& revision) {
        return revision && !from_state_ && position_ >= *revision;
    };
    if (signals.error) {
        return end(Ending::pipeline_failed);
    }
    if (signals.cancel) {
        return end_at_position(Ending::cancelled);
    }
    if (signals.stop) {
        return end_at_position(Ending::stopped);
    }
    if (position_ >= signals.detached_at) {
        return end_at_position(Ending::bucket_deleted);
    }
    if (reached(signals.drain_at)) {
        return end_at_position(Ending::drained);
    }
    if (signals.close_now || reached(signals.close_at)) {
        return end_at_position(Ending::database_closed);
    }
    if (from_state_) {
        return go(At::state, Do::read_state);
    }
    if (paced_) {
        Action action = go(At::time, Do::check_time);
        action.flag = last_ == never && !signals.bucket_deleted;
        return action;
    }
    return go(At::decide, Do::read_routed);
}

DeliveryFsm::Action DeliveryFsm::end_at_position(Ending ending)
{
    // A watch that had nothing to deliver for long has everything that was routed all the same.
    if (!is_live()) {
        return end(ending);
    }
    ending_ = ending;
    return go(At::end_decide, Do::read_routed);
}

DeliveryFsm::Action DeliveryFsm::timed(Timing timing)
{
    expect(At::time);
    if (timing == Timing::early) {
        return go(At::rest, Do::rest);
    }
    only_if_empty_ = timing == Timing::early_but_empty;
    return go(At::decide, Do::read_routed);
}

DeliveryFsm::Action DeliveryFsm::rest_refused()
{
    expect(At::rest);
    return look();
}

// Where the next commits come from.

DeliveryFsm::Action DeliveryFsm::routed(Revision revision)
{
    if (at_ == At::end_decide) {
        target_ = revision;
        Action action = go(At::end_take, Do::take_inbox);
        action.flag = true;
        return action;
    }
    expect(At::decide);
    return next(revision);
}

DeliveryFsm::Action DeliveryFsm::next(Revision routed)
{
    if (!joined_) {
        return next_detached(std::min(routed, last_));
    }
    if (position_ < joined_at_) {
        return read_history(joined_at_);
    }
    target_ = routed;
    return go(At::take, only_if_empty_ ? Do::take_if_empty : Do::take_inbox);
}

DeliveryFsm::Action DeliveryFsm::next_detached(Revision routed)
{
    if (routed < position_ || routed < begins_at_) {
        Action action = go(At::note, Do::wake_at);
        action.revision = std::max(position_, begins_at_);
        return action;
    }
    const Revision lag = routed - position_;
    if (began_away_by_ == never) {
        began_away_by_ = lag;
    }
    if (lag <= near_) {
        return go(At::join, Do::join);
    }
    const bool too_slow = last_ == never && lag > bears();
    if (too_slow && overflow_ == Overflow::stop) {
        return end(Ending::overflow);
    }
    Action action = read_history(routed);
    if (too_slow && overflow_ == Overflow::skip) {
        how_ = How::gap;
        action.how = How::gap;
    }
    return action;
}

DeliveryFsm::Action DeliveryFsm::read_history(Revision up_to)
{
    Action action = go(At::history, Do::read_history);
    how_ = overflow_ == Overflow::latest ? How::newest : How::each;
    action.how = how_;
    action.revision = up_to;
    return action;
}

DeliveryFsm::Action DeliveryFsm::noted()
{
    // The wake-up may come before the worker sleeps: then the inbox refuses.
    expect(At::note);
    return go(At::wait, Do::sleep);
}

DeliveryFsm::Action DeliveryFsm::joined(Revision routed)
{
    expect(At::join);
    joined_ = true;
    joined_at_ = routed;
    return look();
}

}  // namespace keywatch::watch
