// SPDX-License-Identifier: BSL-1.0
#include "follower.hpp"

namespace keywatch::watch {

Follower::Step Follower::next(Revision routed)
{
    too_slow_ = false;
    if (phase_ == Phase::away) {
        if (routed < position_) {
            return Step::wait;
        }
        if (const Revision distance = routed - position_; distance > near_) {
            up_to_ = routed;
            away_by_ = away_by_ == 0 ? distance : away_by_;
            too_slow_ = caught_up_ && distance > away_by_ && distance - away_by_ > near_;
            return Step::read_history;
        }
        return Step::join;
    }
    if (position_ < joined_at_) {
        up_to_ = joined_at_;
        return Step::read_history;
    }
    return Step::take;
}

void Follower::joined(Revision routed)
{
    phase_ = Phase::joined;
    joined_at_ = routed;
    away_by_ = 0;
}

}  // namespace keywatch::watch
