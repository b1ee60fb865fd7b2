// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace [[gnu::visibility("default")]] keywatch {

/// Which of the messages that a watcher's selectors match it is given. What is left out counts as
/// delivered.
///
/// Markers (`gap`, `synced`, `progress`) are never left out, nor is the deletion after which a
/// bucket's name is gone (`Message::ends_bucket`).
/// All but the predicate are looked at before anything is queued, so what they leave out costs the
/// watcher nothing.
struct Filter {
    Filter() {}  // not an aggregate: see Options

    /// Only these structures; empty: all.
    std::vector<Structure> structures;
    /// Only these operations; empty: all.
    std::vector<Operation> operations;
    /// Only these causes; empty: all.
    std::vector<Cause> causes;
    /// Only of transactions with this origin; an empty string: of those without one.
    std::optional<std::string> origin;
    /// Not of transactions with this origin: so a consumer is not given its own writes. It is given
    /// the `erase` of a key that had expired and that such a transaction came upon, which is none.
    std::optional<std::string> except_origin;

    /// Asked about every message that is left and brings something (`put`, `push_front`,
    /// `push_back`, `insert`, `set`, `add`, `rescore`); false leaves it out. What takes something
    /// away is always delivered, as what was there before may have been.
    ///
    /// Called where callbacks are, one at a time, for all messages of a commit before the first of
    /// them is delivered; for a `PullWatcher` on the executor of the database, before the commit
    /// can be taken. No timeout limits it. What it throws ends the watch, as what a callback
    /// throws; nothing of the commit has been delivered then.
    std::function<bool(const Message&)> predicate;
};

}  // namespace keywatch
