// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hub.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace keywatch::watch {

/// Consecutive commits on their way to the distributor.
struct Batch {
    std::vector<SharedCommit> commits;
    std::size_t bytes = 0;
    /// Through which revision the subscribers are served once the batch is routed.
    Revision reached = 0;
    /// Set if commits before these are passed over: every subscriber has to see for itself what it
    /// has missed.
    bool gap = false;
};

/// A position that follows the commits, from the hub, or where the hub was too small, from history;
/// cuts them into batches. Reading history is its caller's.
class Collector {
public:
    Collector(Hub& hub, Revision position, Budget budget)
        : hub_(hub), position_(position), budget_(budget)
    {
    }

    enum class Step {
        wait,          ///< for the hub's wake-up
        read_history,  ///< (position(), missing_up_to()], and give it to read()
        batch,         ///< take it
    };
    Step next();

    Revision position() const noexcept { return position_; }
    Revision missing_up_to() const noexcept { return missing_up_to_; }

    /// Commits from history, complete through `reached`. The next step is a batch of them.
    void read(std::vector<SharedCommit> commits, Revision reached);
    /// History begins with `oldest` by now. The next step is a batch that says so.
    void compacted(Revision oldest);

    /// No subscriber needs what is at or before this revision.
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
