// SPDX-License-Identifier: BSL-1.0
#include <keywatch/database.hpp>
#include <keywatch/error.hpp>

#include "database_state.hpp"

#include "values/counter.hpp"
#include "values/failure.hpp"

#include <algorithm>

namespace [[gnu::visibility("default")]] keywatch {

namespace {

std::uint64_t value(const Counter& counter)
{
    return counter.load(std::memory_order_relaxed);
}

Stats::Pipeline stats_of(const pipeline::Pipeline& pipeline)
{
    const pipeline::Counters& counters = pipeline.counters();
    const watch::Hub::Level hub = pipeline.hub().level();
    Stats::Pipeline stats;
    stats.routed_revision = pipeline.router().routed();
    stats.hub_commits = hub.commits;
    stats.hub_messages = hub.messages;
    stats.overwritten = hub.overwritten;
    stats.read_from_history = value(counters.read_from_history);
    stats.batches = value(counters.batches);
    stats.commits = value(counters.commits);
    stats.messages = value(counters.messages);
    stats.entries = value(counters.entries);
    return stats;
}

Stats::Watchers watcher_stats_of(const pipeline::Pipeline& pipeline)
{
    const pipeline::Counters& counters = pipeline.counters();
    Stats::Watchers stats;
    stats.made = pipeline.watchers_made();
    stats.ended = value(counters.ended);
    stats.running = value(counters.entered) - stats.ended;
    stats.fell_behind = value(counters.fell_behind);
    stats.commits_delivered = value(counters.commits_delivered);
    stats.messages_delivered = value(counters.messages_delivered);
    return stats;
}

}  // namespace

Stats Database::stats() const
{
    if (!state_) {
        fail(Error::closed);
    }
    Stats stats;
    stats.engine = state_->engine->stats();
    stats.history = state_->engine->history_stats();
    stats.pipeline = stats_of(*state_->pipeline);
    stats.watchers = watcher_stats_of(*state_->pipeline);
    return stats;
}

}  // namespace keywatch
