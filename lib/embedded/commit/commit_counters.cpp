// SPDX-License-Identifier: BSL-1.0
#include "commit_counters.hpp"

#include <atomic>
#include <cstdint>

namespace keywatch::embedded {

namespace {

std::uint64_t value(const Counter& counter) noexcept
{
    return counter.load(std::memory_order_relaxed);
}

}  // namespace

void CommitCounters::count(std::span<const PendingCommit> group, std::size_t bytes,
                           std::optional<std::chrono::nanoseconds> flush_time) noexcept
{
    std::size_t commits = 0;
    std::size_t expired = 0;
    for (const PendingCommit& each : group) {
        commits += each.revision == 0 ? 0 : 1;
        expired += each.expired;
    }
    add_alone(commits_, commits);
    add_alone(groups_, 1);
    add_alone(bytes_written_, bytes);
    if (expired > 0) {
        add_alone(expired_, expired);
    }
    if (value(largest_group_) < commits) {
        largest_group_.store(commits, std::memory_order_relaxed);
    }
    if (flush_time) {
        add_alone(flushes_, 1);
        add_alone(flush_nanoseconds_, static_cast<std::uint64_t>(flush_time->count()));
    }
}

Stats::Engine CommitCounters::stats() const noexcept
{
    Stats::Engine stats;
    stats.commits = value(commits_);
    stats.groups = value(groups_);
    stats.largest_group = value(largest_group_);
    stats.flushes = value(flushes_);
    stats.flush_time = std::chrono::nanoseconds(value(flush_nanoseconds_));
    stats.bytes_written = value(bytes_written_);
    stats.expired = value(expired_);
    return stats;
}

}  // namespace keywatch::embedded
