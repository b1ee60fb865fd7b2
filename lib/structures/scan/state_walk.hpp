// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "key_rows.hpp"
#include "wanted_keys.hpp"

#include <keywatch/message.hpp>
#include <keywatch/time.hpp>

#include <memory>
#include <vector>

namespace keywatch::structures {

/// A walk over the content of one bucket, as the messages that would create it from an empty
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
/// Between any two messages, `rest` releases everything stored that the walk holds.
class StateWalk {
public:
    virtual ~StateWalk() = default;

    /// Returns true if there is a message. Throws `Error::damaged`.
    virtual bool valid() = 0;
    /// Returns the current message, without the bucket and what belongs to the commit. Its views
    /// are valid until next() or rest(). Precondition: valid().
    virtual const Message& message() = 0;
    virtual void next() = 0;
    virtual void rest() = 0;
};

std::unique_ptr<StateWalk> walk_state(Structure structure, KeySpace space,
                                      std::vector<KeyStretch> wanted, Time now);

}  // namespace keywatch::structures
