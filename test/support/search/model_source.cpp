// SPDX-License-Identifier: BSL-1.0
#include "model_source.hpp"

#include "watch/wanted.hpp"

#include <algorithm>
#include <utility>

namespace keywatch::test {

using watch::DeliveryFsm;

void ModelSource::clear()
{
    entries.clear();
    next = 0;
    ends_bucket = nullptr;
}

// The inbox.

DeliveryFsm::InboxTaken ModelSource::take_inbox(const DeliveryFsm& machine, watch::Signals& signals)
{
    clear();
    watch::Inbox::Taken taken = world_.inbox().take();
    signals = taken.signals;
    entries = std::move(taken.entries);
    for (const watch::Entry& each : entries) {
        require(!machine.knows(each.commit->revision), "the inbox holds what was delivered before");
    }
    DeliveryFsm::InboxTaken report;
    report.nothing_up_to = taken.nothing_up_to;
    if (world_.scenario.overflow == Overflow::latest) {
        if (world_.history.has_predicate()) {
            watch::WantedEntries wanted = watch::wanted_of(std::move(entries), predicate_of_model);
            entries = std::move(wanted.entries);
            report.error = wanted.error != nullptr && world_.fault != Fault::error_passed_over;
            report.before_error = wanted.before_error;
        }
        entries = watch::coalesce(std::move(entries));
    }
    report.any = !entries.empty();
    return report;
}

// A snapshot.

DeliveryFsm::StateRead ModelSource::read_state()
{
    DeliveryFsm::StateRead read;
    read.interrupted = world_.interrupted;
    if (read.interrupted) {
        return read;
    }
    clear();
    if (state_parts_ == 0) {
        state_ = std::max(world_.routed, world_.scenario.start);
    }
    if (state_parts_++ == 0 && state_ > 0) {
        const auto part = std::const_pointer_cast<CommitRecord>(make_commit(state_, {put_of("k")}));
        part->previous = 0;
        part->messages.front().snapshot = true;
        entries.push_back({part, {}});
    } else {
        watch::Marker marker;
        marker.operation = Operation::synced;
        marker.revision = state_;
        entries.push_back({watch::make_marker(marker), {}});
        read.whole = true;
        read.revision = state_;
    }
    read.any = true;
    return read;
}

void ModelSource::make_progress_marker(Revision position)
{
    clear();
    watch::Marker marker;
    marker.revision = position;
    marker.previous = position;
    entries.push_back({watch::make_marker(marker), {}});
}

// History.

std::optional<DeliveryFsm::HistoryRead> ModelSource::read_history(const DeliveryFsm::Action& action,
                                                                  Revision position)
{
    if (!gathered_) {
        clear();
    }
    if (action.how == DeliveryFsm::How::each) {
        HistoryRead read = read_each(action.revision, position);
        read.interrupted = world_.interrupted;
        return read;
    }
    const bool gap = action.how == DeliveryFsm::How::gap;
    const Revision after = gathered_.value_or(position);
    HistoryRead read;
    read.reached = after;
    read.interrupted = world_.interrupted;
    if (read.interrupted) {
        return finish_gathering(read, gap);
    }
    if (is_compacted(after)) {
        read.compacted = after == position;  // else what there is comes first
        return finish_gathering(read, gap);
    }
    if (!newest_) {
        newest_ = std::make_unique<watch::Coalescer>();
    }
    const Revision reached = std::min(action.revision, after + world_.scenario.slice);
    const bool is_all = gap ? gather_gap(read, reached) : gather_newest(read, reached);
    if (!is_all && read.reached < action.revision) {
        gathered_ = read.reached;
        return std::nullopt;
    }
    return finish_gathering(read, gap);
}

DeliveryFsm::HistoryRead ModelSource::finish_gathering(HistoryRead read, bool gap)
{
    gathered_.reset();
    if (newest_ && !gap) {
        entries = newest_->take();
    }
    if (gap_) {
        entries.push_back({watch::make_marker(*gap_), {}});
    }
    newest_ = nullptr;
    gap_ = nullptr;
    read.any = !entries.empty();
    return read;
}

DeliveryFsm::HistoryRead ModelSource::read_each(Revision up_to, Revision position)
{
    HistoryRead read;
    if (!slice_open_ || slice_is_over() || slice_reached_ > up_to) {
        close_slice();
        if (is_compacted(position)) {
            read.compacted = true;
            return read;
        }
        slice_next_ = position + 1;
        slice_reached_ = std::min(up_to, position + world_.scenario.slice);
        if (world_.scenario.pulled) {
            select_slice(read, position);
            return read;
        }
        slice_open_ = true;
    }
    read.reached = slice_reached_;
    read.any = !slice_is_over();
    return read;
}

void ModelSource::select_slice(HistoryRead& read, Revision position)
{
    read.reached = slice_reached_;
    for (Revision each = position + 1; each <= slice_reached_; ++each) {
        const SharedRecord& commit = world_.history.commit(each);
        watch::Selection selection = watch::select(*world_.subscriber, *commit);
        if (selection.any) {
            entries.push_back({commit, std::move(selection.selected)});
        }
        if (selection.loses) {
            ends_bucket = commit;
            read.ends_bucket = true;
            read.reached = each;
            break;
        }
    }
    read.any = !entries.empty();
}

bool ModelSource::gather_newest(HistoryRead& read, Revision reached)
{
    while (read.reached < reached) {
        const SharedRecord& commit = world_.history.commit(read.reached + 1);
        watch::Selection selection = watch::select(*world_.subscriber, *commit);
        std::vector<watch::Entry> selected;
        if (selection.any) {
            selected.push_back({commit, std::move(selection.selected)});
        }
        if (world_.history.has_predicate()) {
            watch::WantedEntries wanted = watch::wanted_of(std::move(selected), predicate_of_model);
            if (wanted.error) {
                read.error = true;
                return true;
            }
            selected = std::move(wanted.entries);
        }
        for (watch::Entry& each : selected) {
            newest_->add(std::move(each));
        }
        ++read.reached;
        if (selection.loses) {
            ends_bucket = commit;
            read.ends_bucket = true;
            return true;
        }
        if (!world_.inbox().budget().allows(newest_->messages(), newest_->bytes())) {
            return true;
        }
    }
    return false;
}

bool ModelSource::gather_gap(HistoryRead& read, Revision reached)
{
    while (read.reached < reached) {
        const SharedRecord& commit = world_.history.commit(read.reached + 1);
        const watch::Selection selection = watch::select(*world_.subscriber, *commit);
        if (selection.loses && world_.fault != Fault::gap_over_an_end) {
            return true;  // the next thing to be delivered
        }
        if (selection.any) {
            watch::leave_out(gap_, *commit, selection.messages(*commit));
        }
        ++read.reached;
    }
    return false;
}

}  // namespace keywatch::test
