// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

namespace [[gnu::visibility("default")]] keywatch {

/// The distance from a position to the newest durable commit. Commits that have been trimmed count
/// only as revisions.
struct Lag {
    /// Number of revisions after the position.
    std::uint64_t revisions = 0;
    /// Number of messages in these commits.
    std::uint64_t messages = 0;
    /// The size of these commits in history, in bytes.
    std::uint64_t bytes = 0;
    /// The time since the first of these commits was made.
    std::chrono::microseconds time{};

    /// Returns true if all members are equal.
    friend bool operator==(const Lag&, const Lag&) = default;
};

}  // namespace keywatch
