// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "subscription.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::watch {

/// A hash that finds strings by views.
struct BytesHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view bytes) const noexcept
    {
        return std::hash<std::string_view>{}(bytes);
    }
};

/// Who wants to know of which bucket and key. Looking up costs two hash lookups, however many
/// subscribers there are for others.
class SelectorIndex {
public:
    using Subscribers = std::vector<SharedSubscription>;

    /// The subscribers of one bucket.
    struct BucketEntry {
        Subscribers all;
        boost::unordered_flat_map<std::string, Subscribers, BytesHash, std::equal_to<>> keys;
    };

    /// Precondition: it is not in the index.
    void add(const SharedSubscription& subscription);
    /// False if it is not in the index.
    bool remove(Subscription& subscription);

    /// Null if nobody follows the bucket. Valid until the index changes.
    const BucketEntry* find(std::string_view bucket) const;

    /// Takes all subscribers of a bucket out of the index.
    Subscribers detach(std::string_view bucket);
    /// Takes all there are out of the index.
    Subscribers detach_all();

private:
    boost::unordered_flat_map<std::string, BucketEntry, BytesHash, std::equal_to<>> buckets_;
};

}  // namespace keywatch::watch
