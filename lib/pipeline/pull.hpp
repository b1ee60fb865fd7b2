// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/waiter_list.hpp"
#include "watch/outbox.hpp"

#include <atomic>
#include <exception>
#include <memory>

namespace keywatch::pipeline {

/// What a watch that is pulled has instead of a callback.
///
/// Its worker is the one of any watch, but where others call back, it hands the whole inbox, or a
/// slice of history, to the consumer, and ends without falling asleep: it is *parked*. Meanwhile
/// there is no coroutine, no timer and nothing that the event loop would count; the inbox fills up
/// and falls behind as that of a watcher whose callback takes long. When the batch comes back,
/// because the consumer wants more or the watch is to end, a new worker settles it and goes on.
///
/// 1. While the worker is parked, its machine does not move. The position that is shown is moved by
///    the consumer, commit by commit.
/// 2. A watch that is interrupted shuts the outbox, so that it is not parked for long.
/// 3. Consumers wait for the number of the next batch, so that none is missed between asking and
///    waiting.
struct Pull {
    // Thread-safe by itself.
    watch::Outbox outbox;
    const std::shared_ptr<async::WaiterList> batches = std::make_shared<async::WaiterList>();
    std::atomic<bool> waiting{false};

    // The worker's, of the batch that is out: see Batch.
    watch::SharedCommit ends_bucket;
    std::exception_ptr error;
};

}  // namespace keywatch::pipeline
