// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "key_index.hpp"
#include "subscription.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <functional>
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

    /// A bucket has ended: takes the interests in it out of the index, and gives the subscribers
    /// that have no other left. They are out of the index.
    Subscribers end_bucket(std::string_view bucket);
    /// Takes all there are out of the index.
    Subscribers detach_all();

private:
    void take_out(KeyIndex& bucket, Subscribers& gone);

    References whole_database_;
    boost::unordered_flat_map<std::string, KeyIndex, BytesHash, std::equal_to<>> buckets_;
};

}  // namespace keywatch::watch
