// SPDX-License-Identifier: BSL-1.0
#include "embedded_engine.hpp"

#include <algorithm>

// The statistics of the engine.
namespace keywatch::embedded {

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
