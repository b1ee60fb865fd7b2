// SPDX-License-Identifier: BSL-1.0
#include "timetable.hpp"

namespace keywatch::watch {

void Timetable::add(const SharedSubscription& subscriber, Time time)
{
    const auto [wish, is_new] = wishes_.try_emplace(subscriber.get(), Wish{subscriber, time});
    if (!is_new) {
        if (wish->second.time <= time) {
            return;
        }
        times_.erase({wish->second.time, subscriber.get()});
        wish->second.time = time;
    }
    times_.emplace(time, subscriber.get());
}

void Timetable::remove(const Subscription& subscriber)
{
    const auto wish = wishes_.find(&subscriber);
    if (wish != wishes_.end()) {
        times_.erase({wish->second.time, &subscriber});
        wishes_.erase(wish);
    }
}

void Timetable::clear()
{
    times_.clear();
    wishes_.clear();
}

std::optional<Timetable::Time> Timetable::next() const
{
    return times_.empty() ? std::nullopt : std::optional(times_.begin()->first);
}

std::vector<SharedSubscription> Timetable::take_due(Time now)
{
    std::vector<SharedSubscription> due;
    while (!times_.empty() && times_.begin()->first <= now) {
        const auto wish = wishes_.find(times_.begin()->second);
        due.push_back(std::move(wish->second.subscriber));
        wishes_.erase(wish);
        times_.erase(times_.begin());
    }
    return due;
}

}  // namespace keywatch::watch
