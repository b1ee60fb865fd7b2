// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>

#include <string>

namespace [[gnu::visibility("default")]] keywatch {

/// A bucket, as listed by `buckets()`.
struct Bucket {
    /// The structure of the bucket.
    Structure structure;
    /// The name of the bucket, unique among the buckets of its structure.
    std::string name;

    /// Returns true if both are the same bucket.
    friend bool operator==(const Bucket&, const Bucket&) = default;
};

}  // namespace keywatch
