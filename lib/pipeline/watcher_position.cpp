// SPDX-License-Identifier: BSL-1.0
// Moves and shows the position of a watch.
#include "pipeline.hpp"
#include "watcher_core.hpp"

#include <algorithm>

namespace keywatch::pipeline {

Position WatcherCore::position() const
{
    const Revision routed = pipeline_->routed();
    if (const auto through = inbox.up_to_date(routed)) {
        show_position(*through);
    }
    const HistoryId history = pipeline_->engine().history_id();
    const std::lock_guard lock(mutex());
    const Revision revision = position_.load();
    return within_.seen != 0 && within_.at == revision
               ? Position{history, within_.revision, within_.seen}
               : Position{history, revision};
}

void WatcherCore::move_within(const watch::Within& within)
{
    // Both change in one step, so that the position never seems to go back.
    const std::lock_guard lock(mutex());
    within_ = within;
    raise_position(within.at);
}

bool WatcherCore::waits_for(Revision revision) const
{
    const std::lock_guard lock(mutex());
    return state_ != State::ended &&
           (fsm_.begins_at() == revision || position_.load() == revision ||
            end_at_.load() == revision || (waiters_ && waiters_->wake_at == revision));
}

void WatcherCore::show_position(Revision revision) const
{
    if (!pull_ || pull_->outbox.pass(revision)) {
        raise_position(revision);
    }
}

void WatcherCore::raise_position(Revision revision) const noexcept
{
    Revision known = position_.load();
    while (known < revision && !position_.compare_exchange_weak(known, revision)) {
    }
}

void WatcherCore::advanced()
{
    show_phase();
    show_position(fsm_.position());
    if (awaited_.load()) {
        waiters()->reached->reach(position_.load());
    }
}

}  // namespace keywatch::pipeline
