// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "collector.hpp"
#include "subscription.hpp"

#include "watch/index/selector_index.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

namespace keywatch::watch {

/// Subscribers that have lost the last bucket that they follow.
struct VictimSet {
    SelectorIndex::Subscribers subscribers;
    Revision revision = 0;
};

/// Routes commits to the subscribers whose selectors match, in slices: `begin` takes a commit, and
/// `advance` does a part of what it needs, until it returns true.
///
/// 1. A commit is routed to every subscriber that was in the index before it, or to none of the
///    commit's messages. So nobody else changes the index between two slices of a commit.
/// 2. A subscriber whose inbox is full is out of the index when the commit has been routed.
/// 3. So is every interest in a bucket that the commit ends; what the commit does to a bucket of
///    the same name after that is not for them.
/// 4. A message that several interests of a subscriber match is selected once.
/// 5. The lists of selected messages count against what all inboxes may hold while they grow. A
///    subscriber whose list has no room falls behind.
/// 6. A commit that several inboxes hold counts once against what all of them may hold.
class Distributor {
public:
    struct Routed {
        /// Whose worker must be started.
        std::vector<SharedSubscription> wake;
        std::vector<VictimSet> victims;
    };

    /// Precondition of both: what was begun before is finished.
    void begin(SharedCommit commit);
    /// Commits after `routed`, which is R, and before the next one are not routed: all subscribers
    /// fall behind.
    void begin_gap(Revision routed);
    /// Goes on for about so many steps, each of which is a message, a selector or a subscriber.
    /// Returns whether it is finished.
    bool advance(std::size_t steps);
    /// What has to be done for the subscribers that were served so far. `wake` may be emptied
    /// between two slices. What is there at `begin` is forgotten.
    Routed& routed() noexcept { return routed_; }

    /// Adds a subscriber to the index, and makes room for serving it, so that a commit that finds
    /// no memory makes it fall behind and nothing else. `subscribers`: at least how many there are
    /// with it.
    void add(const SharedSubscription& subscriber, std::size_t subscribers);

    /// The same in one go.
    Routed& route(SharedCommit commit);
    Routed& route_gap(Revision routed);
    /// Releases all subscribers, and what was begun.
    void forget_all();

    SelectorIndex& index() noexcept { return index_; }

    /// How many commits have been offered to inboxes, and how often a subscriber fell behind.
    std::uint64_t entries() const noexcept { return entries_; }
    std::uint64_t fell_behind() const noexcept { return fell_behind_; }
    /// How many steps have been made so far.
    std::uint64_t steps() const noexcept { return steps_; }

private:
    /// A long list of interests that a message may be for.
    struct Pending {
        const References* list = nullptr;
        KeyIndex::Fit fit = KeyIndex::Fit::all;
        std::size_t next = 0;
    };
    /// Interests that have been taken out of the index, each of which has yet to be told.
    struct Removed {
        std::vector<Reference> list;
        std::size_t next = 0;
    };

    bool is_over() const noexcept { return steps_ >= pause_at_; }
    bool match_all();
    bool touch_pending();
    bool end_removed();
    bool push_all();
    bool cut_off_all();
    void match(const Message& message);
    void touch_list(const References& list, KeyIndex::Fit fit, const Message& message);
    void touch_if(const Reference& reference, KeyIndex::Fit fit, const Message& message);
    void touch(const SharedSubscription& subscriber, const Message& message);
    void select(Subscription& subscriber, std::uint32_t place);
    void end_interest(const Reference& reference, const Message& message);
    void push(const SharedSubscription& subscriber);
    std::shared_ptr<const CommonBytes> common_bytes(const Subscription& subscriber);

    SelectorIndex index_;
    Routed routed_;
    std::uint64_t entries_ = 0;
    std::uint64_t fell_behind_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t pause_at_ = 0;

    // Of the commit that is being routed; null if it is a gap, or nothing.
    SharedCommit commit_;
    std::size_t next_message_ = 0;
    /// Where the last message was: commits change mostly one bucket, message after message.
    std::string_view bucket_;
    const KeyIndex* keys_ = nullptr;
    std::vector<Pending> pending_;
    Removed removed_;
    std::size_t victims_of_ = 0;  ///< the place in `removed_` of which a set of victims is new
    std::vector<SharedSubscription> touched_;
    std::size_t next_push_ = 0;
    std::shared_ptr<const CommonBytes> common_;
    bool gap_ = false;
    Revision gap_after_ = 0;
};

}  // namespace keywatch::watch
