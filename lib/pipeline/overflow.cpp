// SPDX-License-Identifier: BSL-1.0
// Shows on any thread whether a watch is slower than the commits.
#include "pipeline.hpp"
#include "watcher_core.hpp"

namespace keywatch::pipeline {

void WatcherCore::show_phase() noexcept
{
    live_.store(fsm_.is_live(), std::memory_order_relaxed);
    away_.store(!fsm_.is_joined(), std::memory_order_relaxed);
    bears_.store(fsm_.bears(), std::memory_order_relaxed);
}

bool WatcherCore::has_overflowed(const watch::Inbox::Level& level) const noexcept
{
    if (overflow_ != Overflow::stop && overflow_ != Overflow::skip) {
        return false;
    }
    const Revision position = position_.load();
    const Revision routed = pipeline_->routed();
    const bool too_far = routed > position && routed - position > bears_.load();
    const bool away = away_.load() && !level.fell_behind;
    return level.overflowed || (too_far && (away || level.full));
}

}  // namespace keywatch::pipeline
