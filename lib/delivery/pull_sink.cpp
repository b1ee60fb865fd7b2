// SPDX-License-Identifier: BSL-1.0
#include "pull_sink.hpp"

#include "watch/subscription.hpp"
#include "watch/wanted.hpp"

#include <cstdint>
#include <utility>

namespace keywatch::delivery {

Sink::Action PullSink::offer(Batch& batch)
{
    for (const watch::Entry& each : batch.entries) {
        if (each.loses) {
            context_.watch.lose_buckets(*each.commit, each.selected);
        }
    }
    if (const watch::Predicate* const predicate = context_.predicate_at_delivery()) {
        watch::WantedEntries wanted = watch::wanted_of(std::move(batch.entries), *predicate);
        batch.entries = std::move(wanted.entries);
        if (wanted.error) {
            batch.error = wanted.error;
            context_.fsm.ends_in_error(wanted.before_error);
        }
    }
    if (batch.entries.empty()) {
        return context_.fsm.delivered();
    }
    for (watch::Entry& each : batch.entries) {
        each.seen = context_.watch.seen_of(*each.commit, each.selected);
    }
    const std::uint64_t number = outbox_.offer(std::move(batch.entries));
    if (number == 0) {
        return context_.fsm.not_taken();
    }
    ends_bucket_ = std::move(batch.ends_bucket);
    error_ = std::move(batch.error);
    // The next worker does not run before this one returns, because both are on the strand.
    const Action action = context_.fsm.parked();
    batches_->reach(number);
    return action;
}

Sink::Action PullSink::take_back(Batch& batch)
{
    const watch::Outbox::Settled settled = outbox_.settle();
    batch.ends_bucket = std::move(ends_bucket_);
    batch.error = std::move(error_);
    if (context_.pace) {
        context_.pace->delivered(Pace::Clock::now());
    }
    const Action action = context_.fsm.handed_back(settled.delivered, settled.whole);
    context_.advanced();
    return action;
}

void PullSink::ended() noexcept
{
    outbox_.shut();
    batches_->close(nullptr);
}

}  // namespace keywatch::delivery
