// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/waiter_list.hpp"
#include "watch/outbox.hpp"

#include <atomic>
#include <exception>
#include <memory>

namespace keywatch::pipeline {

/// The part of a pulled watch that replaces the callback.
///
/// The worker is the same as that of any watch. Where other workers call back, it passes the whole
/// inbox, or a slice of history, to the consumer and ends without falling asleep: it is *parked*.
/// Meanwhile there is no coroutine, no timer and nothing that the event loop counts as work. The
/// inbox fills, and the watch falls behind, as with a callback that takes long. The batch comes
/// back when the consumer wants more or the watch is to end. A new worker then settles it and
/// continues.
///
/// 1. While the worker is parked, its DeliveryFsm does not change. The consumer moves the visible
///    position, commit by commit.
/// 2. A watch that is interrupted shuts the outbox, so that it is not parked for long.
/// 3. Consumers wait for the number of the next batch, so that they miss none between asking and
///    waiting.
struct Pull {
    // Thread-safe by itself.
    watch::Outbox outbox;
    const std::shared_ptr<async::WaiterList> batches = std::make_shared<async::WaiterList>();
    std::atomic<bool> waiting{false};

    // Used by the worker. Both belong to the batch that the consumer has: see Batch.
    watch::SharedCommit ends_bucket;
    std::exception_ptr error;
};

}  // namespace keywatch::pipeline
