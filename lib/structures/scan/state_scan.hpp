// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "key_scan.hpp"
#include "selected_ranges.hpp"

#include <keywatch/message.hpp>
#include <keywatch/time.hpp>

#include <memory>
#include <vector>

namespace keywatch::structures {

/// A scan of the content of one bucket, as the messages that would create it from an empty
/// bucket:
///
///     BTree        `put`, with the deadline
///     list         `push_back` of each element, in order
///     set          `add` of each member, in order
///     sorted set   `add` of each member with its score, in the order of scores, then of members
///
/// It goes key by key, in order. For a list, set or sorted set that has a deadline, there is a
/// `ttl` message after its elements. Keys that have expired at `now` are skipped.
///
/// Between any two messages, `release` releases everything stored that the scan holds.
class StateScan {
public:
    virtual ~StateScan() = default;

    /// Returns true if there is a message. Throws `Error::damaged`.
    virtual bool valid() = 0;
    /// Returns the current message, without the bucket and what belongs to the commit. Its views
    /// are valid until next() or release(). Precondition: valid().
    virtual const Message& message() = 0;
    virtual void next() = 0;
    virtual void release() = 0;
};

std::unique_ptr<StateScan> scan_state(Structure structure, KeySpace space,
                                      std::vector<KeyInterval> selected, Time now);

}  // namespace keywatch::structures
