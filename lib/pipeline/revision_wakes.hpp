// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/loop_turn.hpp"
#include "watcher_interface.hpp"

#include <keywatch/position.hpp>

#include <memory>
#include <set>

namespace keywatch::pipeline {

/// The watches that want to be woken when R, the last routed revision, has reached a revision.
///
/// 1. A watch that has been woken is woken again at each revision that its `next_wake` returns.
/// 2. Wakes of watches that no longer have a use for them do not pile up: each new one checks two
///    others.
///
/// Used on the pipeline's strand.
class RevisionWakes {
public:
    /// Adds a wake, or wakes the watch at once if `routed` (R) has reached the revision. If there
    /// is no memory for that, the watch fails.
    void add(Revision revision, const SharedWatcher& watcher, Revision routed);
    /// Wakes the watches whose revision R has reached, until the turn is over. Returns true if all
    /// of them have been woken.
    bool wake_reached(Revision routed, async::LoopTurn& turn) noexcept;
    void clear() noexcept { wakes_.clear(); }

private:
    struct Wake {
        Revision revision = 0;
        std::weak_ptr<WatcherInterface> watcher;
        bool operator<(const Wake& other) const noexcept
        {
            return revision != other.revision ? revision < other.revision
                                              : watcher.owner_before(other.watcher);
        }
    };

    void clean_up();

    std::set<Wake> wakes_;
    Wake cleaned_;  ///< the last wake that `clean_up` checked
};

}  // namespace keywatch::pipeline
