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

/// The times at which subscribers want to be woken. The caller supplies the current time.
class Timetable {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// Adds a time. A subscriber may have several, and is woken at each.
    void add(const SharedSubscription& subscriber, Time time);
    /// Removes all times of a subscriber.
    void remove(const Subscription& subscriber);
    void clear();

    bool empty() const noexcept { return times_.empty(); }
    /// Returns the earliest time, if any.
    std::optional<Time> next() const;
    /// Removes and returns the subscribers that are due, earliest first, at most `most`. A
    /// subscriber with several due times is returned once for each.
    std::vector<SharedSubscription> take_due(
        Time now, std::size_t most = std::numeric_limits<std::size_t>::max());

private:
    std::map<std::pair<Time, const Subscription*>, SharedSubscription> times_;
    /// Times by subscriber; the same as in `times_`.
    std::set<std::pair<const Subscription*, Time>> wishes_;
};

}  // namespace keywatch::watch
