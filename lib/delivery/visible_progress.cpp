// SPDX-License-Identifier: BSL-1.0
#include "visible_progress.hpp"

namespace keywatch::delivery {

Position VisibleProgress::position(const HistoryId& history) const
{
    const std::lock_guard lock(mutex_);
    const Revision revision = revision_.load();
    return within_.seen != 0 && within_.at == revision
               ? Position{history, within_.revision, within_.seen}
               : Position{history, revision};
}

void VisibleProgress::raise(Revision revision) const noexcept
{
    Revision known = revision_.load();
    while (known < revision && !revision_.compare_exchange_weak(known, revision)) {
    }
}

void VisibleProgress::move_within(const watch::Within& within)
{
    // Both change in one step, so that the position never seems to go back.
    const std::lock_guard lock(mutex_);
    within_ = within;
    raise(within.at);
}

void VisibleProgress::show_phase(const watch::DeliveryFsm& fsm) noexcept
{
    live_.store(fsm.is_live(), std::memory_order_relaxed);
    detached_.store(!fsm.is_joined(), std::memory_order_relaxed);
    bears_.store(fsm.bears(), std::memory_order_relaxed);
}

bool VisibleProgress::has_overflowed(Overflow policy, Revision routed,
                                     const watch::Inbox::Level& level) const noexcept
{
    if (policy != Overflow::stop && policy != Overflow::skip) {
        return false;
    }
    const Revision position = revision_.load();
    const bool too_far =
        routed > position && routed - position > bears_.load(std::memory_order_relaxed);
    const bool detached = detached_.load(std::memory_order_relaxed) && !level.fell_behind;
    return level.overflowed || (too_far && (detached || level.full));
}

}  // namespace keywatch::delivery
