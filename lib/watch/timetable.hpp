// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "subscription.hpp"

#include <chrono>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace keywatch::watch {

/// Which subscriber wants to be woken when. What time it is, its caller says.
class Timetable {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// It may ask for several times, and is woken at each.
    void add(const SharedSubscription& subscriber, Time time);
    /// It does not want to be woken any more.
    void remove(const Subscription& subscriber);
    void clear();

    bool empty() const noexcept { return times_.empty(); }
    /// When somebody has to be woken next.
    std::optional<Time> next() const;
    /// Takes those whose time has come, the earliest first and at most so many; one of whom several
    /// times have come is there as often.
    std::vector<SharedSubscription> take_due(
        Time now, std::size_t most = std::numeric_limits<std::size_t>::max());

private:
    std::map<std::pair<Time, const Subscription*>, SharedSubscription> times_;
    /// The same, by subscriber.
    std::set<std::pair<const Subscription*, Time>> wishes_;
};

}  // namespace keywatch::watch
