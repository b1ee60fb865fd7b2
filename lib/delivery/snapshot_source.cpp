// SPDX-License-Identifier: BSL-1.0
#include "snapshot_source.hpp"

#include "watch/marker.hpp"
#include "watch/subscription.hpp"

#include <keywatch/error.hpp>

#include <utility>
#include <vector>

namespace keywatch::delivery {

namespace {

Selectors selectors_of(const watch::Subscription& subscription)
{
    std::vector<BucketSelector> selectors;
    for (const watch::Interest& each : subscription.interests()) {
        selectors.push_back(each.selector);
    }
    return Selectors(std::move(selectors));
}

SharedCommit synced_marker(const engine::StateStream& stream)
{
    watch::Marker marker;
    marker.operation = Operation::synced;
    marker.revision = stream.revision();
    marker.time = stream.time();
    return watch::make_marker(marker);
}

}  // namespace

asio::awaitable<SharedCommit> SnapshotSource::next_part(DeliveryContext& context)
{
    const Budget& budget = context.watch.inbox.budget();
    const SliceLimits limits{budget.messages, budget.bytes};
    try {
        if (!stream_) {
            auto stream =
                co_await context.pipeline->engine().open_state(selectors_of(context.watch));
            stream_ = std::move(stream);
        }
        co_return co_await stream_->next(limits, std::move(used_));
    } catch (const boost::system::system_error& error) {
        if (error.code() != make_error_code(Error::closed)) {
            throw;
        }
        closed_ = true;
    }
    co_return nullptr;
}

asio::awaitable<SnapshotSource::Read> SnapshotSource::read(DeliveryContext& context,
                                                           bool keeps_batches, Batch& batch)
{
    batch.clear();  // it shares the part whose memory is about to be used again
    if (delivering_) {
        used_ = std::move(delivering_);
    }
    SharedCommit part = co_await next_part(context);
    Read read;
    read.interrupted = context.is_interrupted();
    read.closed = closed_;
    if (part) {
        watch::Selection selection = watch::select(context.watch, *part);
        if (!keeps_batches) {
            delivering_ = part;
        }
        if (selection.any) {
            batch.entries.push_back({std::move(part), std::move(selection.selected)});
        }
    } else if (!read.closed) {
        batch.entries.push_back({synced_marker(*stream_), {}});
        read.whole = true;
        read.revision = stream_->revision();
    }
    read.any = !batch.entries.empty();
    co_return read;
}

}  // namespace keywatch::delivery
