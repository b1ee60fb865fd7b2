// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "entry.hpp"
#include "hub.hpp"
#include "marker.hpp"
#include "shared_bytes.hpp"

#include <keywatch/position.hpp>
#include <keywatch/watch_options.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace keywatch::watch {

/// What a subscriber is told besides commits. None of it is ever dropped.
struct Signals {
    /// The inbox was full: its entries are gone, and nothing comes any more until a new join.
    bool fell_behind = false;
    /// That was because its own budget was used up.
    bool full = false;
    /// And it had caught up before: so it is slower than the commits.
    bool overflowed = false;
    bool stop = false;
    bool cancel = false;
    /// The watch is drained: deliver through here, then end.
    std::optional<Revision> drain_at;
    /// The database closes: the same.
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
/// 1. The worker is asleep, resting or awake (it begins awake). Whoever gives it something while it
///    is asleep wakes it: the giving call returns true, and its caller starts the worker. One that
///    rests is woken by signals only.
/// 2. It falls asleep only when there is nothing to be taken.
/// 3. What has no room is dropped with all that is queued, and the subscriber falls behind. Not
///    with `skip`: it is left out, and a gap stands in its place, which needs no room; only what
///    ends a bucket is queued all the same, of each that is followed once at the most. Nor with
///    `latest`, if enough of what is queued makes way for newer messages of the same elements.
/// 4. `skip` is for a subscriber that has caught up once, by a `take` of what came behind its join:
///    before that it falls behind. So does everybody if what all may hold is used up, as that is
///    not its fault.
///
/// Thread safety: all members, from any thread.
class Inbox {
public:
    /// `shared`: what all inboxes may hold; null: no limit.
    explicit Inbox(Budget budget, Overflow overflow = Overflow::catch_up,
                   std::shared_ptr<SharedBytes> shared = nullptr)
        : budget_(budget), overflow_(overflow), shared_(std::move(shared))
    {
    }
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;
    ~Inbox() { clear(); }

    const Budget& budget() const noexcept { return budget_; }
    /// What all inboxes may hold; null: no limit.
    const std::shared_ptr<SharedBytes>& shared() const noexcept { return shared_; }
    /// For what its owner has to protect besides; never with a call of a member inside.
    std::mutex& mutex() const noexcept { return mutex_; }

    enum class Push {
        queued,       ///< or left out, by its policy
        queued_wake,  ///< start the worker
        full,         ///< not taken: the subscriber has fallen behind, what it had is gone
        full_wake,
    };
    /// Without memory for it, the subscriber falls behind.
    Push push(Entry entry) noexcept;
    /// Falls behind, as what all inboxes may hold is used up by what would have been pushed of this
    /// commit.
    Push refuse(const CommitRecord& commit);

    /// Nothing after this revision will be pushed. Wakes nobody: the end that follows does.
    void detach(Revision revision);

    /// Changes the signals; true if the worker must be started.
    template <class Change>
    bool signal(Change change)
    {
        const std::lock_guard lock(mutex_);
        change(signals_);
        news_ = true;
        const bool rested = std::exchange(resting_, false);
        return !std::exchange(awake_, true) || rested;
    }

    struct Taken {
        std::vector<Entry> entries;
        Signals signals;
        /// What the first commit pushed since the last time follows: nothing between what was taken
        /// then and this was for the subscriber. Also if that commit was dropped since.
        Revision nothing_up_to = 0;
        /// Messages that made way for newer ones of what was queued.
        std::size_t coalesced = 0;
    };
    /// All entries, and whether some were dropped: `fell_behind` is taken away. Of a worker that
    /// has delivered everything before them.
    Taken take();
    /// Throws away what is queued. The subscriber is not in the index any more.
    void drop();
    /// Nothing comes any more until a new join, though nothing was dropped. `routed`: R. True if
    /// the worker must be started.
    bool cut_off(Revision routed);
    /// So many messages were left out of what was read of history, and a gap was made of them.
    void skipped(std::uint64_t messages);
    /// What the worker has been told so far. It looks again before it sleeps, if there is more.
    Signals signals();

    /// Falls asleep if there is nothing to be taken. `live`: whether an empty inbox means that the
    /// subscriber has everything.
    bool sleep(bool live);
    /// Lies down although there may be something to be taken; not if there are signals that it has
    /// not looked at.
    bool rest();
    /// Whether there is nothing to be taken.
    bool empty() const;
    /// What waits to be taken, and what was left out so far.
    struct Level {
        std::size_t messages = 0;
        std::size_t bytes = 0;
        bool fell_behind = false;
        bool full = false;
        bool overflowed = false;
        /// How often it has.
        std::uint64_t falls = 0;
        std::uint64_t gaps = 0;
        std::uint64_t skipped = 0;
    };
    Level level() const;
    /// If the worker sleeps and has everything: through which revision, given R as it was read
    /// before this call.
    std::optional<Revision> up_to_date(Revision routed) const;

private:
    Taken take_all();

    // With the mutex held.
    bool has_room(const Entry& entry, std::size_t bytes) const;
    bool begin_push(const CommitRecord& commit);
    Push end_push(bool wake) const;
    bool reserve(std::size_t bytes) { return !shared_ || shared_->reserve(bytes); }
    void add(Entry entry, std::size_t bytes, std::size_t reserved);
    void skip(const Entry& entry);
    void close_gap();
    // Each returns what is not needed any more, or has no room.
    std::vector<Entry> put(Entry entry);
    std::vector<Entry> make_room(Entry entry);
    std::vector<Entry> fall_behind(bool full);
    std::vector<Entry> clear();

    const Budget budget_;
    const Overflow overflow_;
    bool news_ = false;  ///< signals that were not looked at yet
    bool awake_ = true;
    bool live_ = false;
    bool resting_ = false;
    bool caught_up_ = false;
    mutable std::mutex mutex_;
    const std::shared_ptr<SharedBytes> shared_;
    std::vector<Entry> entries_;
    /// What was left out behind them.
    std::unique_ptr<Marker> gap_;
    std::size_t messages_ = 0;
    std::size_t bytes_ = 0;
    std::size_t reserved_ = 0;  ///< of `shared_`, besides what its entries have in common
    std::size_t coalesced_ = 0;
    std::uint64_t falls_ = 0;
    /// Of `skip`: what was left out and taken as gaps, and what of that is queued.
    struct LeftOut {
        std::uint64_t gaps = 0;
        std::uint64_t messages = 0;
    };
    LeftOut told_;
    LeftOut untold_;
    std::optional<Revision> nothing_up_to_;
    Signals signals_;
};

}  // namespace keywatch::watch
