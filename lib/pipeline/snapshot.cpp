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

asio::awaitable<watch::SharedCommit> WatcherCore::read_state_part()
{
    const engine::SliceLimits limits{inbox.budget().messages, inbox.budget().bytes};
    try {
        if (!start_state_->stream) {
            auto stream = co_await pipeline_->engine().open_state(selectors_of(*this));
            start_state_->stream = std::move(stream);
        }
        co_return co_await start_state_->stream->next(limits, std::move(start_state_->used));
    } catch (const boost::system::system_error& error) {
        if (error.code() != make_error_code(Error::closed)) {
            throw;
        }
        start_state_->closed = true;
    }
    co_return nullptr;
}

asio::awaitable<WatcherCore::Action> WatcherCore::read_state(Batch& batch)
{
    batch.clear();  // it shares the part whose memory is about to be used again
    if (start_state_->delivering) {
        start_state_->used = std::move(start_state_->delivering);
    }
    watch::SharedCommit part = co_await read_state_part();
    watch::DeliveryFsm::StateRead read;
    read.interrupted = interrupted_.load(std::memory_order_acquire);
    read.closed = start_state_->closed;
    if (part) {
        watch::Selection selection = watch::select(*this, *part);
        if (!pull_) {
            start_state_->delivering = part;
        }
        if (selection.any) {
            batch.entries.push_back({std::move(part), std::move(selection.selected)});
        }
    } else if (!read.closed) {
        batch.entries.push_back({synced_marker(*start_state_->stream), {}});
        read.whole = true;
        read.revision = start_state_->stream->revision();
        start_state_.reset();
    }
    read.any = !batch.entries.empty();
    begin_delivery(batch);
    const Action action = fsm_.state_read(read);
    advanced();
    co_return action;
}

}  // namespace keywatch::pipeline
