// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "key_rows.hpp"
#include "wanted_keys.hpp"

#include <keywatch/message.hpp>
#include <keywatch/time.hpp>

#include <memory>
#include <vector>

namespace keywatch::structures {

/// Walks over what one bucket holds, as the messages that would make it, from an empty bucket:
///
///     BTree        `put`, with the deadline
///     list         `push_back` of each element, in order
///     set          `add` of each member, in order
///     sorted set   `add` of each member with its score, in the order of scores, then of members
///
/// key by key, in order; of a list, set or sorted set that has a deadline there is a `ttl` message
/// behind its elements. What has expired at `now` is not there.
///
/// It can rest between any two messages, and holds on to nothing that is stored then.
class StateWalk {
public:
    virtual ~StateWalk() = default;

    /// Whether there is a message. Throws `Error::damaged`.
    virtual bool valid() = 0;
    /// Of a valid one, without the bucket and what belongs to the commit. Its views last until
    /// next() or rest().
    virtual const Message& message() = 0;
    virtual void next() = 0;
    virtual void rest() = 0;
};

std::unique_ptr<StateWalk> walk_state(Structure structure, KeySpace space,
                                      std::vector<KeyStretch> wanted, Time now);

}  // namespace keywatch::structures
