// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "callback_invoker.hpp"
#include "delivery_context.hpp"
#include "sink.hpp"

#include "pipeline/counters.hpp"
#include "watch/wanted.hpp"

#include <keywatch/watcher.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace keywatch::delivery {

namespace asio = boost::asio;

/// Delivers batches and slices of history to a callback, commit by commit.
///
/// 1. The position moves to a commit when the callback has returned from its last message.
/// 2. Once the watch is interrupted, no further commit is delivered.
class CallbackSink final : public Sink {
public:
    /// `context` must outlive this object.
    CallbackSink(DeliveryContext& context, WatchCallback callback,
                 std::chrono::milliseconds timeout);

    std::optional<Action> deliver_in_place(Batch& batch) override;
    asio::awaitable<Action> deliver(HistorySource& history, Batch& batch,
                                    Watchdog& watchdog) override;
    Action take_back(Batch& batch) override;
    void release() noexcept override { invoker_.release(); }

    bool keeps_batches() const noexcept override { return false; }
    bool needs_no_strand() const noexcept override { return invoker_.is_plain(); }
    bool close() noexcept override { return false; }
    bool hurry() noexcept override { return false; }
    bool is_busy() const override { return false; }
    void ended() noexcept override {}

private:
    /// Delivers the batch to a plain callback. Returns false if other work should have its turn
    /// before the rest.
    bool deliver_plain(Batch& batch);
    asio::awaitable<void> deliver_batch(Batch& batch, Watchdog& watchdog);
    /// Delivers the open slice, up to and including a commit with which a bucket ends.
    asio::awaitable<void> deliver_slice(HistorySource& history, Batch& batch, Watchdog& watchdog);
    /// Delivers one commit. What the commit refers to must live until this has been awaited.
    asio::awaitable<Outcome> deliver_commit(Commit commit, Watchdog& watchdog);
    asio::awaitable<Outcome> deliver_next(Batch& batch, const Commit& commit, Watchdog& watchdog);
    /// Settles the entry that was delivered, and moves to the next one. Returns false if the rest
    /// must not be delivered.
    bool settle_next(Batch& batch, const Commit& commit, Outcome outcome, pipeline::Tally& tally);
    /// Reports the delivery of a commit. If the commit was delivered whole, then everything up to
    /// `through` has been delivered. Returns false if the rest must not be delivered.
    bool settle(const Commit& commit, Revision through, Outcome outcome, std::size_t messages,
                pipeline::Tally& tally);
    Commit commit_of(const watch::Entry& entry) const;
    Commit commit_of(const CommitRecord& record, const std::vector<std::uint32_t>& selected) const;

    DeliveryContext& context_;
    CallbackInvoker invoker_;
};

}  // namespace keywatch::delivery
