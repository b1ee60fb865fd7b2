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
/// Access: `selector` and `glob` do not change. `lost` is changed by the watcher's worker, with the
/// inbox's mutex held. `place` and `indexed` belong to the selector index, on the pipeline's
/// strand.
struct Interest {
    explicit Interest(BucketSelector selector_);

    bool whole_database() const noexcept { return selector.is_whole_database(); }
    /// Returns true if the selector matches the message, regardless of `lost`.
    bool matches(const Message& message) const;
    bool matches_key(std::string_view key) const;

    BucketSelector selector;
    std::unique_ptr<const bytes::Glob> glob;  ///< set for a selector by pattern
    /// True if the bucket has ended. Nothing after that is for this subscriber, even if a bucket of
    /// the same name is created.
    bool lost = false;
    std::size_t place = 0;
    bool indexed = false;
};

/// A watcher's selectors and filter, and the inbox for what they select.
class Subscription {
public:
    /// Throws if a selector is invalid: `empty_key`, `invalid_name`, `invalid_pattern`,
    /// `invalid_option`. For `budget`, `overflow` and `shared` see Inbox.
    Subscription(const Selectors& selectors, const Filter& filter, Budget budget,
                 Overflow overflow = Overflow::catch_up,
                 std::shared_ptr<SharedBytes> shared = nullptr);

    std::vector<Interest>& interests() noexcept { return interests_; }
    const std::vector<Interest>& interests() const noexcept { return interests_; }

    /// Returns true if the filter and at least one selector that is not lost match the message.
    bool matches(const Message& message) const
    {
        return matches(message, [](const Interest&) { return true; });
    }
    /// Same, considering only the selectors for which `counts` returns true.
    template <class Function>
    bool matches(const Message& message, Function counts) const
    {
        const auto fits = [&](const Interest& each) {
            return !each.lost && each.matches(message) && counts(each);
        };
        if (!passes_filter(message)) {
            return false;
        }
        // The end of a bucket reaches everything that selects in it.
        return message.operation == Operation::bucket_deleted
                   ? any_of_bucket(message.bucket, fits)
                   : any_for(message.bucket, message.key, fits);
    }
    /// Returns true if a selector that is not lost follows the bucket by name.
    bool has_bucket(std::string_view bucket) const
    {
        return any_of_bucket(bucket, [bucket](const Interest& each) {
            return !each.lost && each.selector.bucket() == bucket;
        });
    }
    bool passes_filter(const Message& message) const noexcept { return filter_.passes(message); }

    /// Returns true if a selector that is not lost matches a change of this key; the filter is not
    /// considered. Precondition: the inbox's mutex is held.
    bool follows(std::string_view bucket, std::string_view key) const;

    /// Marks the selectors of the buckets that a delivered commit ends as lost. Returns false if
    /// none is left. Called by the worker only.
    /// `selected`: the places of the commit's messages for this subscriber, including the ends of
    /// its buckets; empty: all.
    bool lose_buckets(const CommitRecord& commit, const std::vector<std::uint32_t>& selected);

    /// Sets a start within the commit after this revision, of which `seen` messages have been seen.
    void start_within(Revision revision, std::uint32_t seen) noexcept
    {
        start_ = revision;
        seen_at_start_ = seen;
    }
    /// Returns how many messages of the commit have been seen, if the subscription starts within
    /// it; else 0.
    std::uint32_t seen_at_start(const CommitRecord& commit) const noexcept
    {
        return commit.previous <= start_ && start_ < commit.revision ? seen_at_start_ : 0;
    }
    /// Returns the place within a commit whose `selected` messages have been delivered. If the last
    /// of them ends a bucket, and a later one would match if no selector were lost, returns the
    /// number of messages seen; else 0.
    std::uint32_t seen_of(const CommitRecord& commit,
                          const std::vector<std::uint32_t>& selected) const;

    Inbox inbox;

private:
    friend class SelectorIndex;
    friend class Distributor;

    /// An index of the interests, used if there are many.
    struct Places {
        using BucketAndKey = std::pair<std::string_view, std::string_view>;
        using List = std::vector<std::size_t>;
        struct Bucket {
            List by_key;
            List others;
        };
        /// One interest for each key.
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
    /// Returns true if `fits` is true for one of the interests that a change of this key can match.
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
    /// Returns true if `fits` is true for one of the interests that the end of this bucket can
    /// match.
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
    std::size_t lost_ = 0;  ///< number of lost interests

    // Used by the distributor, on the pipeline's strand.
    std::size_t indexed_ = 0;  ///< number of interests in the index
    // State of the commit that is being routed.
    SelectedPlaces selected_;
    bool loses_ = false;
    bool no_room_ = false;  ///< for the list of selected messages
};

using SharedSubscription = std::shared_ptr<Subscription>;

/// The messages of a commit from history that are for a subscriber.
struct Selection {
    /// The places of the messages; empty if `any`: all of them.
    std::vector<std::uint32_t> selected;
    bool any = false;
    /// True if one of its buckets ended here: `lose_buckets` is called after delivery.
    bool loses = false;

    /// Returns the number of selected messages. Precondition: `any`.
    std::size_t messages(const CommitRecord& commit) const noexcept
    {
        return selected.empty() ? commit.messages.size() : selected.size();
    }
};

/// Selects messages of a commit in slices, the same ones that the distributor would route to the
/// subscriber. The subscription and the commit must outlive this object.
class Selecting {
public:
    Selecting(const Subscription& subscription, const CommitRecord& commit);

    /// Tests this many more messages. Returns true if all have been tested.
    bool advance(std::size_t messages);
    /// Returns the selection. Precondition: all messages have been tested.
    Selection take();

private:
    bool matches(const Message& message) const;

    const Subscription& subscription_;
    const CommitRecord& commit_;
    std::size_t next_ = 0;
    SelectedPlaces selected_;
    boost::unordered_flat_set<std::string_view> ended_;
};

/// Selects all at once; see Selecting.
Selection select(const Subscription& subscription, const CommitRecord& commit);

}  // namespace keywatch::watch
