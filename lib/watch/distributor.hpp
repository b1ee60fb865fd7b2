// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "collector.hpp"
#include "selector_index.hpp"
#include "subscription.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace keywatch::watch {

/// Subscribers that have lost the last bucket that they follow.
struct VictimSet {
    SelectorIndex::Subscribers subscribers;
    Revision revision = 0;
};

/// Routes commits to the subscribers whose selectors match.
///
/// 1. A commit is routed to every subscriber that was in the index before it, or to none of the
///    commit's messages: all pushes of a commit are made by one call.
/// 2. A subscriber whose inbox is full is out of the index when that call returns.
/// 3. So is every interest in a bucket that the commit ends; what the commit does to a bucket of
///    the same name after that is not for them.
/// 4. A message that several interests of a subscriber match is selected once.
class Distributor {
public:
    struct Routed {
        /// Whose worker must be started.
        std::vector<SharedSubscription> wake;
        std::vector<VictimSet> victims;
    };

    /// The result is valid until the next call.
    Routed& route(const SharedCommit& commit);
    /// Commits behind `routed`, which is R, and before the next one are not routed: all subscribers
    /// fall behind.
    Routed& route_gap(Revision routed);
    /// Lets go of all subscribers.
    void forget_all();

    SelectorIndex& index() noexcept { return index_; }

    /// How many commits have been offered to inboxes, and how often a subscriber fell behind.
    std::uint64_t entries() const noexcept { return entries_; }
    std::uint64_t fell_behind() const noexcept { return fell_behind_; }

private:
    void end_bucket(const KeyIndex& keys, std::string_view bucket, Revision revision);
    void touch(const SharedSubscription& subscriber, const Message& message);
    void push(const SharedSubscription& subscriber, const SharedCommit& commit);

    SelectorIndex index_;
    std::vector<SharedSubscription> touched_;
    Routed routed_;
    std::uint64_t entries_ = 0;
    std::uint64_t fell_behind_ = 0;
};

}  // namespace keywatch::watch
