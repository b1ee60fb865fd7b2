// SPDX-License-Identifier: BSL-1.0
#include "subscription.hpp"

#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace keywatch::watch {

namespace {

constexpr std::size_t longest_name = 65535;
/// Up to this many selectors are tried one after another; more are looked up by hash.
constexpr std::size_t most_tried = 8;

BucketSelector checked(BucketSelector selector)
{
    const Selector& keys = selector.selector();
    if (selector.bucket().size() > longest_name ||
        selector.bucket().empty() != selector.is_whole_database()) {
        fail(Error::invalid_name, "a watched bucket");
    }
    if (keys.kind() == Selector::Kind::key && keys.key().empty()) {
        fail(Error::empty_key, "a watched key");
    }
    if (keys.kind() == Selector::Kind::range && !keys.end().empty() && keys.key() >= keys.end()) {
        fail(Error::invalid_option, "a watched range is empty");
    }
    return selector;
}

std::unique_ptr<const bytes::Glob> glob_of(const Selector& selector)
{
    return selector.kind() == Selector::Kind::glob ? std::make_unique<bytes::Glob>(selector.key())
                                                   : nullptr;
}

}  // namespace

Interest::Interest(BucketSelector selector_)
    : selector(checked(std::move(selector_))), glob(glob_of(selector.selector()))
{
}

bool Interest::matches(const Message& message) const
{
    if (whole_database()) {
        return true;
    }
    if (message.bucket != selector.bucket()) {
        return false;
    }
    if (selector.selector().kind() == Selector::Kind::all ||
        message.operation == Operation::bucket_deleted) {
        return true;
    }
    return message.operation != Operation::bucket_created && matches_key(message.key);
}

bool Interest::matches_key(std::string_view key) const
{
    const Selector& keys = selector.selector();
    switch (keys.kind()) {
    case Selector::Kind::key:
        return key == keys.key();
    case Selector::Kind::prefix:
        return key.starts_with(keys.key());
    case Selector::Kind::range:
        return key >= keys.key() && (keys.end().empty() || key < keys.end());
    case Selector::Kind::glob:
        return glob->matches(key);
    case Selector::Kind::all:
        break;
    }
    return true;
}

Subscription::Subscription(const Selectors& selectors, const Filter& filter, Budget budget,
                           Overflow overflow, std::shared_ptr<SharedBytes> shared)
    : inbox(budget, overflow, std::move(shared)), filter_(filter)
{
    interests_.reserve(selectors.list().size());
    for (const BucketSelector& each : selectors.list()) {
        interests_.emplace_back(each);
    }
    if (interests_.empty()) {
        fail(Error::invalid_option, "no selector");
    }
    find_places();
}

void Subscription::find_places()
{
    if (interests_.size() <= most_tried) {
        return;
    }
    auto places = std::make_unique<Places>();
    for (std::size_t place = 0; place < interests_.size(); ++place) {
        const BucketSelector& selector = interests_[place].selector;
        if (selector.is_whole_database()) {
            places->whole_database.push_back(place);
        } else if (selector.selector().kind() == Selector::Kind::key) {
            places->by_key.try_emplace({selector.bucket(), selector.selector().key()}, place);
            places->by_bucket[selector.bucket()].by_key.push_back(place);
        } else {
            places->by_bucket[selector.bucket()].others.push_back(place);
        }
    }
    places_ = std::move(places);
}

bool Subscription::follows(std::string_view bucket, std::string_view key) const
{
    return any_for(bucket, key, [&](const Interest& each) {
        return !each.lost && (each.whole_database() ||
                              (each.selector.bucket() == bucket && each.matches_key(key)));
    });
}

bool Subscription::lose_buckets(const CommitRecord& commit,
                                const std::vector<std::uint32_t>& selected)
{
    const std::lock_guard lock(inbox.mutex());
    const std::uint32_t seen = seen_at_start(commit);
    const auto lose = [&](const Message& message) {
        const auto lose_it = [&](const Interest& each) {
            if (!each.lost && each.selector.bucket() == message.bucket) {
                interests_[static_cast<std::size_t>(&each - interests_.data())].lost = true;
                ++lost_;
            }
            return false;
        };
        if (message.ends_bucket && message.index >= seen) {
            any_of_bucket(message.bucket, lose_it);
        }
    };
    if (selected.empty()) {
        std::ranges::for_each(commit.messages, lose);
    } else {
        for (const std::uint32_t place : selected) {
            lose(commit.messages[place]);
        }
    }
    return lost_ < interests_.size();
}

std::uint32_t Subscription::seen_of(const CommitRecord& commit,
                                    const std::vector<std::uint32_t>& selected) const
{
    const auto& messages = commit.messages;
    const std::size_t last = selected.empty() ? messages.size() - 1 : selected.back();
    if (!messages[last].ends_bucket) {
        return 0;
    }
    const auto is_for_it = [this](const Message& message) {
        const auto fits = [&](const Interest& each) { return each.matches(message); };
        return passes_filter(message) && (message.operation == Operation::bucket_deleted
                                              ? any_of_bucket(message.bucket, fits)
                                              : any_for(message.bucket, message.key, fits));
    };
    const auto rest = messages.begin() + static_cast<std::ptrdiff_t>(last) + 1;
    return std::any_of(rest, messages.end(), is_for_it) ? messages[last].index + 1 : 0;
}

Selecting::Selecting(const Subscription& subscription, const CommitRecord& commit)
    : subscription_(subscription),
      commit_(commit),
      next_(std::min<std::size_t>(subscription.seen_at_start(commit), commit.messages.size()))
{
}

bool Selecting::matches(const Message& message) const
{
    return ended_.empty() ? subscription_.matches(message)
                          : subscription_.matches(message, [this](const Interest& each) {
                                return !ended_.contains(each.selector.bucket());
                            });
}

bool Selecting::advance(std::size_t messages)
{
    const std::size_t end = std::min(commit_.messages.size() - next_, messages) + next_;
    for (; next_ < end; ++next_) {
        const Message& message = commit_.messages[next_];
        if (matches(message)) {
            // In a part of a snapshot, a message's place differs from its index.
            selected_.add(static_cast<std::uint32_t>(next_));
        }
        if (message.ends_bucket && subscription_.has_bucket(message.bucket)) {
            ended_.insert(message.bucket);
        }
    }
    return next_ == commit_.messages.size();
}

Selection Selecting::take()
{
    Selection selection;
    selection.any = !selected_.empty();
    selection.loses = !ended_.empty();
    if (selection.any) {
        selection.selected = selected_.take(commit_.messages.size());
    }
    return selection;
}

Selection select(const Subscription& subscription, const CommitRecord& commit)
{
    Selecting selecting(subscription, commit);
    selecting.advance(commit.messages.size());
    return selecting.take();
}

}  // namespace keywatch::watch
