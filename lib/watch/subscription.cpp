// SPDX-License-Identifier: BSL-1.0
#include "subscription.hpp"

#include <keywatch/error.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace keywatch::watch {

namespace {

constexpr std::size_t longest_name = 65535;
/// So many selectors by key are tried one after the other; more are found by hash.
constexpr std::ptrdiff_t most_tried_keys = 8;

[[noreturn]] void fail(Error error, const char* what)
{
    throw boost::system::system_error(make_error_code(error), what);
}

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
    const auto is_by_key = [](const Interest& each) {
        return each.selector.selector().kind() == Selector::Kind::key;
    };
    if (std::ranges::count_if(interests_, is_by_key) <= most_tried_keys) {
        return;
    }
    auto places = std::make_unique<Places>();
    for (std::size_t place = 0; place < interests_.size(); ++place) {
        const BucketSelector& selector = interests_[place].selector;
        if (is_by_key(interests_[place])) {
            places->by_key.try_emplace({selector.bucket(), selector.selector().key()}, place);
        } else {
            places->others.push_back(place);
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

bool Subscription::lose_buckets(const CommitRecord& commit)
{
    const std::lock_guard lock(inbox.mutex());
    const std::uint32_t seen = seen_at_start(commit);
    for (const Message& message : commit.messages) {
        if (message.ends_bucket && message.index >= seen) {
            for (Interest& each : interests_) {
                each.lost = each.lost || each.selector.bucket() == message.bucket;
            }
        }
    }
    return !std::ranges::all_of(interests_, [](const Interest& each) { return each.lost; });
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
        return passes_filter(message) && std::ranges::any_of(interests_, [&](const Interest& each) {
                   return each.matches(message);
               });
    };
    const auto rest = messages.begin() + static_cast<std::ptrdiff_t>(last) + 1;
    return std::any_of(rest, messages.end(), is_for_it) ? messages[last].index + 1 : 0;
}

namespace {

/// What a subscription wants of one commit, message after message.
class Selecting {
public:
    explicit Selecting(const Subscription& subscription) : subscription_(subscription) {}

    bool matches(const Message& message)
    {
        return ended_.empty() ? subscription_.matches(message)
                              : subscription_.matches(message, [this](const Interest& each) {
                                    return !has_ended(each);
                                });
    }
    /// The message was the end of a bucket.
    bool ends(const Message& message)
    {
        ended_.push_back(message.bucket);
        return std::ranges::any_of(subscription_.interests(), [&](const Interest& each) {
            return !each.lost && each.selector.bucket() == message.bucket;
        });
    }

private:
    bool has_ended(const Interest& interest) const
    {
        return std::ranges::find(ended_, interest.selector.bucket()) != ended_.end();
    }

    const Subscription& subscription_;
    std::vector<std::string_view> ended_;
};

}  // namespace

Selection select(const Subscription& subscription, const CommitRecord& commit)
{
    // Mostly all of a commit matches, or nothing: the list is made only where it differs.
    Selection selection;
    Selecting selecting(subscription);
    bool all = true;
    const std::uint32_t seen = subscription.seen_at_start(commit);
    // In a part of a state the place of a message is not its index.
    std::uint32_t place = 0;
    for (const Message& message : commit.messages) {
        const bool is_new = place >= seen;
        const bool matches = is_new && selecting.matches(message);
        if (!matches && all && selection.any) {
            selection.selected.resize(place);
            std::iota(selection.selected.begin(), selection.selected.end(), 0);
        }
        all = all && matches;
        if (matches) {
            selection.any = true;
            if (!all) {
                selection.selected.push_back(place);
            }
        }
        ++place;
        if (is_new && message.ends_bucket && selecting.ends(message)) {
            selection.loses = true;
        }
    }
    return selection;
}

}  // namespace keywatch::watch
