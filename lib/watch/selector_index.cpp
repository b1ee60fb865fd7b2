// SPDX-License-Identifier: BSL-1.0
#include "selector_index.hpp"

#include <iterator>
#include <utility>

namespace keywatch::watch {

void SelectorIndex::add(const SharedSubscription& subscription)
{
    for (std::size_t at = 0; at < subscription->interests().size(); ++at) {
        Interest& interest = subscription->interests()[at];
        if (interest.lost) {
            continue;
        }
        Reference reference{subscription, at};
        if (interest.whole_database()) {
            whole_database_.add(std::move(reference));
        } else {
            buckets_[interest.selector.bucket()].add(reference);
        }
        interest.indexed = true;
        ++subscription->indexed_;
    }
}

bool SelectorIndex::remove(Subscription& subscription)
{
    if (subscription.indexed_ == 0) {
        return false;
    }
    SharedSubscription keep;  // the index alone may own it
    for (Interest& interest : subscription.interests()) {
        if (!std::exchange(interest.indexed, false)) {
            continue;
        }
        if (interest.whole_database()) {
            keep = whole_database_.remove(interest).subscriber;
            continue;
        }
        const auto bucket = buckets_.find(interest.selector.bucket());
        keep = bucket->second.remove(interest).subscriber;
        if (bucket->second.empty()) {
            buckets_.erase(bucket);
        }
    }
    subscription.indexed_ = 0;
    return true;
}

const KeyIndex* SelectorIndex::find(std::string_view bucket) const
{
    const auto at = buckets_.find(bucket);
    return at == buckets_.end() ? nullptr : &at->second;
}

SelectorIndex::Subscribers SelectorIndex::end_bucket(std::string_view bucket)
{
    Subscribers gone;
    if (const auto at = buckets_.find(bucket); at != buckets_.end()) {
        take_out(at->second, gone);
        buckets_.erase(at);
    }
    return gone;
}

void SelectorIndex::take_out(KeyIndex& bucket, Subscribers& gone)
{
    bucket.for_each([&](const Reference& each) {
        each.interest().indexed = false;
        if (--each.subscriber->indexed_ == 0) {
            gone.push_back(each.subscriber);
        }
    });
}

SelectorIndex::Subscribers SelectorIndex::detach_all()
{
    Subscribers gone;
    for (auto& [name, bucket] : buckets_) {
        take_out(bucket, gone);
    }
    buckets_.clear();
    for (const Reference& each : whole_database_) {
        each.interest().indexed = false;
        if (--each.subscriber->indexed_ == 0) {
            gone.push_back(each.subscriber);
        }
    }
    whole_database_ = {};
    return gone;
}

}  // namespace keywatch::watch
