// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "pending_commit.hpp"

#include "values/counter.hpp"

#include <keywatch/stats.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

namespace keywatch::embedded {

/// The numbers that the group writer counts for `Stats`, named as there.
///
/// Thread safety: `count` may be called by one thread at a time, `stats` from any thread.
class CommitCounters {
public:
    /// Counts a group that was written: its commits, and the bytes of its batch. `flush_time` is
    /// empty if the batch was not flushed.
    void count(std::span<const PendingCommit> group, std::size_t bytes,
               std::optional<std::chrono::nanoseconds> flush_time) noexcept;

    /// Returns statistics of which only these numbers are set.
    Stats::Engine stats() const noexcept;

private:
    Counter commits_{0};
    Counter groups_{0};
    Counter largest_group_{0};
    Counter flushes_{0};
    Counter flush_nanoseconds_{0};
    Counter bytes_written_{0};
    Counter expired_{0};
};

}  // namespace keywatch::embedded
