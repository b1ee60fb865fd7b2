// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <limits>

namespace keywatch::watch {

/// The worker's half of the join protocol: says what to do next, and knows the position.
///
/// R is the last revision whose commits have all been pushed to those in the index; p is the
/// position, through which everything has been delivered.
///
/// 1. Away: not in the index. Waits until R has reached p, since the deletion of its bucket must
///    not end it if that came before its start; of one that starts within a commit, until R has
///    reached that commit. Reads history (p, R] until it is near R, and
///    joins.
/// 2. Joined at J: in the index since everything ≤ J, and nothing behind it, was routed. Reads
///    history (p, J], never beyond J.
/// 3. Live: p ≥ J. The inbox holds what matches behind p, in order. If R was read first and the
///    inbox was then found empty, everything ≤ R has been delivered.
/// 4. Falling behind leads from 2 and 3 back to 1, with p as it is. Nothing else does.
/// 5. A watch that is away is too slow if R has run away from it by more than it may be near since
///    it began to read: then reading on would never end. Only a watch that has been at the present
///    once is: it began there, or has found its inbox whole.
/// 6. It begins to read when it starts, and when it falls behind for what is not its own fault. A
///    watch that falls behind because its own inbox was full, and has not caught up since it began,
///    goes on with that.
class Follower {
public:
    /// `near`: a distance in commits that an inbox can bear while the rest is read. `at_present`:
    /// nothing came after `position` when the watch was made. `within_next`: a part of the commit
    /// after `position` has been delivered, so it is to be read from history.
    Follower(Revision position, Revision near, bool at_present = false, bool within_next = false)
        : position_(position),
          near_(near),
          begins_at_(position + (within_next ? 1 : 0)),
          caught_up_(at_present)
    {
    }

    enum class Step {
        wait,          ///< until R has reached position() and begins_at()
        read_history,  ///< deliver a slice of (position(), up_to()], then call read()
        join,          ///< get into the index, then call joined()
        take,          ///< read R, take the inbox, deliver it, then call took()
    };
    /// What to do, given R now.
    Step next(Revision routed);
    /// Of `read_history`.
    Revision up_to() const noexcept { return up_to_; }
    /// Of `read_history`, when away: what is read should not be delivered, if the policy allows.
    bool too_slow() const noexcept { return too_slow_; }
    /// The largest distance from R at which it is not too slow yet.
    Revision bears() const noexcept;
    /// What there was up to R is left out: who was too slow gets another try.
    void skipped() { began_away_by_ = has_not_begun; }

    void read(Revision reached) { advance(reached); }
    void joined(Revision routed);
    /// The inbox was whole. `routed`: R as it was read before it was taken.
    void took(Revision routed)
    {
        caught_up_ = true;
        began_away_by_ = has_not_begun;
        advance(routed);
    }
    /// `by_itself`: its own inbox was full before it had caught up.
    void fell_behind(bool by_itself = false)
    {
        phase_ = Phase::away;
        began_away_by_ = by_itself ? began_away_by_ : has_not_begun;
    }
    /// All there is for it up to here has been delivered.
    void delivered(Revision revision) { advance(revision); }

    /// Whether this commit was delivered already, or is of before the start.
    bool knows(Revision revision) const noexcept { return revision <= position_; }
    Revision position() const noexcept { return position_; }
    /// It does not begin before R has reached this. It never changes.
    Revision begins_at() const noexcept { return begins_at_; }
    bool live() const noexcept { return phase_ == Phase::joined && position_ >= joined_at_; }
    bool joined() const noexcept { return phase_ == Phase::joined; }

private:
    enum class Phase { away, joined };

    void advance(Revision revision)
    {
        if (revision > position_) {
            position_ = revision;
        }
    }

    static constexpr Revision has_not_begun = std::numeric_limits<Revision>::max();

    Revision position_;
    const Revision near_;
    const Revision begins_at_;
    Phase phase_ = Phase::away;
    bool caught_up_;
    bool too_slow_ = false;
    Revision joined_at_ = 0;
    Revision up_to_ = 0;
    Revision began_away_by_ = has_not_begun;  ///< how far it was away when it began to read
};

}  // namespace keywatch::watch
