// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "inbox.hpp"
#include "message_filter.hpp"
#include "selected_places.hpp"

#include "bytes/glob.hpp"

#include <keywatch/message.hpp>
#include <keywatch/selector.hpp>

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

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
            return !each.lost && each.matches(message) && counts(each);
        };
        if (!passes_filter(message)) {
            return false;
        }
        // The end of a bucket is for all that is selected there.
        return message.operation == Operation::bucket_deleted
                   ? any_of_bucket(message.bucket, fits)
                   : any_for(message.bucket, message.key, fits);
    }
    /// Whether it follows the bucket with a selector that is not lost.
    bool has_bucket(std::string_view bucket) const
    {
        return any_of_bucket(bucket, [bucket](const Interest& each) {
            return !each.lost && each.selector.bucket() == bucket;
        });
    }
    bool passes_filter(const Message& message) const noexcept { return filter_.passes(message); }

    /// Whether a change of this key would be for it, as far as its selectors tell. With the inbox's
    /// mutex held.
    bool follows(std::string_view bucket, std::string_view key) const;

    /// A commit with messages that end buckets has been delivered: those selectors are lost. False
    /// if none is left. The worker's.
    /// `selected`: its places in the commit, among which the ends of its buckets are; empty: all.
    bool lose_buckets(const CommitRecord& commit, const std::vector<std::uint32_t>& selected);

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

    /// Where the interests are, if there are many.
    struct Places {
        using BucketAndKey = std::pair<std::string_view, std::string_view>;
        using List = std::vector<std::size_t>;
        struct Bucket {
            List by_key;
            List others;
        };
        /// One for each key.
        boost::unordered_flat_map<BucketAndKey, std::size_t> by_key;
        boost::unordered_flat_map<std::string_view, Bucket> by_bucket;
        List whole_database;
    };
    void find_places();

    template <class Function>
    bool any_at(const Places::List& places, Function fits) const
    {
        return std::ranges::any_of(places, [&](std::size_t at) { return fits(interests_[at]); });
    }
    /// Whether `fits` is true of one of the interests that a change of this key can be for.
    template <class Function>
    bool any_for(std::string_view bucket, std::string_view key, Function fits) const
    {
        if (!places_) {
            return std::ranges::any_of(interests_, fits);
        }
        const auto at = places_->by_key.find({bucket, key});
        if ((at != places_->by_key.end() && fits(interests_[at->second])) ||
            any_at(places_->whole_database, fits)) {
            return true;
        }
        const auto in_bucket = places_->by_bucket.find(bucket);
        return in_bucket != places_->by_bucket.end() && any_at(in_bucket->second.others, fits);
    }
    /// The same of those that the end of this bucket can be for.
    template <class Function>
    bool any_of_bucket(std::string_view bucket, Function fits) const
    {
        if (!places_) {
            return std::ranges::any_of(interests_, fits);
        }
        const auto at = places_->by_bucket.find(bucket);
        return any_at(places_->whole_database, fits) ||
               (at != places_->by_bucket.end() &&
                (any_at(at->second.by_key, fits) || any_at(at->second.others, fits)));
    }

    const MessageFilter filter_;
    Revision start_ = 0;
    std::uint32_t seen_at_start_ = 0;
    std::vector<Interest> interests_;
    std::unique_ptr<const Places> places_;
    std::size_t lost_ = 0;  ///< so many interests

    // The distributor's, on the pipeline's strand.
    std::size_t indexed_ = 0;  ///< how many of the interests are in the index
    // Of the commit that is being routed.
    SelectedPlaces selected_;
    bool loses_ = false;
    bool no_room_ = false;  ///< for the list of what is selected
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

/// Makes a selection in slices, the same as the distributor would route to the subscriber. The
/// subscription and the commit must live as long.
class Selecting {
public:
    Selecting(const Subscription& subscription, const CommitRecord& commit);

    /// Looks at so many more messages. Returns whether it has looked at all of them.
    bool advance(std::size_t messages);
    /// Precondition: it has.
    Selection take();

private:
    bool matches(const Message& message) const;

    const Subscription& subscription_;
    const CommitRecord& commit_;
    std::size_t next_ = 0;
    SelectedPlaces selected_;
    boost::unordered_flat_set<std::string_view> ended_;
};

/// The same in one go.
Selection select(const Subscription& subscription, const CommitRecord& commit);

}  // namespace keywatch::watch
