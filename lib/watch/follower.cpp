// SPDX-License-Identifier: BSL-1.0
#include "follower.hpp"

#include <limits>

namespace keywatch::watch {

Follower::Step Follower::next(Revision routed)
{
    too_slow_ = false;
    if (phase_ == Phase::away) {
        if (routed < position_ || routed < begins_at_) {
            return Step::wait;
        }
        const Revision distance = routed - position_;
        if (began_away_by_ == has_not_begun) {
            began_away_by_ = distance;
        }
        if (distance > near_) {
            up_to_ = routed;
            too_slow_ = distance > bears();
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

Revision Follower::bears() const noexcept
{
    constexpr Revision all = std::numeric_limits<Revision>::max();
    if (!caught_up_ || began_away_by_ == has_not_begun || near_ > all - began_away_by_) {
        return all;
    }
    return began_away_by_ + near_;
}

}  // namespace keywatch::watch
