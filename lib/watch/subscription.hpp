// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "inbox.hpp"
#include "message_filter.hpp"

#include "bytes/glob.hpp"

#include <keywatch/message.hpp>
#include <keywatch/selector.hpp>

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::watch {

/// One of the selectors of a subscription.
///
/// Members by who uses them: selector and glob do not change; `lost` is changed by the watcher's
/// worker with the inbox's mutex held; the place to the selector index, on the pipeline's strand.
struct Interest {
    explicit Interest(BucketSelector selector_);

    bool whole_database() const noexcept { return selector.is_whole_database(); }
    /// Whether it selects the message, were it not lost.
    bool matches(const Message& message) const;
    bool matches_key(std::string_view key) const;

    BucketSelector selector;
    std::unique_ptr<const bytes::Glob> glob;  ///< of a selector by pattern
    /// The bucket has ended: nothing behind that is for this subscriber, of whatever is made under
    /// its name.
    bool lost = false;
    std::size_t place = 0;
    bool indexed = false;
};

/// What a watcher wants, and where it gets it.
class Subscription {
public:
    /// Throws what is wrong with a selector: `empty_key`, `invalid_name`, `invalid_pattern`,
    /// `invalid_option`. Of the budget, the policy and the bytes see Inbox.
    Subscription(const Selectors& selectors, const Filter& filter, Budget budget,
                 Overflow overflow = Overflow::catch_up,
                 std::shared_ptr<SharedBytes> shared = nullptr);

    std::vector<Interest>& interests() noexcept { return interests_; }
    const std::vector<Interest>& interests() const noexcept { return interests_; }

    /// Whether one of its selectors that are not lost, and the filter, let the message through.
    bool matches(const Message& message) const
    {
        return matches(message, [](const Interest&) { return true; });
    }
    /// The same of those selectors only of which `counts` is true.
    template <class Function>
    bool matches(const Message& message, Function counts) const
    {
        const auto fits = [&](const Interest& each) {
            return !each.lost && counts(each) && each.matches(message);
        };
        if (!passes_filter(message)) {
            return false;
        }
        // The end of a bucket is for all that is selected there.
        return message.operation == Operation::bucket_deleted
                   ? std::ranges::any_of(interests_, fits)
                   : any_for(message.bucket, message.key, fits);
    }
    bool passes_filter(const Message& message) const noexcept { return filter_.passes(message); }

    /// Whether a change of this key would be for it, as far as its selectors tell. With the inbox's
    /// mutex held.
    bool follows(std::string_view bucket, std::string_view key) const;

    /// A commit with messages that end buckets has been delivered: those selectors are lost. False
    /// if none is left. The worker's.
    bool lose_buckets(const CommitRecord& commit);

    /// It starts within the commit after this revision, of which it has seen so many messages.
    void start_within(Revision revision, std::uint32_t seen) noexcept
    {
        start_ = revision;
        seen_at_start_ = seen;
    }
    /// How many messages of the commit it has seen, if it starts within that; else 0.
    std::uint32_t seen_at_start(const CommitRecord& commit) const noexcept
    {
        return commit.previous <= start_ && start_ < commit.revision ? seen_at_start_ : 0;
    }
    /// It has been given these messages of a commit. If a bucket has ended with the last of them,
    /// and what follows would be for it but for that: how many it has seen; else 0.
    std::uint32_t seen_of(const CommitRecord& commit,
                          const std::vector<std::uint32_t>& selected) const;

    Inbox inbox;

private:
    friend class SelectorIndex;
    friend class Distributor;

    /// Whether `fits` is true of one of the interests that a change of this key can be for.
    template <class Function>
    bool any_for(std::string_view bucket, std::string_view key, Function fits) const
    {
        if (!places_) {
            return std::ranges::any_of(interests_, fits);
        }
        const auto at = places_->by_key.find({bucket, key});
        return (at != places_->by_key.end() && fits(interests_[at->second])) ||
               std::ranges::any_of(places_->others,
                                   [&](std::size_t place) { return fits(interests_[place]); });
    }
    void find_places();

    /// Where the interests are: those by key, one for each key, and all others.
    struct Places {
        using BucketAndKey = std::pair<std::string_view, std::string_view>;
        boost::unordered_flat_map<BucketAndKey, std::size_t> by_key;
        std::vector<std::size_t> others;
    };

    const MessageFilter filter_;
    Revision start_ = 0;
    std::uint32_t seen_at_start_ = 0;
    std::vector<Interest> interests_;
    std::unique_ptr<const Places> places_;  ///< only if there are many by key

    // The distributor's, on the pipeline's strand.
    std::size_t indexed_ = 0;  ///< how many of the interests are in the index
    /// Of the commit that is being routed.
    std::vector<std::uint32_t> selected_;
    bool loses_ = false;
};

using SharedSubscription = std::shared_ptr<Subscription>;

/// What of a commit, met in history, is for a subscriber.
struct Selection {
    /// The places of the messages; empty with `any`: all of them.
    std::vector<std::uint32_t> selected;
    bool any = false;
    /// One of its buckets ended here: once it is delivered, `lose_buckets`.
    bool loses = false;

    /// How many messages these are.
    std::size_t messages(const CommitRecord& commit) const noexcept
    {
        return selected.empty() ? commit.messages.size() : selected.size();
    }
};

/// The same as the distributor would route to it.
Selection select(const Subscription& subscription, const CommitRecord& commit);

}  // namespace keywatch::watch
