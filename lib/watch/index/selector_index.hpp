// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "key_index.hpp"

#include "watch/subscription.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::watch {

/// An index of all interests by bucket and key.
class SelectorIndex {
public:
    using Subscribers = std::vector<SharedSubscription>;

    /// Adds all interests of a subscription that are not lost. Precondition: it is not in the
    /// index.
    void add(const SharedSubscription& subscription);
    /// Removes a subscription. Returns false if it is not in the index.
    bool remove(Subscription& subscription);

    /// Returns the interests in a bucket; null if there are none. Valid until the index changes.
    const KeyIndex* find(std::string_view bucket) const;
    /// Returns the interests in the whole database.
    const References& whole_database() const noexcept { return whole_database_; }

    bool empty() const noexcept { return whole_database_.empty() && buckets_.empty(); }

    /// Removes and returns the interests in a bucket that has ended. `released` must be called for
    /// each of them before anything else changes the index.
    std::vector<Reference> take_bucket(std::string_view bucket);
    /// Same as `take_bucket`, for one bucket after another; returns an empty list when nothing is
    /// left. Until then the index must not be used in any other way.
    std::vector<Reference> take_next();
    /// Returns true if that was the last interest of its subscriber in the index.
    static bool released(const Reference& reference);

private:
    using Buckets = boost::unordered_flat_map<std::string, KeyIndex, BytesHash, std::equal_to<>>;

    References whole_database_;
    Buckets buckets_;
    std::optional<Buckets::iterator> next_taken_;
};

}  // namespace keywatch::watch
