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
    const KeyIndex* keys = nullptr;
    for (const Message& message : commit->messages) {
        const auto touch_it = [&](const Reference& each) { touch(each.subscriber, message); };
        for (const Reference& each : index_.whole_database()) {
            touch_it(each);
        }
        if (message.bucket.data() != bucket.data() || message.bucket.size() != bucket.size()) {
            bucket = message.bucket;
            keys = index_.find(bucket);
        }
        if (!keys) {
            continue;
        }
        if (message.operation == Operation::bucket_deleted) {
            keys->for_each(touch_it);
            if (message.ends_bucket) {
                end_bucket(*keys, bucket, commit->revision);
                keys = nullptr;
            }
            continue;
        }
        for (const Reference& each : keys->all()) {
            touch_it(each);
        }
        if (message.operation != Operation::bucket_created) {
            keys->match(message.key, touch_it);
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

Distributor::Routed& Distributor::route_gap(Revision routed)
{
    routed_.wake.clear();
    routed_.victims.clear();
    for (SharedSubscription& each : index_.detach_all()) {
        ++fell_behind_;
        if (each->inbox.cut_off(routed)) {
            routed_.wake.push_back(std::move(each));
        }
    }
    return routed_;
}

void Distributor::forget_all()
{
    index_.detach_all();
    routed_ = {};
}

void Distributor::end_bucket(const KeyIndex& keys, std::string_view bucket, Revision revision)
{
    keys.for_each([](const Reference& each) { each.subscriber->loses_ = true; });
    VictimSet victims{index_.end_bucket(bucket), revision};
    if (!victims.subscribers.empty()) {
        routed_.victims.push_back(std::move(victims));
    }
}

void Distributor::touch(const SharedSubscription& subscriber, const Message& message)
{
    std::vector<std::uint32_t>& selected = subscriber->selected_;
    if (!subscriber->passes_filter(message) ||
        (!selected.empty() && selected.back() == message.index)) {
        return;
    }
    if (selected.empty()) {
        touched_.push_back(subscriber);
    }
    selected.push_back(message.index);
}

void Distributor::push(const SharedSubscription& subscriber, const SharedCommit& commit)
{
    Entry entry{commit, {}, {}, std::exchange(subscriber->loses_, false)};
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
