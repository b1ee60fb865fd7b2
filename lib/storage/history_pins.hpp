// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <mutex>
#include <set>

namespace keywatch::storage {

/// Who still needs history, and how much of it has been given up: decides between who wants to keep
/// a record and who wants to trim it.
///
/// 1. Records go from the oldest on. What has been given up does not come back: it may be gone at
///    any time.
/// 2. A pin at a revision keeps all records behind it. One that has lost a record of these has
///    fallen out of history, and keeps nothing.
///
/// Thread safety: all members, from any thread.
class HistoryPins {
public:
    /// `oldest`: the oldest revision that history has.
    explicit HistoryPins(Revision oldest = 1) : first_kept_(oldest) {}

    /// Whether all records behind this revision are there, and stay. May be done more than once;
    /// each time has to be undone.
    bool pin(Revision revision);
    /// Undoes one `pin`; nothing if it had no success.
    void unpin(Revision revision);

    /// Gives up the oldest record. False if something keeps it, and it is not to go `regardless`.
    bool give_up(Revision oldest, bool regardless);
    /// Whether something keeps the oldest record.
    bool keeps(Revision oldest) const;

    /// What was not given up.
    Revision first_kept() const;

private:
    bool is_pinned(Revision oldest) const;

    mutable std::mutex mutex_;
    Revision first_kept_;
    std::multiset<Revision> pins_;
};

}  // namespace keywatch::storage
