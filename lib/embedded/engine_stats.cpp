// SPDX-License-Identifier: BSL-1.0
#include "embedded_engine.hpp"

#include <algorithm>

// The statistics of the engine.
namespace keywatch::embedded {

void GroupWriter::count(const storage::Batch& batch, std::span<const PendingCommit> pending,
                        std::chrono::nanoseconds flush_time) noexcept
{
    std::size_t commits = 0;
    std::size_t expired = 0;
    for (const PendingCommit& each : pending) {
        commits += each.revision == 0 ? 0 : 1;
        expired += each.expired;
    }
    // Groups are written one at a time, so no other thread writes these counters meanwhile.
    const auto add = [](std::atomic<std::uint64_t>& counter, std::uint64_t count) {
        counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    };
    add(counters_.commits, commits);
    add(counters_.groups, 1);
    add(counters_.bytes_written, batch.bytes());
    if (expired > 0) {
        add(counters_.expired, expired);
    }
    if (counters_.largest_group.load(std::memory_order_relaxed) < commits) {
        counters_.largest_group.store(commits, std::memory_order_relaxed);
    }
    if (durability_ == Durability::sync) {
        add(counters_.flushes, 1);
        add(counters_.flush_nanoseconds, static_cast<std::uint64_t>(flush_time.count()));
    }
}

Stats::Engine GroupWriter::stats() const
{
    Stats::Engine stats;
    stats.head_revision = durable_head();
    stats.commits = counters_.commits.load(std::memory_order_relaxed);
    stats.groups = counters_.groups.load(std::memory_order_relaxed);
    stats.largest_group = counters_.largest_group.load(std::memory_order_relaxed);
    stats.flushes = counters_.flushes.load(std::memory_order_relaxed);
    stats.flush_time =
        std::chrono::nanoseconds(counters_.flush_nanoseconds.load(std::memory_order_relaxed));
    stats.bytes_written = counters_.bytes_written.load(std::memory_order_relaxed);
    stats.expired = counters_.expired.load(std::memory_order_relaxed);
    const std::lock_guard lock(mutex_);
    stats.pending_bytes = pending_bytes_;
    return stats;
}

Lag EmbeddedEngine::lag(Revision seen) const
{
    Lag lag;
    const Revision head = durable_head();
    if (seen >= head) {
        return lag;
    }
    lag.revisions = head - seen;
    if (!options_.enable_watch || !views_.enter()) {
        return lag;
    }
    const ViewGate::Inside inside{views_};
    const storage::HistoryState history = trimmer_->state();
    try {
        if (const auto unseen = store_->unseen(seen, history.before_oldest)) {
            // The newest commit may have reached the store since.
            const auto since = [](std::uint64_t newest, std::uint64_t before) {
                return newest > before ? newest - before : 0;
            };
            lag.messages = since(history.newest_totals.messages, unseen->before.messages);
            lag.bytes = since(history.newest_totals.bytes, unseen->before.bytes);
            lag.time = std::max(clock_.now() - unseen->first, Time::duration::zero());
        }
    } catch (const boost::system::system_error&) {
        // A reader of that history receives the error that it is damaged.
    }
    return lag;
}

Stats::Engine EmbeddedEngine::stats() const
{
    Stats::Engine stats = writer_->stats();
    stats.unchanged = unchanged_.load(std::memory_order_relaxed);
    stats.failed = failed_.load(std::memory_order_relaxed);
    stats.waiting = writer_lock_->waiting();
    stats.clock_lead = clock_.lead();
    stats.reserve_bytes = reserve_bytes_->load(std::memory_order_relaxed);
    return stats;
}

Stats::History EmbeddedEngine::history_stats() const
{
    Stats::History stats = trimmer_->stats();
    const Revision head = durable_head();
    if (!options_.enable_watch && head != head_at_open_) {
        // The first commit without a history record of its own has made all older records useless.
        stats = Stats::History();
        stats.oldest_revision = head + 1;
        stats.newest_revision = head;
    }
    return stats;
}

}  // namespace keywatch::embedded
