// SPDX-License-Identifier: BSL-1.0
#include "follower.hpp"

namespace keywatch::watch {

Follower::Step Follower::next(Revision routed)
{
    if (phase_ == Phase::away) {
        if (routed < position_) {
            return Step::wait;
        }
        if (routed - position_ > near_) {
            up_to_ = routed;
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
}

}  // namespace keywatch::watch
