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

/// Subscribers whose last followed bucket has ended.
struct VictimSet {
    SelectorIndex::Subscribers subscribers;
    Revision revision = 0;
};

/// Routes commits to the subscribers whose selectors match, in slices. `begin` starts a commit, and
/// each call of `advance` does a part of the work, until it returns true.
///
/// 1. A subscriber that was in the index before a commit receives all of the commit's matching
///    messages; any other receives none of them. Therefore no other code may change the index
///    between two slices of a commit.
/// 2. If a commit makes a subscriber fall behind, then the subscriber is out of the index when the
///    commit has been routed.
/// 3. An interest in a bucket that the commit ends is out of the index, too. It does not see what
///    the commit does afterwards to a bucket of the same name.
/// 4. A message that several interests of a subscriber match is selected once.
/// 5. The lists of selected messages count against the limit of all inboxes while they grow. If
///    there is no room for a subscriber's list, then the subscriber falls behind.
/// 6. A commit that several inboxes hold counts once against the limit of all inboxes.
class Distributor {
public:
    struct Routed {
        /// Subscribers whose workers must be started.
        std::vector<SharedSubscription> wake;
        std::vector<VictimSet> victims;
    };

    /// Begins routing a commit. Precondition, also of `begin_gap`: everything begun before has
    /// finished.
    void begin(SharedCommit commit);
    /// Begins a gap: the commits after `routed` (which is R) and before the next one are not
    /// routed, and all subscribers fall behind.
    void begin_gap(Revision routed);
    /// Continues for about this many steps, each of which is a message, a selector or a subscriber.
    /// Returns true if the routing has finished.
    bool advance(std::size_t steps);
    /// Returns the work that remains to be done for the subscribers served so far. The caller may
    /// empty `wake` between two slices. `begin` and `begin_gap` discard what remains.
    Routed& routed() noexcept { return routed_; }

    /// Adds a subscriber to the index and reserves memory for serving it. A commit that then finds
    /// no memory makes the subscriber fall behind, and has no other effect. `subscribers`: at least
    /// the number of subscribers including this one.
    void add(const SharedSubscription& subscriber, std::size_t subscribers);

    /// Same as `begin` and `begin_gap`, followed by `advance` until the routing has finished.
    Routed& route(SharedCommit commit);
    Routed& route_gap(Revision routed);
    /// Releases all subscribers and discards everything that was begun.
    void forget_all();

    SelectorIndex& index() noexcept { return index_; }

    /// Number of entries offered to inboxes (one for each commit and subscriber), and number of
    /// times that a subscriber fell behind.
    std::uint64_t entries() const noexcept { return entries_; }
    std::uint64_t fell_behind() const noexcept { return fell_behind_; }
    /// Number of steps so far.
    std::uint64_t steps() const noexcept { return steps_; }

private:
    /// A long list of interests that a message may match.
    struct Pending {
        const References* list = nullptr;
        KeyIndex::Fit fit = KeyIndex::Fit::all;
        std::size_t next = 0;
    };
    /// Interests that were removed from the index and whose subscribers have not been served yet.
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

    // State of the commit that is being routed; null for a gap or if nothing is being routed.
    SharedCommit commit_;
    std::size_t next_message_ = 0;
    /// The bucket of the previous message: most commits change one bucket, message after message.
    std::string_view bucket_;
    const KeyIndex* keys_ = nullptr;
    std::vector<Pending> pending_;
    Removed removed_;
    std::size_t victims_of_ = 0;  ///< index in `routed_.victims` of the set for `removed_`
    std::vector<SharedSubscription> touched_;
    std::size_t next_push_ = 0;
    std::shared_ptr<const CommonBytes> common_;
    bool gap_ = false;
    Revision gap_after_ = 0;
};

}  // namespace keywatch::watch
