// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/keywatch.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

/// Decides whether a watcher received what doc/watch.md promises, using only the commits that were
/// acknowledged. It shares no code with the library.
namespace keywatch::test::contract {

/// A commit as known to the test that made it. The messages must have everything that `describe`
/// prints, and origin, `ends_bucket` and index.
struct Made {
    Revision revision = 0;
    std::vector<OwnedMessage> messages;
};

/// The options of a watch.
struct Watched {
    Selectors selectors;
    Filter filter;
    Overflow overflow = Overflow::catch_up;
    /// The last revision before the watch. With `snapshot`, the stream determines it.
    Revision start = 0;
    bool snapshot = false;
    /// Number of messages of the commit after the start that the watch has seen already.
    std::uint32_t seen_of_next = 0;
};

/// Everything that a watch has delivered, and its end.
struct Observed {
    /// The messages in the order of delivery, including markers.
    std::vector<OwnedMessage> messages;
    /// The `position()` when `delivered` messages had been delivered.
    struct Sample {
        std::size_t delivered = 0;
        /// The last commit of which something has been seen, and the number of its messages seen;
        /// 0: all.
        Revision position = 0;
        std::size_t seen = 0;
    };
    std::vector<Sample> positions;
    /// Number of times that `run()` has ended.
    std::size_t ends = 0;
    /// The reason, if `run()` returned.
    std::optional<EndReason> reason;
    Revision end_position = 0;
    std::size_t end_seen = 0;  ///< same as `Sample::seen`
    /// If set, everything up to here was committed before the close that ended the watch.
    std::optional<Revision> closed_at;
};

/// Returns one line for each broken promise, beginning with its number; empty if none is broken.
std::vector<std::string> check(const std::vector<Made>& history, const Watched& watched,
                               const Observed& observed);

/// Returns a description of a message.
std::string describe(const Message& message);

}  // namespace keywatch::test::contract
