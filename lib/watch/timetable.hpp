// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "subscription.hpp"

#include <chrono>
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

    /// Of the times that one has asked for only the earliest is kept.
    void add(const SharedSubscription& subscriber, Time time);
    /// It does not want to be woken any more.
    void remove(const Subscription& subscriber);
    void clear();

    bool empty() const noexcept { return times_.empty(); }
    /// When somebody has to be woken next.
    std::optional<Time> next() const;
    /// Takes those whose time has come, the earliest first.
    std::vector<SharedSubscription> take_due(Time now);

private:
    struct Wish {
        SharedSubscription subscriber;
        Time time;
    };
    std::map<const Subscription*, Wish> wishes_;
    std::set<std::pair<Time, const Subscription*>> times_;
};

}  // namespace keywatch::watch
