// SPDX-License-Identifier: BSL-1.0
#include "distributor.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <string_view>
#include <utility>

namespace keywatch::watch {

namespace {

constexpr std::size_t no_pause = std::numeric_limits<std::size_t>::max();
/// The length above which a list of interests is processed in slices.
constexpr std::size_t most_at_once = 256;

}  // namespace

void Distributor::begin(SharedCommit commit)
{
    routed_.wake.clear();
    routed_.victims.clear();
    bucket_ = {};
    keys_ = nullptr;
    next_message_ = index_.empty() ? commit->messages.size() : 0;
    commit_ = std::move(commit);
}

void Distributor::begin_gap(Revision routed)
{
    routed_.wake.clear();
    routed_.victims.clear();
    gap_ = true;
    gap_after_ = routed;
}

bool Distributor::advance(std::size_t steps)
{
    pause_at_ = steps < no_pause - steps_ ? steps_ + steps : no_pause;
    if (gap_) {
        return cut_off_all();
    }
    return match_all() && push_all();
}

void Distributor::add(const SharedSubscription& subscriber, std::size_t subscribers)
{
    if (touched_.capacity() < subscribers || routed_.wake.capacity() < subscribers) {
        const std::size_t room = std::max<std::size_t>(2 * subscribers, 16);
        touched_.reserve(room);
        routed_.wake.reserve(room);
    }
    index_.add(subscriber);
}

Distributor::Routed& Distributor::route(SharedCommit commit)
{
    begin(std::move(commit));
    advance(no_pause);
    return routed_;
}

Distributor::Routed& Distributor::route_gap(Revision routed)
{
    begin_gap(routed);
    advance(no_pause);
    return routed_;
}

void Distributor::forget_all()
{
    while (!index_.take_next().empty()) {
    }
    removed_ = {};
    pending_.clear();
    touched_.clear();
    next_push_ = 0;
    routed_ = {};
    common_ = nullptr;
    commit_ = nullptr;
    gap_ = false;
}

bool Distributor::match_all()
{
    const auto& messages = commit_->messages;
    while (true) {
        if (!touch_pending() || !end_removed()) {
            return false;
        }
        if (next_message_ == messages.size()) {
            return true;
        }
        if (is_over()) {
            return false;
        }
        match(messages[next_message_++]);
    }
}

void Distributor::match(const Message& message)
{
    ++steps_;
    touch_list(index_.whole_database(), KeyIndex::Fit::all, message);
    if (message.bucket.data() != bucket_.data() || message.bucket.size() != bucket_.size()) {
        bucket_ = message.bucket;
        keys_ = index_.find(bucket_);
    }
    if (!keys_) {
        return;
    }
    const auto touch_these = [&](const References& list, KeyIndex::Fit fit) {
        touch_list(list, fit, message);
    };
    if (message.ends_bucket) {
        removed_ = {index_.take_bucket(bucket_), 0};
        keys_ = nullptr;
    } else if (message.operation == Operation::bucket_deleted) {
        keys_->for_each([&](const Reference& each) {
            ++steps_;
            touch(each.subscriber, message);
        });
    } else {
        touch_these(keys_->all(), KeyIndex::Fit::all);
        if (message.operation != Operation::bucket_created) {
            keys_->match_lists(message.key, touch_these);
        }
    }
}

void Distributor::touch_list(const References& list, KeyIndex::Fit fit, const Message& message)
{
    if (list.size() > most_at_once) {
        pending_.push_back({&list, fit, 0});
        return;
    }
    steps_ += list.size();
    for (const Reference& each : list) {
        touch_if(each, fit, message);
    }
}

bool Distributor::touch_pending()
{
    while (!pending_.empty()) {
        Pending& last = pending_.back();
        while (last.next < last.list->size()) {
            if (is_over()) {
                return false;
            }
            ++steps_;
            touch_if((*last.list)[last.next++], last.fit, commit_->messages[next_message_ - 1]);
        }
        pending_.pop_back();
    }
    return true;
}

void Distributor::touch_if(const Reference& reference, KeyIndex::Fit fit, const Message& message)
{
    if (fit == KeyIndex::Fit::all || reference.interest().matches_key(message.key)) {
        touch(reference.subscriber, message);
    }
}

void Distributor::touch(const SharedSubscription& subscriber, const Message& message)
{
    if (!subscriber->passes_filter(message) || subscriber->selected_.ends_with(message.index) ||
        subscriber->no_room_) {
        return;
    }
    if (subscriber->selected_.empty()) {
        touched_.push_back(subscriber);
    }
    select(*subscriber, message.index);
}

void Distributor::select(Subscription& subscriber, std::uint32_t place)
{
    const std::shared_ptr<SharedBytes>& shared = subscriber.inbox.shared();
    const std::size_t reserved = subscriber.selected_.bytes();
    try {
        const std::size_t more = subscriber.selected_.add(place);
        if (more == 0 || !shared || shared->reserve(more)) {
            return;
        }
    } catch (const std::bad_alloc&) {
        // Handled below, the same as a limit that is reached.
    }
    if (shared) {
        shared->release(reserved);
    }
    subscriber.selected_.clear();
    subscriber.no_room_ = true;
}

bool Distributor::end_removed()
{
    if (removed_.list.empty()) {
        return true;
    }
    while (removed_.next < removed_.list.size()) {
        if (is_over()) {
            return false;
        }
        ++steps_;
        end_interest(removed_.list[removed_.next], commit_->messages[next_message_ - 1]);
        ++removed_.next;
    }
    removed_ = {};
    return true;
}

void Distributor::end_interest(const Reference& reference, const Message& message)
{
    const SharedSubscription& subscriber = reference.subscriber;
    touch(subscriber, message);
    subscriber->loses_ = true;
    if (removed_.next == 0) {
        victims_of_ = routed_.victims.size();
    }
    if (!SelectorIndex::released(reference)) {
        return;
    }
    if (victims_of_ == routed_.victims.size()) {
        routed_.victims.push_back({{}, commit_->revision});
    }
    // This happens before the commit is pushed, so that nothing routed after it counts as
    // delivered.
    subscriber->inbox.detach(commit_->revision);
    routed_.victims.back().subscribers.push_back(subscriber);
}

bool Distributor::push_all()
{
    if (next_push_ == 0) {
        entries_ += touched_.size();
    }
    while (next_push_ < touched_.size()) {
        if (is_over()) {
            return false;
        }
        ++steps_;
        push(touched_[next_push_++]);
    }
    touched_.clear();
    next_push_ = 0;
    common_ = nullptr;
    commit_ = nullptr;
    return true;
}

void Distributor::push(const SharedSubscription& subscriber)
{
    Entry entry{commit_, {}, {}, std::exchange(subscriber->loses_, false)};
    if (const std::shared_ptr<SharedBytes>& shared = subscriber->inbox.shared()) {
        shared->release(subscriber->selected_.bytes());  // from here on the inbox counts it
    }
    bool no_room = std::exchange(subscriber->no_room_, false);
    try {
        entry.selected = subscriber->selected_.take(commit_->messages.size());
        entry.common = common_bytes(*subscriber);
    } catch (const std::bad_alloc&) {
        subscriber->selected_.clear();
        no_room = true;
    }
    Inbox& inbox = subscriber->inbox;
    switch (no_room ? inbox.refuse(*commit_) : inbox.push(std::move(entry))) {
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

std::shared_ptr<const CommonBytes> Distributor::common_bytes(const Subscription& subscriber)
{
    const std::shared_ptr<SharedBytes>& shared = subscriber.inbox.shared();
    if (!common_ && shared && touched_.size() > 1) {
        // If there is no room, the next subscriber may find some: this one falls behind and
        // releases its bytes.
        common_ = CommonBytes::reserve(shared, commit_->pinned_bytes());
    }
    return common_;
}

bool Distributor::cut_off_all()
{
    while (true) {
        while (removed_.next < removed_.list.size()) {
            if (is_over()) {
                return false;
            }
            ++steps_;
            const Reference& each = removed_.list[removed_.next++];
            if (!SelectorIndex::released(each)) {
                continue;
            }
            ++fell_behind_;
            if (each.subscriber->inbox.cut_off(gap_after_)) {
                routed_.wake.push_back(each.subscriber);
            }
        }
        removed_ = {index_.take_next(), 0};
        if (removed_.list.empty()) {
            gap_ = false;
            return true;
        }
    }
}

}  // namespace keywatch::watch
