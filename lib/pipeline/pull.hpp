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
/// 1. While it is parked, nobody moves the follower. The position that is shown is moved by the
///    consumer, commit by commit.
/// 2. A watch that is interrupted shuts the outbox, so that it is not parked for long.
/// 3. Consumers wait for the number of the next batch, so that none is missed between asking and
///    waiting.
struct Pull {
    /// What there is to do for the worker when a batch has been delivered.
    struct Rest {
        /// Everything through here has been delivered then.
        Revision through = 0;
        /// The batch is what the inbox held.
        bool of_inbox = false;
        bool fell_behind = false;
        bool full = false;
        bool overflowed = false;
        bool bucket_deleted = false;
        /// What the predicate threw: the end of the watch.
        std::exception_ptr error = nullptr;
    };

    // Thread-safe by itself.
    watch::Outbox outbox;
    const std::shared_ptr<async::WaiterList> batches = std::make_shared<async::WaiterList>();
    std::atomic<bool> waiting{false};

    // The worker's.
    bool parked = false;
    Rest rest;
};

}  // namespace keywatch::pipeline
