// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "batch.hpp"
#include "delivery_context.hpp"

#include "engine/engine.hpp"
#include "watch/delivery_fsm.hpp"
#include "watch/hub.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace keywatch::delivery {

namespace asio = boost::asio;

/// Reads the state that a watch from a snapshot begins with.
///
/// The worker delivers it in parts, before anything else. Each part is a commit of the state's
/// revision s, and a marker follows the last one. Only the marker moves the position, from the
/// start to s. From there on the watch is like one that starts after s, and joins like any other.
/// Nothing is therefore registered meanwhile, and history records new commits as usual.
///
/// 1. At most two parts of the state are alive: one is being delivered, the next one is being read.
/// 2. The source is released with the marker, or when the watch ends, because it keeps a snapshot
///    of the store alive.
///
/// Used by the worker.
class SnapshotSource {
public:
    using Read = watch::DeliveryFsm::StateRead;

    /// Reads the next part, or the marker. `keeps_batches`: see Sink.
    asio::awaitable<Read> read(DeliveryContext& context, bool keeps_batches, Batch& batch);

private:
    /// Returns the next part of the state. Returns null after the last one, or if the engine is
    /// closed.
    asio::awaitable<SharedCommit> next_part(DeliveryContext& context);

    /// Null until the first part is read.
    std::shared_ptr<engine::StateStream> stream_;
    /// The part that is being delivered, and one that has been delivered, whose memory the next
    /// part may reuse.
    std::shared_ptr<const CommitRecord> delivering_;
    std::shared_ptr<const CommitRecord> used_;
    bool closed_ = false;  ///< true if the engine is closed
};

}  // namespace keywatch::delivery
