// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "delivery_context.hpp"
#include "sink.hpp"

#include "async/waiter_list.hpp"
#include "watch/hub.hpp"
#include "watch/outbox.hpp"

#include <boost/asio/awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>

namespace keywatch::delivery {

namespace asio = boost::asio;

/// Passes batches to the consumer of a pulled watch.
///
/// The worker is the same as that of any watch. After it has passed a batch, it ends without
/// falling asleep: it is *parked*. Meanwhile there is no coroutine, no timer and nothing that the
/// event loop counts as work. The inbox fills, and the watch falls behind, as with a callback that
/// takes long. The batch comes back when the consumer wants more or the watch is to end. A new
/// worker then settles it and continues.
///
/// 1. While the worker is parked, its DeliveryFsm does not change. The consumer moves the visible
///    position, commit by commit.
/// 2. A watch that is interrupted closes the outbox, so that it is not parked for long.
/// 3. Consumers wait for the number of the next batch, so that they miss none between asking and
///    waiting.
class PullSink final : public Sink, private PositionGate {
public:
    /// `context` must outlive this object.
    explicit PullSink(DeliveryContext& context) : context_(context)
    {
        context.progress.set_gate(*this);
    }

    std::optional<Action> deliver_in_place(Batch& batch) override { return offer(batch); }
    asio::awaitable<Action> deliver(HistorySource&, Batch& batch, Watchdog&) override
    {
        co_return offer(batch);
    }
    Action take_back(Batch& batch) override;
    void release() noexcept override {}

    bool keeps_batches() const noexcept override { return true; }
    /// The next worker must not run before the last one has returned: both are on the strand.
    bool needs_no_strand() const noexcept override { return false; }
    bool close() noexcept override { return outbox_.shut(); }
    bool hurry() noexcept override { return outbox_.hurry(); }
    bool is_busy() const override { return outbox_.is_busy(); }
    void ended() noexcept override;

    // For the consumer. Any thread.
    watch::Outbox& outbox() noexcept { return outbox_; }
    /// Returns the list of those that wait for a batch, by its number.
    const std::shared_ptr<async::WaiterList>& batches() const noexcept { return batches_; }

private:
    bool pass(Revision revision) override { return outbox_.pass(revision); }
    Action offer(Batch& batch);

    DeliveryContext& context_;
    watch::Outbox outbox_;
    const std::shared_ptr<async::WaiterList> batches_ = std::make_shared<async::WaiterList>();

    // Used by the worker. Both belong to the batch that the consumer has: see Batch.
    SharedCommit ends_bucket_;
    std::exception_ptr error_;
};

}  // namespace keywatch::delivery
