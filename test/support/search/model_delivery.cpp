// SPDX-License-Identifier: BSL-1.0
// How the worker of a model delivers a batch.
#include "model_worker.hpp"

#include "watch/wanted.hpp"

#include <utility>

namespace keywatch::test {

void ModelWorker::deliver(Choice choice)
{
    if (world_.scenario.pulled) {
        offer();
    } else if (choice == Choice::breaks_off) {
        machine_.break_off();
        report(machine_.delivered());
    } else if (source_.has_slice()) {
        deliver_from_slice(choice);
    } else {
        deliver_entry(choice);
    }
}

void ModelWorker::deliver_entry(Choice choice)
{
    const watch::Entry entry = source_.entries[source_.next];
    machine_.passed(entry.follows());
    const Revision through = world_.fault == Fault::hold_ignored
                                 ? entry.commit->revision
                                 : watch::position_after(source_.entries, source_.next);
    if (!call_back(entry, through, choice)) {
        return;
    }
    if (entry.loses && world_.fault != Fault::loss_not_noted) {
        world_.subscriber->lose_buckets(*entry.commit, entry.selected);
    }
    if (++source_.next == source_.entries.size()) {
        report(machine_.delivered());
    }
}

void ModelWorker::deliver_from_slice(Choice choice)
{
    if (world_.interrupted && choice == Choice::usual) {
        machine_.break_off();
        report(machine_.delivered());
        return;
    }
    const SharedRecord& commit = source_.slice_commit();
    source_.advance_slice();
    if (!machine_.knows(commit->revision)) {
        watch::Selection selection = watch::select(*world_.subscriber, *commit);
        if (selection.any &&
            !call_back({commit, std::move(selection.selected)}, commit->revision, choice)) {
            return;
        }
        machine_.passed(commit->revision);
        if (selection.loses) {
            source_.ends_bucket = commit;
            machine_.ends_bucket_at(commit->revision);
            report(machine_.delivered());
            return;
        }
    }
    if (source_.slice_is_over()) {
        report(machine_.delivered());
    }
}

bool ModelWorker::call_back(const watch::Entry& entry, Revision through, Choice choice)
{
    const bool stops = choice == Choice::other || choice == Choice::stops_half;
    const bool whole = choice == Choice::usual || choice == Choice::other;
    bool wanted = true;
    if (world_.history.has_predicate() && world_.scenario.overflow != Overflow::latest) {
        const watch::WantedEntries left = watch::wanted_of({entry}, predicate_of_model);
        if (left.error && world_.fault != Fault::error_passed_over) {
            report(machine_.failed(false, false, world_.inbox().signals()));
            return false;
        }
        wanted = !left.entries.empty();
    }
    if (whole && wanted) {
        world_.ledger.account_for(entry);
    }
    stopped_itself_ = stopped_itself_ || stops;
    const bool claimed = whole || world_.fault == Fault::half_claimed;
    if (machine_.entry_done(through, claimed, stops, world_.interrupted)) {
        return true;
    }
    report(machine_.delivered());
    return false;
}

void ModelWorker::offer()
{
    std::vector<watch::Entry> entries = source_.entries;
    for (const watch::Entry& each : entries) {
        if (each.loses && world_.fault != Fault::loss_not_noted) {
            world_.subscriber->lose_buckets(*each.commit, each.selected);
        }
    }
    if (world_.history.has_predicate() && world_.scenario.overflow != Overflow::latest) {
        watch::WantedEntries wanted = watch::wanted_of(std::move(entries), predicate_of_model);
        entries = std::move(wanted.entries);
        if (wanted.error && world_.fault != Fault::error_passed_over) {
            machine_.ends_in_error(wanted.before_error);
        }
    }
    source_.entries.clear();
    if (entries.empty()) {
        report(machine_.delivered());
        return;
    }
    const std::size_t count = entries.size();
    if (world_.outbox.offer(std::move(entries)) == 0) {
        report(machine_.not_taken());
        return;
    }
    offered_ = count;
    report(machine_.parked());
}

void ModelWorker::take_back()
{
    takes_back_ = false;
    const watch::Outbox::Settled settled = world_.outbox.settle();
    report(machine_.handed_back(settled.delivered, settled.whole));
}

}  // namespace keywatch::test
