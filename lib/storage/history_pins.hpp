// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "values/mutex.hpp"

#include <keywatch/position.hpp>

#include <set>

namespace keywatch::storage {

/// Tracks which history is still needed and which has been released. Decides between readers, which
/// keep records, and trimming, which removes them.
///
/// 1. Records are released from the oldest on. A record that was released cannot be kept again: it
///    may be removed at any time.
/// 2. A pin at a revision keeps all records after it. A pin that has lost one of these records has
///    fallen out of history and keeps nothing.
///
/// Thread safety: all members, from any thread.
class HistoryPins {
public:
    /// `oldest`: the oldest revision in history.
    explicit HistoryPins(Revision oldest = 1) : first_kept_(oldest) {}

    /// Keeps all records after this revision. Returns false, and has no effect, if some of them
    /// have been released. A revision may be pinned several times; each pin must be undone.
    bool pin(Revision revision);
    /// Undoes one `pin`. Has no effect if that `pin` returned false.
    void unpin(Revision revision);

    /// Releases the oldest record to trimming. Returns false if a pin keeps it and `regardless` is
    /// false.
    bool try_release(Revision oldest, bool regardless);
    /// Returns true if a pin keeps the oldest record.
    bool keeps(Revision oldest) const;

    /// Returns the oldest revision that was not released.
    Revision first_kept() const;

private:
    bool is_pinned(Revision oldest) const KEYWATCH_REQUIRES(mutex_);

    mutable Mutex mutex_;
    Revision first_kept_ KEYWATCH_GUARDED_BY(mutex_);
    std::multiset<Revision> pins_ KEYWATCH_GUARDED_BY(mutex_);
};

}  // namespace keywatch::storage
