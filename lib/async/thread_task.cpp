// SPDX-License-Identifier: BSL-1.0
#include "thread_task.hpp"

#include <utility>

namespace keywatch::engine {

asio::awaitable<bool> run_on(async::WorkerThread& thread, std::shared_ptr<const void> owner,
                             std::function<void()> task)
{
    const std::shared_ptr<const void> keep = std::move(owner);
    bool taken = true;
    // The coroutine cannot go away before the task has run or was dropped: the task has it. If its
    // context ends first, that waits for a task that runs, and the others do nothing.
    auto start = [&](async::Waiter waiter) {
        auto done = std::make_shared<async::Waiter>(std::move(waiter));
        auto run = [&task, done] {
            const auto hold = done->hold();
            if (!hold) {
                return;
            }
            std::exception_ptr error;
            try {
                task();
            } catch (...) {
                error = std::current_exception();
            }
            done->complete(error);
        };
        if (!thread.post(std::move(run))) {  // else the coroutine may have gone on already
            taken = false;
            done->complete();
        }
    };
    co_await async::suspend(start);
    co_return taken;
}

}  // namespace keywatch::engine
