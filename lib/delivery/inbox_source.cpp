// SPDX-License-Identifier: BSL-1.0
#include "inbox_source.hpp"

#include "values/counter.hpp"
#include "watch/coalescer.hpp"
#include "watch/wanted.hpp"

#include <exception>
#include <utility>

namespace keywatch::delivery {

namespace {

/// Applies the predicate and coalesces what was taken. If the predicate throws, stores that in
/// `error` and returns the last revision before that commit.
Revision make_newest(DeliveryContext& context, watch::Inbox::Taken& taken,
                     std::exception_ptr& error)
{
    Revision before_error = 0;
    if (const watch::Predicate* const predicate = context.predicate_before_coalescing()) {
        watch::WantedEntries wanted = watch::wanted_of(std::move(taken.entries), *predicate);
        taken.entries = std::move(wanted.entries);
        error = wanted.error;
        before_error = wanted.before_error;
    }
    watch::Coalescer newest;
    for (watch::Entry& each : taken.entries) {
        newest.add(std::move(each));
    }
    add_alone(context.figures.coalesced, taken.coalesced + newest.left_out());
    taken.entries = newest.take();
    return before_error;
}

InboxTaken report_of(DeliveryContext& context, watch::Inbox::Taken taken, bool is_discarded,
                     Batch& batch)
{
    std::erase_if(taken.entries, [&](const watch::Entry& entry) {
        return context.fsm.knows(entry.commit->revision);
    });
    batch.clear();
    watch::DeliveryFsm::InboxTaken report;
    report.nothing_up_to = taken.nothing_up_to;
    report.any = !taken.entries.empty();
    if (!is_discarded) {
        if (context.overflow == Overflow::latest) {
            report.before_error = make_newest(context, taken, batch.error);
            report.error = batch.error != nullptr;
            report.any = !taken.entries.empty();
        }
        batch.entries = std::move(taken.entries);
    }
    return {std::move(taken.signals), report};
}

}  // namespace

InboxTaken take_inbox(DeliveryContext& context, bool is_discarded, Batch& batch)
{
    return report_of(context, context.watch.inbox.take(), is_discarded, batch);
}

std::optional<InboxTaken> take_if_empty(DeliveryContext& context, Batch& batch)
{
    auto taken = context.watch.inbox.take_if_empty();
    return taken ? std::optional(report_of(context, std::move(*taken), false, batch))
                 : std::nullopt;
}

}  // namespace keywatch::delivery
