// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <optional>

namespace keywatch::watch {

/// The worker's half of the join protocol: says what to do next, and knows the position.
///
/// R is the last revision whose commits have all been pushed to those in the index; p is the
/// position, through which everything has been delivered.
///
/// 1. Away: not in the index. Waits until R has reached p, since the deletion of its bucket must
///    not end it if that came before its start. Reads history (p, R] until it is near R, and
///    joins.
/// 2. Joined at J: in the index since everything ≤ J, and nothing behind it, was routed. Reads
///    history (p, J], never beyond J.
/// 3. Live: p ≥ J. The inbox holds what matches behind p, in order. If R was read first and the
///    inbox was then found empty, everything ≤ R has been delivered.
/// 4. Falling behind leads from 2 and 3 back to 1, with p as it is. Nothing else does.
/// 5. Who has caught up once, which is to have found its inbox whole, and is away is too slow if R
///    has run away from it, since it began to read, by more than it may be near: then reading on
///    would never end.
class Follower {
public:
    /// `near`: a distance in commits that an inbox can bear while the rest is read.
    Follower(Revision position, Revision near) : position_(position), near_(near) {}

    enum class Step {
        wait,          ///< until R has reached position()
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
    /// What there was up to R is left out: who was too slow gets another try.
    void skipped() { away_by_ = 0; }

    void read(Revision reached) { advance(reached); }
    void joined(Revision routed);
    /// The inbox was whole. `routed`: R as it was read before it was taken.
    void took(Revision routed)
    {
        caught_up_ = true;
        advance(routed);
    }
    void fell_behind()
    {
        phase_ = Phase::away;
        away_by_ = 0;
    }
    /// All there is for it up to here has been delivered.
    void delivered(Revision revision) { advance(revision); }

    /// Whether this commit was delivered already, or is of before the start.
    bool knows(Revision revision) const noexcept { return revision <= position_; }
    Revision position() const noexcept { return position_; }
    bool live() const noexcept { return phase_ == Phase::joined && position_ >= joined_at_; }
    bool joined() const noexcept { return phase_ == Phase::joined; }
    /// What it compares with to know whether it is too slow: how far it was away when it began to
    /// read; 0 if it has not, nothing if it has never caught up.
    std::optional<Revision> began_away_by() const noexcept
    {
        return caught_up_ ? std::optional(away_by_) : std::nullopt;
    }

private:
    enum class Phase { away, joined };

    void advance(Revision revision)
    {
        if (revision > position_) {
            position_ = revision;
        }
    }

    Revision position_;
    const Revision near_;
    Phase phase_ = Phase::away;
    bool caught_up_ = false;
    bool too_slow_ = false;
    Revision joined_at_ = 0;
    Revision up_to_ = 0;
    Revision away_by_ = 0;  ///< how far it was away when it began to read; 0: it has not
};

}  // namespace keywatch::watch
