// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "shared_commit.hpp"

#include <keywatch/position.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace keywatch {

/// The commits (after, reached] of history, or the revision where history begins if some of them
/// were trimmed.
struct HistorySlice {
    std::vector<SharedCommit> commits;
    /// The revision through which the slice is complete: the last requested one, or that of the
    /// last commit if a limit was reached.
    Revision reached = 0;
    /// If set, history begins at this revision, which is after the first requested one, and there
    /// are no commits.
    std::optional<Revision> compacted;
};

/// The limits of a slice. At least one commit is read.
struct SliceLimits {
    std::size_t messages = 1024;
    std::size_t bytes = std::size_t{4} << 20;
    /// True if the commits will be released together. All except long ones then share one block of
    /// memory. That is faster, and the block is kept as long as any of them.
    bool together = false;
};

}  // namespace keywatch
