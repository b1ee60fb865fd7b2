// SPDX-License-Identifier: BSL-1.0
// Times the deliveries and the progress markers of a watch, and has its worker woken for them.
#include "worker.hpp"

#include "watch/marker.hpp"

#include <memory>

namespace keywatch::delivery {

void Worker::begin_delivery(const Batch& batch)
{
    if (context_.pace && !batch.entries.empty()) {
        context_.pace->begins(Pace::Clock::now(), context_.fsm.is_live());
    }
}

watch::DeliveryFsm::Timing Worker::timing(bool may_wait)
{
    using Timing = watch::DeliveryFsm::Timing;
    const bool live = context_.fsm.is_live();
    if (!context_.pace->is_early(Pace::Clock::now(), live) || !may_wait) {
        return Timing::due;
    }
    if (live && context_.watch.inbox.empty()) {
        return Timing::early_but_empty;
    }
    context_.pipeline->timekeeper().wake_at(context_.pace->next(), context_.watch.weak_from_this());
    return Timing::early;
}

void Worker::look_at_progress_later()
{
    if (context_.pace) {
        if (const auto time = context_.pace->look_at(Pace::Clock::now())) {
            context_.pipeline->timekeeper().wake_at(*time, context_.watch.weak_from_this());
        }
    }
}

bool Worker::tells_progress(Batch& batch)
{
    if (context_.is_interrupted() || !context_.pace->progress_is_due(Pace::Clock::now())) {
        return false;
    }
    const Revision position = context_.fsm.position();
    watch::Marker marker;
    marker.operation = Operation::progress;
    marker.revision = position;
    marker.previous = position;
    marker.time = context_.pipeline->engine().now();
    batch.clear();
    batch.entries.push_back({watch::make_marker(marker), {}});
    return true;
}

}  // namespace keywatch::delivery
