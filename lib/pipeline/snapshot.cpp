// SPDX-License-Identifier: BSL-1.0
#include "snapshot.hpp"

#include "pipeline.hpp"
#include "watcher_core.hpp"

#include "watch/marker.hpp"

#include <keywatch/error.hpp>

#include <utility>
#include <vector>

namespace keywatch::pipeline {

namespace {

Selectors selectors_of(const watch::Subscription& subscription)
{
    std::vector<BucketSelector> selectors;
    for (const watch::Interest& each : subscription.interests()) {
        selectors.push_back(each.selector);
    }
    return Selectors(std::move(selectors));
}

watch::SharedCommit synced_marker(const engine::StateStream& stream)
{
    watch::Marker marker;
    marker.operation = Operation::synced;
    marker.revision = stream.revision();
    marker.time = stream.time();
    return watch::make_marker(marker);
}

}  // namespace

asio::awaitable<watch::SharedCommit> WatcherCore::read_state()
{
    const engine::SliceLimits limits{inbox.budget().messages, inbox.budget().bytes};
    try {
        if (!start_state_->stream) {
            auto stream = co_await pipeline_->engine().open_state(selectors_of(*this));
            start_state_->stream = std::move(stream);
        }
        watch::SharedCommit part =
            co_await start_state_->stream->next(limits, std::move(start_state_->used));
        if (!part) {
            start_state_->whole = true;
            part = synced_marker(*start_state_->stream);
        }
        co_return part;
    } catch (const boost::system::system_error& error) {
        if (error.code() != make_error_code(Error::closed)) {
            throw;
        }
    }
    co_return nullptr;
}

asio::awaitable<void> WatcherCore::deliver_state(Watchdog& watchdog)
{
    watch::SharedCommit part = co_await read_state();
    if (!part) {
        // As in read_history: its own callback has closed the database.
        finish(EndReason::database_closed, nullptr);
    } else if (interrupted_.load(std::memory_order_acquire)) {
        co_return;
    } else if (pull_) {
        offer_state(std::move(part));
    } else if (start_state_->whole) {
        co_await deliver_synced(std::move(part), watchdog);
    } else {
        co_await deliver_part(std::move(part), watchdog);
    }
}

asio::awaitable<void> WatcherCore::deliver_part(watch::SharedCommit part, Watchdog& watchdog)
{
    const watch::Selection selection = watch::select(*this, *part);
    if (selection.any) {
        const Outcome outcome = co_await deliver(commit_of(*part, selection.selected), watchdog);
        const std::size_t given = selection.messages(*part) - outcome.left_out;
        if (outcome.whole && given > 0) {
            Tally(pipeline_->counters()).delivered(given);
            figures_.delivered(given);
        }
        if (outcome.stop) {
            finish(EndReason::stopped, nullptr);
            co_return;
        }
    }
    start_state_->used = std::move(part);
}

asio::awaitable<void> WatcherCore::deliver_synced(watch::SharedCommit marker, Watchdog& watchdog)
{
    const Commit commit(*marker, nullptr);
    const Outcome outcome = co_await deliver(commit, watchdog);
    start_state_.reset();
    Tally tally(pipeline_->counters());
    settle(commit, marker->revision, outcome, 1, tally);
}

void WatcherCore::offer_state(watch::SharedCommit part)
{
    Pull::Rest rest;
    rest.through = follower_.position();
    watch::Selection selection;
    if (start_state_->whole) {
        rest.through = part->revision;
        selection.any = true;
        start_state_.reset();
    } else {
        selection = watch::select(*this, *part);
    }
    std::vector<watch::Entry> entries;
    if (selection.any) {
        entries.push_back({std::move(part), std::move(selection.selected)});
    }
    offer(std::move(entries), rest);
}

}  // namespace keywatch::pipeline
