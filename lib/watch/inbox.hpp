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

/// Events for a subscriber besides commits. None of them is ever dropped.
struct Signals {
    /// The queue was discarded, and nothing is pushed until the subscriber joins again.
    bool fell_behind = false;
    /// The reason was that its own budget was used up.
    bool full = false;
    /// In addition, it had caught up before: it is slower than the commits.
    bool overflowed = false;
    bool stop = false;
    bool cancel = false;
    /// The watch is drained: it delivers up to this revision, then ends.
    std::optional<Revision> drain_at = std::nullopt;
    /// The database closes: the watch delivers up to this revision, then ends.
    std::optional<Revision> close_at = std::nullopt;
    /// The time for that has passed: the watch ends at once.
    bool close_now = false;
    /// Commits after this revision are no longer routed to the subscriber. Its end follows.
    Revision detached_at = std::numeric_limits<Revision>::max();
    bool bucket_deleted = false;
    /// Set if the pipeline failed.
    std::exception_ptr error = nullptr;

    /// Calls `out` with everything that tells two of them apart; for tests.
    template <class Out>
    void describe(Out out) const
    {
        constexpr Revision never = std::numeric_limits<Revision>::max();
        out(fell_behind, full, overflowed, stop, cancel, close_now, bucket_deleted);
        out(drain_at.value_or(never), close_at.value_or(never), detached_at, error != nullptr);
    }
};

/// A subscriber's queue between the distributor and the watcher's worker. Entries that the worker
/// has taken are no longer counted here, so at most twice the budget is alive.
///
/// 1. The worker is running, asleep or parked (initially running). If a call adds something while
///    the worker is asleep, then that call returns true and its caller starts the worker. A parked
///    worker is woken by signals only.
/// 2. The worker goes to sleep only if there is nothing to take.
/// 3. If an entry does not fit, then it is discarded with the whole queue, and the subscriber has
///    to catch up (it falls behind). With `skip`, the entry is counted into a gap instead, which
///    needs no room; an entry that ends a followed bucket is queued even if it does not fit, which
///    happens at most once for each followed bucket. With `latest`, the queue is coalesced first,
///    and is kept if it then fills at most half of the budget.
/// 4. `skip` applies only after the subscriber has caught up once: a `take` after its join has
///    found the queue complete. Before that, the subscriber falls behind. If the limit of all
///    inboxes is used up, then a subscriber falls behind with every policy, as that is not its
///    fault.
///
/// Thread safety: all members, from any thread.
class Inbox {
public:
    /// `shared`: the limit of all inboxes; null: no limit.
    explicit Inbox(Budget budget, Overflow overflow = Overflow::catch_up,
                   std::shared_ptr<SharedBytes> shared = nullptr)
        : budget_(budget), overflow_(overflow), shared_(std::move(shared))
    {
    }
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;
    ~Inbox() { clear(); }

    const Budget& budget() const noexcept { return budget_; }
    /// Returns the limit of all inboxes; null: no limit.
    const std::shared_ptr<SharedBytes>& shared() const noexcept { return shared_; }
    /// Returns the mutex, which the owner may use to protect its own members. No member function
    /// may be called while it is held.
    std::mutex& mutex() const noexcept { return mutex_; }

    enum class Push {
        queued,       ///< queued, or skipped as the policy says
        queued_wake,  ///< queued; the worker must be started
        full,         ///< not queued: the subscriber has fallen behind, and its queue was discarded
        full_wake,
    };
    /// Queues an entry. If there is no memory for it, then the subscriber falls behind.
    Push push(Entry entry) noexcept;
    /// Makes the subscriber fall behind because the limit of all inboxes leaves no room for what
    /// would have been pushed of this commit.
    Push refuse(const CommitRecord& commit);

    /// Records that nothing after this revision will be pushed. Does not wake the worker: the end
    /// that follows does.
    void detach(Revision revision);

    /// Changes the signals. Returns true if the worker must be started.
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
        /// The revision before the first commit pushed since the last `take`: nothing between the
        /// commits taken then and this revision was for the subscriber. Set even if that commit was
        /// discarded; 0 if none was pushed.
        Revision nothing_up_to = 0;
        /// Number of queued messages that were replaced by newer ones.
        std::size_t coalesced = 0;
    };
    /// Removes and returns all entries, and resets `fell_behind`. Precondition: everything taken
    /// before has been delivered.
    Taken take();
    /// Same as `take`, if there are no entries to take. Returns nothing otherwise.
    std::optional<Taken> take_if_empty();
    /// Discards the queue. Precondition: the subscriber is not in the index.
    void drop();
    /// Makes the subscriber fall behind although nothing was discarded: nothing more is pushed
    /// until it joins again. `routed`: R. Returns true if the worker must be started.
    bool cut_off(Revision routed);
    /// Counts a gap that the worker created for this many skipped messages of history.
    void skipped(std::uint64_t messages);
    /// Returns the signals and marks them as read. If more arrive, then `sleep` and `rest` fail.
    Signals signals();

    /// Puts the worker to sleep. Returns false if there are entries or unread signals. `live`: true
    /// if an empty inbox means that the subscriber has everything.
    bool sleep(bool live);
    /// Parks the worker even if entries are queued. Returns false if there are unread signals.
    bool rest();
    /// Returns true if there are no entries to take.
    bool empty() const;
    /// The queued messages, and what has been skipped so far.
    struct Level {
        std::size_t messages = 0;
        std::size_t bytes = 0;
        bool fell_behind = false;
        bool full = false;
        bool overflowed = false;
        /// Number of times that the subscriber fell behind.
        std::uint64_t falls = 0;
        std::uint64_t gaps = 0;
        std::uint64_t skipped = 0;
    };
    Level level() const;
    /// If the worker is asleep and has everything, returns the revision up to which it has.
    /// `routed`: R as read before this call.
    std::optional<Revision> up_to_date(Revision routed) const;

    /// Calls `out` with everything that tells two inboxes apart, except statistics; for
    /// tests.
    template <class Out>
    void describe(Out out) const
    {
        const std::lock_guard lock(mutex_);
        out(news_, awake_, live_, resting_, caught_up_, messages_, reserved_, entries_.size());
        for (const Entry& each : entries_) {
            each.describe(out);
        }
        const Marker none;
        const Marker& gap = gap_ ? *gap_ : none;
        out(gap.first_revision, gap.revision, gap.previous, gap.count.value_or(0));
        out(nothing_up_to_.has_value(), nothing_up_to_.value_or(0));
        signals_.describe(out);
    }

private:
    // The mutex is held in the following.
    Taken take_all();
    bool has_room(const Entry& entry, std::size_t bytes) const;
    bool begin_push(const CommitRecord& commit);
    Push end_push(bool wake) const;
    bool reserve(std::size_t bytes) { return !shared_ || shared_->reserve(bytes); }
    void add(Entry entry, std::size_t bytes, std::size_t reserved);
    void skip(const Entry& entry);
    void close_gap();
    // Each returns the entries that are no longer needed, or did not fit.
    std::vector<Entry> put(Entry entry);
    std::vector<Entry> make_room(Entry entry);
    std::vector<Entry> fall_behind(bool full);
    std::vector<Entry> clear();

    const Budget budget_;
    const Overflow overflow_;
    bool news_ = false;  ///< signals that were not read yet
    bool awake_ = true;
    bool live_ = false;
    bool resting_ = false;
    bool caught_up_ = false;
    mutable std::mutex mutex_;
    const std::shared_ptr<SharedBytes> shared_;
    std::vector<Entry> entries_;
    /// The gap after the entries; null if there is none.
    std::unique_ptr<Marker> gap_;
    std::size_t messages_ = 0;
    std::size_t bytes_ = 0;
    std::size_t reserved_ = 0;  ///< of `shared_`, besides what the entries have in common
    std::size_t coalesced_ = 0;
    std::uint64_t falls_ = 0;
    /// Counts of `skip`: the gaps that were taken, and those that are still queued.
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
