// SPDX-License-Identifier: BSL-1.0
#include "timetable.hpp"

namespace keywatch::watch {

void Timetable::add(const SharedSubscription& subscriber, Time time)
{
    times_.try_emplace({time, subscriber.get()}, subscriber);
    wishes_.emplace(subscriber.get(), time);
}

void Timetable::remove(const Subscription& subscriber)
{
    auto wish = wishes_.lower_bound({&subscriber, Time::min()});
    while (wish != wishes_.end() && wish->first == &subscriber) {
        times_.erase({wish->second, &subscriber});
        wish = wishes_.erase(wish);
    }
}

void Timetable::clear()
{
    times_.clear();
    wishes_.clear();
}

std::optional<Timetable::Time> Timetable::next() const
{
    return times_.empty() ? std::nullopt : std::optional(times_.begin()->first.first);
}

std::vector<SharedSubscription> Timetable::take_due(Time now, std::size_t most)
{
    std::vector<SharedSubscription> due;
    while (due.size() < most && !times_.empty() && times_.begin()->first.first <= now) {
        const auto [time, subscriber] = times_.begin()->first;
        wishes_.erase({subscriber, time});
        due.push_back(std::move(times_.begin()->second));
        times_.erase(times_.begin());
    }
    return due;
}

}  // namespace keywatch::watch
