// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace [[gnu::visibility("default")]] keywatch {

/// Conditions on messages that match the selectors of a watcher. A message that does not meet all
/// of them is not delivered, but counts as delivered.
///
/// Markers (`gap`, `synced`, `progress`) always pass, and so does the message after which no bucket
/// of its name exists (`Message::ends_bucket`). All conditions except the predicate are checked
/// before a message is queued, so messages they exclude cost the watcher nothing.
struct Filter {
    Filter() {}  // makes this type a non-aggregate: see Options

    /// Only messages of these structures. If empty, all.
    std::vector<Structure> structures;
    /// Only messages with these operations. If empty, all.
    std::vector<Operation> operations;
    /// Only messages with these causes. If empty, all.
    std::vector<Cause> causes;
    /// Only messages of transactions with this origin. An empty string selects transactions without
    /// an origin.
    std::optional<std::string> origin;
    /// Excludes messages of transactions with this origin, so that a consumer does not receive its
    /// own writes. If such a transaction removes a key because it has expired, that `erase` is
    /// delivered, because it is not a write of the consumer.
    std::optional<std::string> except_origin;

    /// Called for every message that passes the other conditions and adds something (`put`,
    /// `push_front`, `push_back`, `insert`, `set`, `add`, `rescore`). If it returns false, the
    /// message is excluded. Messages that remove something are always delivered, because what they
    /// remove may have been delivered.
    ///
    /// Called where callbacks run, one call at a time, for all messages of a commit before the
    /// first of them is delivered. For a `PullWatcher`, called on the executor of the database
    /// before the commit can be taken. There is no timeout. An exception ends the watch, like an
    /// exception from a callback; nothing of that commit has been delivered then.
    std::function<bool(const Message&)> predicate;
};

}  // namespace keywatch
