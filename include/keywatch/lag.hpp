// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

namespace [[gnu::visibility("default")]] keywatch {

/// How far something is behind the newest durable commit. Commits that have been trimmed count as
/// revisions only.
struct Lag {
    /// Revisions that it has not seen.
    std::uint64_t revisions = 0;
    /// The messages of those commits.
    std::uint64_t messages = 0;
    /// Their size in history, in bytes.
    std::uint64_t bytes = 0;
    /// How long ago the first commit was made that it has not seen.
    std::chrono::microseconds time{};

    /// Whether both are the same.
    friend bool operator==(const Lag&, const Lag&) = default;
};

}  // namespace keywatch
