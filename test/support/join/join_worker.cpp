// SPDX-License-Identifier: BSL-1.0
// The worker's half of the model.
#include "join_model.hpp"

#include "watch/coalescer.hpp"
#include "watch/marker.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace keywatch::test {

void JoinModel::work()
{
    watch::Inbox& inbox = subscriber_->inbox;
    switch (at_) {
    case At::look:
        since_look_.clear();
        if (!ends(inbox.signals())) {
            at_ = At::decide;
        }
        break;
    case At::decide:
        decide();
        break;
    case At::read_slice:
        read_slice();
        break;
    case At::deliver_slice:
        deliver_slice();
        break;
    case At::read_gap:
        read_gap();
        break;
    case At::deliver_gathered:
        deliver_gathered();
        break;
    case At::read_routed:
        seen_routed_ = routed_;
        at_ = At::take;
        break;
    case At::take:
        since_take_.clear();
        taken_ = inbox.take();
        std::erase_if(taken_.entries, [this](const watch::Entry& entry) {
            return follower_.knows(entry.commit->revision);
        });
        follower_.delivered(taken_.nothing_up_to);
        if (scenario_.overflow == Overflow::latest) {
            taken_.entries = watch::coalesce(std::move(taken_.entries));
        }
        place_ = 0;
        at_ = fault_ == Fault::routed_read_after_take ? At::read_routed_late : At::deliver_taken;
        break;
    case At::read_routed_late:
        seen_routed_ = routed_;
        at_ = At::deliver_taken;
        break;
    case At::deliver_taken:
        deliver_taken();
        break;
    case At::taken:
        settle_taken();
        break;
    case At::sleep:
        at_ = inbox.sleep(true) ? At::asleep : At::look;
        break;
    case At::sleep_until_start:
        at_ = inbox.sleep(false) ? At::asleep : At::look;
        break;
    case At::settle_routed:
        seen_routed_ = routed_;
        at_ = follower_.live() ? At::settle_taken : At::ended;
        break;
    case At::settle_taken: {
        since_take_.clear();
        const watch::Inbox::Taken rest = inbox.take();
        if (rest.entries.empty() && !rest.signals.fell_behind) {
            follower_.took(std::min(seen_routed_, rest.signals.detached_at));
        }
        at_ = At::ended;
        break;
    }
    case At::asleep:
    case At::joining:
    case At::ended:
        throw std::logic_error("a worker that cannot go on does");
    }
}

void JoinModel::decide()
{
    seen_routed_ = routed_;
    const watch::Follower::Step step = follower_.next(routed_);
    if (step != watch::Follower::Step::wait && !began_at_) {
        began_at_ = routed_;
    }
    switch (step) {
    case watch::Follower::Step::read_history:
        at_ = At::read_slice;
        if (gives_up()) {
            give_up();
        }
        return;
    case watch::Follower::Step::take:
        at_ = fault_ == Fault::routed_read_after_take ? At::take : At::read_routed;
        return;
    case watch::Follower::Step::wait:
        if (fault_ != Fault::joins_before_start) {
            wake_at_posted_.push_back(std::max(follower_.position(), follower_.begins_at()));
            at_ = At::sleep_until_start;
            return;
        }
        [[fallthrough]];
    case watch::Follower::Step::join:
        join_posted_ = true;
        at_ = At::joining;
        return;
    }
}

void JoinModel::read_slice()
{
    slice_.clear();
    place_ = 0;
    slice_loses_ = false;
    slice_reached_ = std::min(follower_.up_to(), follower_.position() + scenario_.slice);
    for (Revision each = follower_.position() + 1; each <= slice_reached_; ++each) {
        slice_.push_back(each);
    }
    at_ = At::deliver_slice;
    if (scenario_.overflow == Overflow::latest) {
        read_newest();
    }
}

void JoinModel::read_newest()
{
    if (interrupted_) {
        at_ = At::look;
        return;
    }
    taken_ = {};
    for (const Revision each : slice_) {
        const SharedRecord record = commit(each);
        watch::Selection selection = watch::select(*subscriber_, *record);
        if (selection.any) {
            taken_.entries.push_back({record, std::move(selection.selected)});
        }
        if (selection.loses) {
            slice_loses_ = true;
            slice_reached_ = each;
            break;
        }
    }
    slice_.clear();
    taken_.entries = watch::coalesce(std::move(taken_.entries));
    at_ = At::deliver_gathered;
}

bool JoinModel::gives_up() const
{
    const bool too_slow = follower_.too_slow() || fault_ == Fault::gives_up_at_once;
    return too_slow &&
           (scenario_.overflow == Overflow::skip || scenario_.overflow == Overflow::stop);
}

void JoinModel::give_up()
{
    gave_up_ = true;
    if (!was_caught_up_) {
        throw std::logic_error("a watch that has yet to catch up gives up");
    }
    if (routed_ - *began_at_ <= scenario_.near) {
        throw std::logic_error("a watch gives up from which the present has not run away");
    }
    began_at_.reset();
    if (scenario_.overflow == Overflow::stop) {
        reason_ = Reason::overflow;
        at_ = At::ended;
    } else {
        at_ = At::read_gap;
    }
}

void JoinModel::read_gap()
{
    if (interrupted_) {
        at_ = At::look;
        return;
    }
    taken_ = {};
    place_ = 0;
    slice_loses_ = false;
    slice_reached_ = follower_.up_to();
    std::unique_ptr<watch::Marker> gap;
    for (Revision each = follower_.position() + 1; each <= slice_reached_; ++each) {
        const SharedRecord record = commit(each);
        const watch::Selection selection = watch::select(*subscriber_, *record);
        if (selection.loses && fault_ != Fault::gap_over_an_end) {
            slice_reached_ = record->previous;
            break;
        }
        if (selection.any) {
            watch::leave_out(gap, *record, selection.messages(*record));
        }
    }
    if (gap) {
        taken_.entries.push_back({watch::make_marker(*gap), {}});
    }
    follower_.skipped();
    at_ = At::deliver_gathered;
}

void JoinModel::deliver_gathered()
{
    if (place_ < taken_.entries.size()) {
        if (deliver_entry()) {
            at_ = At::look;
        }
        return;
    }
    follower_.read(slice_reached_);
    at_ = At::look;
    if (slice_loses_) {
        reason_ = Reason::bucket_deleted;
        at_ = At::ended;
    }
}

void JoinModel::deliver_slice()
{
    if (place_ == slice_.size()) {
        follower_.read(slice_reached_);
        at_ = At::look;
        return;
    }
    if (interrupted_) {
        at_ = At::look;
        return;
    }
    const Revision revision = slice_[place_++];
    if (follower_.knows(revision)) {
        return;
    }
    const watch::Selection selection = watch::select(*subscriber_, *commit(revision));
    if (selection.any && deliver({commit(revision), selection.selected}, revision)) {
        at_ = At::look;
        return;
    }
    follower_.delivered(revision);
    if (selection.loses) {
        reason_ = Reason::bucket_deleted;
        at_ = At::ended;
    }
}

void JoinModel::deliver_taken()
{
    if (place_ == taken_.entries.size()) {
        at_ = At::taken;
        return;
    }
    if (deliver_entry()) {
        at_ = At::look;
    }
}

bool JoinModel::deliver_entry()
{
    const watch::Entry& entry = taken_.entries[place_];
    follower_.delivered(entry.follows());
    const Revision through = fault_ == Fault::hold_ignored ? entry.commit->revision
                                                           : watch::through(taken_.entries, place_);
    ++place_;
    return deliver(entry, through);
}

bool JoinModel::deliver(const watch::Entry& entry, Revision through)
{
    account_for(entry);
    follower_.delivered(through);
    if (interrupted_ && fault_ != Fault::leftovers_forgotten) {
        follower_.fell_behind();
    }
    return interrupted_;
}

void JoinModel::account_for(const watch::Entry& entry)
{
    const Revision last = entry.commit->revision;
    const Message& message =
        entry.commit->messages[entry.selected.empty() ? 0 : entry.selected.front()];
    const bool gap = message.operation == Operation::gap;
    const Revision since = entry.since.empty() ? last : entry.since.front();
    const Revision first = gap ? message.first_revision : since;
    std::uint64_t count = 0;
    for (const Revision each : expected_) {
        if (first <= each && each <= last && (gap || each == last || same_element(each, last))) {
            ++count;
            if (!delivered_.insert(each).second) {
                throw std::logic_error("a commit is delivered twice");
            }
        }
    }
    if (last <= newest_ || count == 0 || (gap && count != message.count)) {
        throw std::logic_error("what is delivered is out of turn, for nobody or miscounted");
    }
    if (scenario_.overflow != Overflow::latest && missing().value_or(last + 1) <= last) {
        throw std::logic_error("a commit was passed over");
    }
    newest_ = last;
}

void JoinModel::settle_taken()
{
    if (taken_.signals.fell_behind && fault_ != Fault::overflow_ignored) {
        at_ = At::look;
        if (taken_.signals.overflowed && !caught_up_) {
            throw std::logic_error("a watch that has yet to catch up is blamed");
        }
        if (taken_.signals.overflowed && scenario_.overflow == Overflow::stop) {
            reason_ = Reason::overflow;
            at_ = At::ended;
        }
        caught_up_ = false;
        const bool by_itself = taken_.signals.full && !taken_.signals.overflowed;
        follower_.fell_behind(by_itself);
        if (!by_itself) {
            began_at_.reset();
        }
        return;
    }
    caught_up_ = true;
    began_at_.reset();
    was_caught_up_ = true;
    follower_.took(std::min(seen_routed_, taken_.signals.detached_at));
    if (fault_ == Fault::end_not_looked_at || !ends(taken_.signals)) {
        at_ = At::sleep;
    }
}

bool JoinModel::ends(const watch::Signals& signals)
{
    const Revision position = follower_.position();
    if (signals.stop) {
        end(Reason::stopped);
    } else if (position >= signals.detached_at) {
        end(Reason::bucket_deleted);
    } else if (signals.close_at && position >= *signals.close_at) {
        end(Reason::closed);
    }
    return reason_ != Reason::none;
}

void JoinModel::end(Reason reason)
{
    reason_ = reason;
    at_ = At::settle_routed;
}

}  // namespace keywatch::test
