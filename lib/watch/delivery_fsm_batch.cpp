// SPDX-License-Identifier: BSL-1.0
// The reports of DeliveryFsm on batches: what was read, and what became of it.
#include "delivery_fsm.hpp"

#include <algorithm>

namespace keywatch::watch {

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

DeliveryFsm::Action DeliveryFsm::not_empty()
{
    expect(At::take);
    return look();
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
