// SPDX-License-Identifier: BSL-1.0
#include "revision_wakes.hpp"

#include <exception>
#include <utility>

namespace keywatch::pipeline {

void RevisionWakes::add(Revision revision, const SharedWatcher& watcher, Revision routed)
{
    Revision next = revision;
    if (revision <= routed) {
        watcher->wake();
        next = watcher->next_wake(routed);
    } else {
        clean_up();
    }
    try {
        if (next != 0) {
            wakes_.insert({next, watcher});
        }
    } catch (...) {
        watcher->fail(std::current_exception());
    }
}

bool RevisionWakes::wake_reached(Revision routed, async::LoopTurn& turn) noexcept
{
    while (!wakes_.empty() && wakes_.begin()->revision <= routed) {
        auto wake = wakes_.extract(wakes_.begin());
        if (const SharedWatcher watcher = wake.value().watcher.lock()) {
            watcher->wake();
            wake.value().revision = watcher->next_wake(routed);
            if (wake.value().revision != 0) {
                wakes_.insert(std::move(wake));
            }
        }
        if (turn.is_over(1)) {
            return false;
        }
    }
    return true;
}

void RevisionWakes::clean_up()
{
    for (int checks = 0; checks < 2 && !wakes_.empty(); ++checks) {
        auto at = wakes_.upper_bound(cleaned_);
        at = at == wakes_.end() ? wakes_.begin() : at;
        cleaned_ = *at;
        const SharedWatcher watcher = at->watcher.lock();
        if (!watcher || !watcher->waits_for(at->revision)) {
            wakes_.erase(at);
        }
    }
}

}  // namespace keywatch::pipeline
