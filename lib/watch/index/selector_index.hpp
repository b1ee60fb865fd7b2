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

/// Who wants to know of which bucket and key.
class SelectorIndex {
public:
    using Subscribers = std::vector<SharedSubscription>;

    /// With all its interests that are not lost. Precondition: it is not in the index.
    void add(const SharedSubscription& subscription);
    /// False if it is not in the index.
    bool remove(Subscription& subscription);

    /// Null if nobody follows the bucket. Valid until the index changes.
    const KeyIndex* find(std::string_view bucket) const;
    /// Those that follow the whole database.
    const References& whole_database() const noexcept { return whole_database_; }

    bool empty() const noexcept { return whole_database_.empty() && buckets_.empty(); }

    /// A bucket has ended: takes the interests in it out of the index. `released` has to be called
    /// with each before anything else changes the index.
    std::vector<Reference> take_bucket(std::string_view bucket);
    /// The same of one bucket after the other, until nothing is left and an empty list is returned.
    /// Before that nothing else may be done with the index.
    std::vector<Reference> take_next();
    /// Returns whether that was the last interest of its subscriber in the index.
    static bool released(const Reference& reference);

private:
    using Buckets = boost::unordered_flat_map<std::string, KeyIndex, BytesHash, std::equal_to<>>;

    References whole_database_;
    Buckets buckets_;
    std::optional<Buckets::iterator> next_taken_;
};

}  // namespace keywatch::watch
