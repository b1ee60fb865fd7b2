// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hub.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace keywatch::watch {

/// Consecutive commits for the distributor.
struct Batch {
    std::vector<SharedCommit> commits;
    std::size_t bytes = 0;
    /// The revision up to which the subscribers are served once the batch is routed.
    Revision reached = 0;
    /// True if commits before these are skipped: every subscriber must find out by itself what it
    /// missed.
    bool gap = false;
};

/// A position that follows the commits and cuts them into batches. It reads them from the hub, or,
/// if the hub has overwritten them, from history. The caller does the reading of history.
class Collector {
public:
    Collector(Hub& hub, Revision position, Budget budget)
        : hub_(hub), position_(position), budget_(budget)
    {
    }

    enum class Step {
        wait,          ///< for the hub's wake-up
        read_history,  ///< read (position(), missing_up_to()] and call read()
        batch,         ///< call take_batch()
    };
    Step next();

    Revision position() const noexcept { return position_; }
    Revision missing_up_to() const noexcept { return missing_up_to_; }

    /// Stores commits from history, complete up to `reached`. The next step is a batch of them.
    void read(std::vector<SharedCommit> commits, Revision reached);
    /// Records that history was trimmed and now begins at `oldest`. The next step is a batch with a
    /// gap.
    void compacted(Revision oldest);

    /// Skips the commits up to and including this revision, which no subscriber needs.
    void pass_over(Revision revision) noexcept { position_ = std::max(position_, revision); }

    Batch take_batch();

private:
    Hub& hub_;
    Revision position_;
    Revision missing_up_to_ = 0;
    const Budget budget_;
    Batch batch_;
};

}  // namespace keywatch::watch
