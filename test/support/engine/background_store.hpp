// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/worker_thread.hpp"
#include "support/storage/store_tools.hpp"

#include <chrono>
#include <future>
#include <memory>

namespace keywatch::test {

/// A store, and the thread of the background tasks that work on it.
struct BackgroundStore : ReopenableStore {
    Options options{"/db"};
    async::WorkerThread thread;

    BackgroundStore() { options.history = keep_all(); }

    /// Waits until the tasks that were posted before have run.
    void run_posted()
    {
        std::promise<void> ran;
        thread.post([&] { ran.set_value(); });
        ran.get_future().wait();
    }

    /// Lets tasks run until the condition is true. Returns false if that takes too long.
    template <class Condition>
    bool soon(Condition condition)
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) {
                return false;
            }
            run_posted();
        }
        return true;
    }
};

}  // namespace keywatch::test
