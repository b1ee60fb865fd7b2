// SPDX-License-Identifier: BSL-1.0
#include "selector_index.hpp"

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
    SharedSubscription keep;  // the index may be the only owner
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

std::vector<Reference> SelectorIndex::take_bucket(std::string_view bucket)
{
    std::vector<Reference> taken;
    if (const auto at = buckets_.find(bucket); at != buckets_.end()) {
        taken = at->second.list();
        buckets_.erase(at);
    }
    return taken;
}

std::vector<Reference> SelectorIndex::take_next()
{
    if (!next_taken_) {
        next_taken_ = buckets_.begin();
    }
    if (*next_taken_ != buckets_.end()) {
        KeyIndex& bucket = (*next_taken_)->second;
        ++*next_taken_;
        return std::exchange(bucket, KeyIndex()).list();
    }
    next_taken_ = std::nullopt;
    buckets_.clear();
    const References whole = std::exchange(whole_database_, References());
    return {whole.begin(), whole.end()};
}

bool SelectorIndex::released(const Reference& reference)
{
    reference.interest().indexed = false;
    return --reference.subscriber->indexed_ == 0;
}

}  // namespace keywatch::watch
