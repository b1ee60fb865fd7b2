// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hub.hpp"

#include <keywatch/position.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace keywatch::watch {

/// A commit for one subscriber.
struct Entry {
    SharedCommit commit;
    /// The places of its messages in the commit; empty: all of them.
    std::vector<std::uint32_t> selected;
    /// Of each of these the first revision that it stands for; empty: its own.
    std::vector<Revision> since = {};
    /// A bucket that the subscriber follows has ended here.
    bool loses = false;

    std::size_t messages() const noexcept
    {
        return selected.empty() ? commit->messages.size() : selected.size();
    }
};

/// What a subscriber is told besides commits. None of it is ever dropped.
struct Signals {
    /// The inbox was full: its entries are gone, and nothing comes any more until a new join.
    bool fell_behind = false;
    bool stop = false;
    bool cancel = false;
    /// The database closes: deliver through here, then end.
    std::optional<Revision> close_at;
    /// It has waited long enough for that: end.
    bool close_now = false;
    /// Commits after this one are not routed to the subscriber any more; its end will come.
    Revision detached_at = std::numeric_limits<Revision>::max();
    bool bucket_deleted = false;
    /// The pipeline failed.
    std::exception_ptr error;
};

/// A subscriber's queue between the distributor and the watcher's worker. What the worker has taken
/// is no longer counted here, so at the most twice the budget is alive.
///
/// 1. The worker is asleep or awake (it begins awake). Whoever gives it something while it is
///    asleep wakes it: the giving call returns true, and its caller starts the worker.
/// 2. It falls asleep only when there is nothing to be taken.
///
/// Thread safety: all members, from any thread.
class Inbox {
public:
    explicit Inbox(Budget budget) : budget_(budget) {}

    const Budget& budget() const noexcept { return budget_; }
    /// For what its owner has to protect besides; never with a call of a member inside.
    std::mutex& mutex() const noexcept { return mutex_; }

    enum class Push {
        queued,
        queued_wake,  ///< start the worker
        full,         ///< not taken: the subscriber has fallen behind, what it had is gone
        full_wake,
    };
    Push push(Entry entry);

    /// Nothing after this revision will be pushed. Wakes nobody: the end that follows does.
    void detach(Revision revision);

    /// Changes the signals; true if the worker must be started.
    template <class Change>
    bool signal(Change change)
    {
        const std::lock_guard lock(mutex_);
        change(signals_);
        news_ = true;
        return !std::exchange(awake_, true);
    }

    struct Taken {
        std::vector<Entry> entries;
        Signals signals;
        /// What the first commit pushed since the last time follows: nothing between what was taken
        /// then and this was for the subscriber. Also if that commit was dropped since.
        Revision nothing_up_to = 0;
    };
    /// All entries, and whether they were dropped: `fell_behind` is taken away.
    Taken take();
    /// What the worker has been told so far. It looks again before it sleeps, if there is more.
    Signals signals();

    /// Falls asleep if there is nothing to be taken. `live`: whether an empty inbox means that the
    /// subscriber has everything.
    bool sleep(bool live);
    /// What waits to be taken.
    struct Level {
        std::size_t messages = 0;
        std::size_t bytes = 0;
    };
    Level level() const;
    /// If the worker sleeps and has everything: through which revision, given R as it was read
    /// before this call.
    std::optional<Revision> up_to_date(Revision routed) const;

private:
    const Budget budget_;
    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
    std::size_t messages_ = 0;
    std::size_t bytes_ = 0;
    std::optional<Revision> nothing_up_to_;
    Signals signals_;
    bool news_ = false;  ///< signals that were not looked at yet
    bool awake_ = true;
    bool live_ = false;
};

}  // namespace keywatch::watch
