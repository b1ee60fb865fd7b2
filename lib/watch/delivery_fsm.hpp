// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "inbox.hpp"

#include <keywatch/position.hpp>
#include <keywatch/watch_options.hpp>

#include <cstdint>
#include <limits>

namespace keywatch::watch {

/// Decides what the worker of a watch does next: position, join, falling behind, policies, ends.
///
/// Performs nothing. It returns an action; the worker carries it out, and reports the result with
/// the one member function that the action names, which returns the next action. Without locks,
/// clock, coroutines and allocations. A report that the state does not expect throws
/// std::logic_error.
///
/// `routed` is R, the last revision whose commits have all been pushed to the subscribers in the
/// index; `position` is p, through which everything has been delivered.
///
/// 1. Detached: not in the index. Waits until R has reached p, since a deletion of its bucket
///    before its start must not end it; if it starts within a commit, until R has reached that
///    commit. Reads history (p, R] until p is near R, and joins.
/// 2. Joined at J: in the index since everything up to J, and nothing after it, was routed. Reads
///    history (p, J], never beyond J.
/// 3. Live: p >= J. The inbox holds what matches after p, in order. Every `take_inbox` follows a
///    `read_routed`, with no other action between: if the inbox then is empty and whole, everything
///    up to that R has been delivered.
/// 4. Falling behind, a lost bucket, and a batch that was not delivered whole lead from 2 and 3
///    back to 1, with p as it is. Nothing else does.
/// 5. A detached watch is too slow if its lag has grown by more than `near` since it began to read:
///    reading on would never finish. Only a watch that has caught up once is: it began at the
///    present, or has taken an inbox from which nothing was discarded.
/// 6. It begins to read when it starts, and when it falls behind through no fault of its own. A
///    watch that falls behind because its own inbox was full, and that has not caught up since it
///    began, continues with that.
/// 7. p moves only by reports, and is never at or after a commit that is yet to be delivered.
/// 8. From the moment at which the inbox sleeps or rests, another thread may begin the next run.
///    The worker does not touch the machine after that.
/// 9. `end` is returned once, and no action follows it. Of several reasons the first of this list
///    counts: error, cancel, stop, bucket, drain, close.
class DeliveryFsm {
public:
    struct Config {
        Revision start = 0;
        Revision near = 0;  ///< a lag in commits that an inbox can bear while the rest is read
        Overflow overflow = Overflow::catch_up;
        bool at_present = false;   ///< nothing came after `start` when the watch was made
        bool within_next = false;  ///< a part of the commit after `start` has been delivered
        bool paced = false;        ///< has a `min_interval` or a `progress_interval`
        bool from_state = false;   ///< begins with a snapshot
    };
    explicit DeliveryFsm(const Config& config);

    enum class Do : std::uint8_t {
        nothing,         ///< this run of the worker is over
        look,            ///< looked(inbox.signals())
        check_time,      ///< timed(). `flag`: may wait; if early, register a timer before
        rest,            ///< inbox.rest(); if it refuses, rest_refused()
        read_routed,     ///< routed(R)
        wake_at,         ///< noted(), once a wake-up at `revision` has been asked for
        read_state,      ///< state_read()
        read_history,    ///< history_read(), of (position(), revision], as `how` says
        join,            ///< joined(R of that moment)
        take_inbox,      ///< took(). `flag`: what is taken will not be delivered
        take_if_empty,   ///< took(), or not_empty() if there are entries, which then stay
        deliver,         ///< passed, entry_done for each, then delivered(); or parked()
        lose_buckets,    ///< lost(true if no bucket is left)
        part,            ///< parted(), once leaving the index has been asked for
        check_progress,  ///< progress_due()
        sleep,           ///< inbox.sleep(flag); if it refuses, sleep_refused()
        yield,           ///< resumed(), after other work had its turn
        end,             ///< for `ending`
    };
    enum class How : std::uint8_t {
        each,    ///< one slice
        newest,  ///< all there is room for, coalesced
        gap,     ///< all of it, as one gap
    };
    enum class Ending : std::uint8_t {
        none,
        stopped,
        cancelled,
        bucket_deleted,
        drained,
        database_closed,
        pipeline_failed,
        overflow,
        compacted,
        predicate_failed,
        callback_timeout,
        failed,
    };
    struct Action {
        Do what = Do::nothing;
        How how = How::each;
        Ending ending = Ending::none;
        bool flag = false;
        Revision revision = 0;
    };

    // The beginning of a run.

    /// Begins a run of a worker that slept or rested.
    Action woken();
    /// Begins a run of a parked worker: reports what the consumer did with the batch.
    Action handed_back(Revision delivered, bool whole);

    // Reports.

    Action looked(const Signals& signals);
    enum class Timing : std::uint8_t {
        due,              ///< the next delivery may begin
        early,            ///< it may not, and there is something to deliver
        early_but_empty,  ///< it may not, but the inbox was empty: p may move to R
    };
    Action timed(Timing timing);
    Action rest_refused();
    Action routed(Revision revision);
    Action noted();
    struct StateRead {
        bool closed = false;       ///< the engine is
        bool interrupted = false;  ///< the watch is about to end
        bool whole = false;        ///< the marker after the state: of `revision`
        bool any = false;          ///< there is something to deliver
        Revision revision = 0;
    };
    Action state_read(const StateRead& read);
    struct HistoryRead {
        Revision reached = 0;  ///< the batch is everything up to here
        bool any = false;
        bool ends_bucket = false;  ///< the commit at `reached` does
        bool error = false;        ///< the predicate threw at the commit after `reached`
        bool closed = false;
        bool interrupted = false;
        bool compacted = false;
    };
    Action history_read(const HistoryRead& read);
    Action joined(Revision routed);
    struct InboxTaken {
        Revision nothing_up_to = 0;
        bool any = false;
        bool error = false;  ///< the predicate threw at the commit after `before_error`
        Revision before_error = 0;
    };
    Action took(const Signals& signals, const InboxTaken& taken);
    Action not_empty();

    // While a batch is delivered.

    /// Everything up to here has been delivered, or does not match.
    void passed(Revision revision) noexcept { advance(revision); }
    /// Everything up to `through` has been delivered, if the entry has as a `whole`. Returns false
    /// if the rest of the batch must not be delivered.
    bool entry_done(Revision through, bool whole, bool stop, bool interrupted) noexcept
    {
        if (whole) {
            advance(through);
        }
        stopped_ = stop;
        broken_ = stop || !whole || interrupted;
        return !broken_;
    }
    /// The rest of the batch must not be delivered.
    void break_off() noexcept { broken_ = true; }
    /// The batch of history ends here: this commit ended a bucket.
    void ends_bucket_at(Revision revision) noexcept
    {
        target_ = revision;
        ends_bucket_ = true;
    }
    /// The batch ends before the commit at which the predicate threw.
    void ends_in_error(Revision before) noexcept
    {
        target_ = before;
        error_ = true;
    }

    Action delivered();
    Action parked();
    Action not_taken();  ///< by an outbox that is closed
    Action lost(bool all);
    Action parted();
    Action progress_due(bool due);
    Action sleep_refused();
    Action resumed();

    /// An action failed with an exception, in whatever state.
    Action failed(bool timed_out, bool aborted, const Signals& signals);
    /// The watch has ended without the machine.
    void abandon() noexcept { at_ = At::ended; }

    /// Returns true if this commit was delivered before, or is from before the start.
    bool knows(Revision revision) const noexcept { return revision <= position_; }
    Revision position() const noexcept { return position_; }
    /// The watch does not begin before R has reached this. Constant, so any thread may ask.
    Revision begins_at() const noexcept { return begins_at_; }
    bool is_joined() const noexcept { return joined_; }
    bool is_live() const noexcept { return joined_ && position_ >= joined_at_; }
    bool is_over() const noexcept { return at_ == At::ended; }
    bool is_parked() const noexcept { return at_ == At::parked; }
    bool is_yielding() const noexcept { return at_ == At::yield; }
    bool delivers_state() const noexcept { return from_state_; }
    /// The largest lag at which it is not too slow yet.
    Revision bears() const noexcept;

    /// Calls `out` with everything that tells two machines apart; for tests.
    template <class Out>
    void describe(Out out) const
    {
        out(position_, joined_ ? joined_at_ : 0, target_, began_away_by_, end_at_, last_, at_);
        out(ending_, batch_, how_, joined_, caught_up_, from_state_, fell_behind_, full_);
        out(overflowed_, ends_bucket_, error_, broken_, stopped_, from_inbox_, only_if_empty_);
    }

private:
    enum class At : std::uint8_t {
        idle,
        look,
        time,
        rest,
        decide,
        note,
        wait,
        state,
        history,
        join,
        take,
        deliver,
        parked,
        lose,
        part,
        progress,
        sleep,
        yield,
        end_decide,
        end_take,
        ended,
    };
    enum class Batch : std::uint8_t { state, synced, history, inbox, progress };

    static constexpr Revision never = std::numeric_limits<Revision>::max();

    void expect(At at) const;
    void advance(Revision revision) noexcept
    {
        if (revision > position_) {
            position_ = revision;
        }
    }
    void learn(const Signals& signals) noexcept;
    void detach(bool by_itself = false) noexcept;
    void begin_batch(Batch batch, Revision target) noexcept;
    Action go(At at, Do what) noexcept;
    Action look() noexcept { return go(At::look, Do::look); }
    Action deliver_or_settle(bool any);
    Action end(Ending ending);
    Action end_at_position(Ending ending);
    Action next(Revision routed);
    Action next_detached(Revision routed);
    Action read_history(Revision up_to);
    Action settle();
    Action settle_inbox();
    Action after_batch();
    Action after_progress();

    Revision position_;
    const Revision near_;
    const Revision begins_at_;
    Revision joined_at_ = 0;
    /// R when the inbox is taken; where p is once the batch has been delivered.
    Revision target_ = 0;
    Revision began_away_by_ = never;  ///< the lag when it began to read
    /// Look at the signals again at once when p reaches this.
    Revision end_at_ = never;
    Revision last_ = never;  ///< deliver through here, then end
    const Overflow overflow_;
    At at_ = At::idle;
    Ending ending_ = Ending::none;
    Batch batch_ = Batch::history;
    How how_ = How::each;
    const bool paced_ : 1;
    bool from_state_ : 1;
    bool joined_ : 1 = false;
    bool caught_up_ : 1;
    bool fell_behind_ : 1 = false;
    bool full_ : 1 = false;
    bool overflowed_ : 1 = false;
    bool ends_bucket_ : 1 = false;
    bool error_ : 1 = false;
    bool broken_ : 1 = false;
    bool stopped_ : 1 = false;
    bool from_inbox_ : 1 = false;
    bool only_if_empty_ : 1 = false;  ///< it is too early to deliver what the inbox holds
};

}  // namespace keywatch::watch
