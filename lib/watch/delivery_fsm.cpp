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
    if (at_ != At::idle && at_ != At::resting) {
        throw std::logic_error("a second worker is started");
    }
    return look();
}

DeliveryFsm::Action DeliveryFsm::slept(bool asleep)
{
    if (at_ != At::sleep) {
        expect(At::wait);
    }
    return asleep ? go(At::idle, Do::nothing) : go(At::yield, Do::yield);
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

DeliveryFsm::Action DeliveryFsm::timed(bool early)
{
    expect(At::time);
    return early ? go(At::rest, Do::rest) : go(At::decide, Do::read_routed);
}

DeliveryFsm::Action DeliveryFsm::rested(bool rests)
{
    expect(At::rest);
    return rests ? go(At::resting, Do::nothing) : look();
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
    return go(At::take, Do::take_inbox);
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
    // Waking may come too early, before it sleeps: then sleep() refuses.
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

// A batch.

void DeliveryFsm::begin_batch(Batch batch, Revision target) noexcept
{
    batch_ = batch;
    target_ = target;
    from_inbox_ = batch == Batch::inbox;
    fell_behind_ = false;
    full_ = false;
    overflowed_ = false;
    ends_bucket_ = false;
    error_ = false;
    broken_ = false;
    stopped_ = false;
}

DeliveryFsm::Action DeliveryFsm::deliver_or_settle(bool any)
{
    at_ = At::deliver;
    return any ? go(At::deliver, Do::deliver) : settle();
}

DeliveryFsm::Action DeliveryFsm::state_read(const StateRead& read)
{
    expect(At::state);
    if (read.closed) {
        return end(Ending::database_closed);
    }
    if (read.interrupted) {
        return look();
    }
    if (read.whole) {
        begin_batch(Batch::synced, read.revision);
    } else {
        begin_batch(Batch::state, position_);
    }
    return deliver_or_settle(read.any);
}

DeliveryFsm::Action DeliveryFsm::history_read(const HistoryRead& read)
{
    expect(At::history);
    if (read.interrupted) {
        return look();
    }
    if (read.closed) {
        return end(Ending::database_closed);
    }
    if (read.compacted) {
        return end(Ending::compacted);
    }
    if (how_ == How::gap) {
        began_away_by_ = never;  // it gets another try
    }
    begin_batch(Batch::history, read.reached);
    ends_bucket_ = read.ends_bucket;
    error_ = read.error;
    return deliver_or_settle(read.any);
}

DeliveryFsm::Action DeliveryFsm::took(const Signals& signals, const InboxTaken& taken)
{
    advance(taken.nothing_up_to);
    learn(signals);
    const Revision reached = std::min(target_, signals.detached_at);
    if (at_ == At::end_take) {
        if (!taken.any && !signals.fell_behind) {
            advance(reached);
        }
        return end(ending_);
    }
    expect(At::take);
    begin_batch(Batch::inbox, taken.error ? taken.before_error : reached);
    fell_behind_ = signals.fell_behind;
    full_ = signals.full;
    overflowed_ = signals.overflowed;
    error_ = taken.error;
    return deliver_or_settle(taken.any);
}

DeliveryFsm::Action DeliveryFsm::delivered()
{
    expect(At::deliver);
    if (stopped_) {
        return end(Ending::stopped);
    }
    if (broken_) {
        detach();  // the rest of what was taken is not delivered
        return look();
    }
    return settle();
}

DeliveryFsm::Action DeliveryFsm::parked()
{
    expect(At::deliver);
    return go(At::parked, Do::nothing);
}

DeliveryFsm::Action DeliveryFsm::not_taken()
{
    expect(At::deliver);
    detach();
    return look();
}

DeliveryFsm::Action DeliveryFsm::handed_back(Revision delivered, bool whole)
{
    expect(At::parked);
    advance(delivered);
    at_ = At::deliver;
    if (whole) {
        return settle();
    }
    detach();
    return look();
}

// After a batch.

DeliveryFsm::Action DeliveryFsm::settle()
{
    if (error_) {
        advance(target_);
        return end(Ending::predicate_failed);
    }
    switch (batch_) {
    case Batch::state:
        return look();
    case Batch::synced:
        from_state_ = false;
        advance(target_);
        return look();
    case Batch::history:
        advance(target_);
        return ends_bucket_ ? go(At::lose, Do::lose_buckets) : after_batch();
    case Batch::inbox:
        return settle_inbox();
    case Batch::progress:
        return after_progress();
    }
    return {};
}

DeliveryFsm::Action DeliveryFsm::settle_inbox()
{
    if (fell_behind_) {
        if (overflowed_ && overflow_ == Overflow::stop && last_ == never) {
            return end(Ending::overflow);
        }
        detach(full_ && !overflowed_);
        return after_batch();
    }
    caught_up_ = true;
    began_away_by_ = never;
    advance(target_);
    return after_batch();
}

DeliveryFsm::Action DeliveryFsm::lost(bool all)
{
    expect(At::lose);
    if (all) {
        return end(Ending::bucket_deleted);
    }
    // The index still has what was lost in history.
    return joined_ ? go(At::part, Do::part) : after_batch();
}

DeliveryFsm::Action DeliveryFsm::parted()
{
    expect(At::part);
    detach();
    return after_batch();
}

DeliveryFsm::Action DeliveryFsm::after_batch()
{
    if (position_ >= end_at_) {
        return look();  // it may have come to where it was told to end
    }
    return paced_ ? go(At::progress, Do::check_progress) : after_progress();
}

DeliveryFsm::Action DeliveryFsm::progress_due(bool due)
{
    expect(At::progress);
    if (!due) {
        return after_progress();
    }
    const bool inbox = from_inbox_;
    begin_batch(Batch::progress, position_);
    from_inbox_ = inbox;
    return deliver_or_settle(true);
}

DeliveryFsm::Action DeliveryFsm::after_progress()
{
    if (!is_live() || !from_inbox_) {
        return look();
    }
    Action action = go(At::sleep, Do::sleep);
    action.flag = true;
    return action;
}

}  // namespace keywatch::watch
