// SPDX-License-Identifier: BSL-1.0
#include "history_pins.hpp"

namespace keywatch::storage {

bool HistoryPins::pin(Revision revision)
{
    const MutexLock lock(mutex_);
    if (revision + 1 < first_kept_) {
        return false;
    }
    pins_.insert(revision);
    return true;
}

void HistoryPins::unpin(Revision revision)
{
    const MutexLock lock(mutex_);
    if (const auto at = pins_.find(revision); at != pins_.end()) {
        pins_.erase(at);
    }
}

bool HistoryPins::try_release(Revision oldest, bool regardless)
{
    const MutexLock lock(mutex_);
    if (oldest < first_kept_) {
        return true;
    }
    if (is_pinned(oldest) && !regardless) {
        return false;
    }
    first_kept_ = oldest + 1;
    return true;
}

bool HistoryPins::keeps(Revision oldest) const
{
    const MutexLock lock(mutex_);
    return oldest >= first_kept_ && is_pinned(oldest);
}

Revision HistoryPins::first_kept() const
{
    const MutexLock lock(mutex_);
    return first_kept_;
}

/// Ignores pins before `first_kept_ - 1`, which have lost a record already.
bool HistoryPins::is_pinned(Revision oldest) const
{
    const auto at = pins_.lower_bound(first_kept_ == 0 ? 0 : first_kept_ - 1);
    return at != pins_.end() && *at < oldest;
}

}  // namespace keywatch::storage
