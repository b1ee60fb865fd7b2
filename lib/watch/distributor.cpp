// SPDX-License-Identifier: BSL-1.0
#include "distributor.hpp"

#include <string_view>
#include <utility>

namespace keywatch::watch {

Distributor::Routed& Distributor::route(const SharedCommit& commit)
{
    routed_.wake.clear();
    routed_.victims.clear();
    // Commits change mostly one bucket, message after message.
    std::string_view bucket;
    const SelectorIndex::BucketEntry* entry = nullptr;
    for (const Message& message : commit->messages) {
        if (message.bucket.data() != bucket.data() || message.bucket.size() != bucket.size()) {
            bucket = message.bucket;
            entry = index_.find(bucket);
        }
        if (!entry) {
            continue;
        }
        if (message.operation == Operation::bucket_deleted) {
            for (const SharedSubscription& each : entry->all) {
                touch(each, message);
            }
            for (const auto& [key, list] : entry->keys) {
                for (const SharedSubscription& each : list) {
                    touch(each, message);
                }
            }
            if (message.ends_bucket) {
                routed_.victims.push_back({index_.detach(bucket), commit->revision});
                entry = nullptr;
            }
            continue;
        }
        for (const SharedSubscription& each : entry->all) {
            touch(each, message);
        }
        if (message.operation == Operation::bucket_created || entry->keys.empty()) {
            continue;
        }
        if (const auto at = entry->keys.find(message.key); at != entry->keys.end()) {
            for (const SharedSubscription& each : at->second) {
                touch(each, message);
            }
        }
    }
    for (VictimSet& set : routed_.victims) {
        for (const SharedSubscription& each : set.subscribers) {
            each->inbox.detach(set.revision);
        }
    }
    entries_ += touched_.size();
    for (const SharedSubscription& each : touched_) {
        push(each, commit);
    }
    touched_.clear();
    return routed_;
}

Distributor::Routed& Distributor::route_gap()
{
    routed_.wake.clear();
    routed_.victims.clear();
    for (SharedSubscription& each : index_.detach_all()) {
        ++fell_behind_;
        if (each->inbox.signal([](Signals& signals) { signals.fell_behind = true; })) {
            routed_.wake.push_back(std::move(each));
        }
    }
    return routed_;
}

void Distributor::touch(const SharedSubscription& subscriber, const Message& message)
{
    if (subscriber->selected_.empty()) {
        touched_.push_back(subscriber);
    }
    subscriber->selected_.push_back(message.index);
}

void Distributor::push(const SharedSubscription& subscriber, const SharedCommit& commit)
{
    Entry entry{commit, {}};
    if (subscriber->selected_.size() == commit->messages.size()) {
        subscriber->selected_.clear();  // all of them
    } else {
        entry.selected.swap(subscriber->selected_);
    }
    switch (subscriber->inbox.push(std::move(entry))) {
    case Inbox::Push::queued:
        break;
    case Inbox::Push::full:
        ++fell_behind_;
        index_.remove(*subscriber);
        break;
    case Inbox::Push::full_wake:
        ++fell_behind_;
        index_.remove(*subscriber);
        routed_.wake.push_back(subscriber);
        break;
    case Inbox::Push::queued_wake:
        routed_.wake.push_back(subscriber);
        break;
    }
}

}  // namespace keywatch::watch
