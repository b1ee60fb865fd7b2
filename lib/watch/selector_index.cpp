// SPDX-License-Identifier: BSL-1.0
#include "selector_index.hpp"

#include <iterator>
#include <utility>

namespace keywatch::watch {

void SelectorIndex::add(const SharedSubscription& subscription)
{
    BucketEntry& bucket = buckets_[subscription->bucket()];
    const bool all = subscription->selector().kind() == Selector::Kind::all;
    Subscribers& list = all ? bucket.all : bucket.keys[subscription->selector().key()];
    subscription->place_ = list.size();
    subscription->indexed_ = true;
    list.push_back(subscription);
}

bool SelectorIndex::remove(Subscription& subscription)
{
    if (!subscription.indexed_) {
        return false;
    }
    const auto bucket = buckets_.find(subscription.bucket());
    const bool all = subscription.selector().kind() == Selector::Kind::all;
    const auto key =
        all ? bucket->second.keys.end() : bucket->second.keys.find(subscription.selector().key());
    Subscribers& list = all ? bucket->second.all : key->second;
    subscription.indexed_ = false;
    // `subscription` may be destroyed by what follows.
    const std::size_t place = subscription.place_;
    if (place + 1 != list.size()) {
        list[place] = std::move(list.back());
        list[place]->place_ = place;
    }
    list.pop_back();
    if (list.empty() && !all) {
        bucket->second.keys.erase(key);
    }
    if (bucket->second.all.empty() && bucket->second.keys.empty()) {
        buckets_.erase(bucket);
    }
    return true;
}

const SelectorIndex::BucketEntry* SelectorIndex::find(std::string_view bucket) const
{
    const auto at = buckets_.find(bucket);
    return at == buckets_.end() ? nullptr : &at->second;
}

SelectorIndex::Subscribers SelectorIndex::detach(std::string_view bucket)
{
    const auto at = buckets_.find(bucket);
    if (at == buckets_.end()) {
        return {};
    }
    Subscribers detached = std::move(at->second.all);
    for (auto& [key, list] : at->second.keys) {
        std::move(list.begin(), list.end(), std::back_inserter(detached));
    }
    buckets_.erase(at);
    for (const SharedSubscription& each : detached) {
        each->indexed_ = false;
    }
    return detached;
}

SelectorIndex::Subscribers SelectorIndex::detach_all()
{
    Subscribers detached;
    while (!buckets_.empty()) {
        Subscribers some = detach(std::string(buckets_.begin()->first));
        std::move(some.begin(), some.end(), std::back_inserter(detached));
    }
    return detached;
}

}  // namespace keywatch::watch
