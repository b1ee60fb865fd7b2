// SPDX-License-Identifier: BSL-1.0
#include "delivery_context.hpp"

#include <utility>

namespace keywatch::delivery {

namespace {

std::unique_ptr<const watch::Predicate> predicate_of(const Filter& filter)
{
    return filter.predicate ? std::make_unique<const watch::Predicate>(filter.predicate) : nullptr;
}

/// Returns true if nothing has been committed after the start of a watch that is being created.
bool is_at_present(const From& from, Revision start, pipeline::Pipeline& pipeline)
{
    return from.kind() == From::Kind::now ||
           (from.kind() != From::Kind::snapshot && start >= pipeline.engine().durable_head());
}

watch::DeliveryFsm::Config config_of(const WatchOptions& options, const Position& start,
                                     pipeline::Pipeline& pipeline)
{
    watch::DeliveryFsm::Config config;
    config.start = start.revision;
    config.near = options.buffer_messages;
    config.overflow = options.overflow;
    config.at_present = is_at_present(options.from, start.revision, pipeline);
    config.within_next = start.seen_of_next != 0;
    config.paced = Pace::is_needed(options);
    config.from_state = options.from.kind() == From::Kind::snapshot;
    return config;
}

}  // namespace

DeliveryContext::DeliveryContext(pipeline::WatcherInterface& watch_,
                                 std::shared_ptr<pipeline::Pipeline> pipe,
                                 const WatchOptions& options, const Position& start)
    : watch(watch_),
      pipeline(std::move(pipe)),
      overflow(options.overflow),
      fsm(config_of(options, start, *pipeline)),
      pace(Pace::of(options)),
      predicate(predicate_of(options.filter)),
      progress(start, watch.inbox.mutex()),
      waiters(watch.inbox.mutex())
{
}

void DeliveryContext::advanced()
{
    progress.show_phase(fsm);
    progress.show(fsm.position());
    waiters.reach(progress.revision());
}

}  // namespace keywatch::delivery
