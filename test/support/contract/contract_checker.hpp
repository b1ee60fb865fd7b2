// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/keywatch.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

/// Decides whether what a watcher was given is what doc/watch.md promises, knowing nothing but the
/// commits that were acknowledged. It shares no code with the library.
namespace keywatch::test::contract {

/// A commit, as the test that made it knows it. Of the messages it has to set what `describe`
/// tells, origin, `ends_bucket` and index.
struct Made {
    Revision revision = 0;
    std::vector<OwnedMessage> messages;
};

/// What was asked of a watch.
struct Watched {
    Selectors selectors;
    Filter filter;
    Overflow overflow = Overflow::catch_up;
    /// The last revision that is not for it; with `snapshot` it is told by the stream.
    Revision start = 0;
    bool snapshot = false;
    /// So many messages of the commit after the start are not for it either.
    std::uint32_t seen_of_next = 0;
};

/// All that came of it.
struct Observed {
    /// In the order of delivery, markers included.
    std::vector<OwnedMessage> messages;
    /// `position()`, as it was when so many messages had been delivered.
    struct Sample {
        std::size_t delivered = 0;
        /// The last commit of which something has been seen, and so many of its messages; 0: all.
        Revision position = 0;
        std::size_t seen = 0;
    };
    std::vector<Sample> positions;
    /// How often `run()` ended.
    std::size_t ends = 0;
    /// Why, if it returned.
    std::optional<EndReason> reason;
    Revision end_position = 0;
    std::size_t end_seen = 0;  ///< as in Sample
    /// If set, everything up to here was committed before the close that ended it.
    std::optional<Revision> closed_at;
};

/// One line for each promise that was broken, which begins with its number; nothing if none was.
std::vector<std::string> check(const std::vector<Made>& history, const Watched& watched,
                               const Observed& observed);

/// A message in words.
std::string describe(const Message& message);

}  // namespace keywatch::test::contract
