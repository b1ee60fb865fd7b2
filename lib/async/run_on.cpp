// SPDX-License-Identifier: BSL-1.0
#include "run_on.hpp"

#include <utility>

namespace keywatch::async {

asio::awaitable<bool> run_on(WorkerThread& thread, std::shared_ptr<const void> owner,
                             std::function<void()> task)
{
    const std::shared_ptr<const void> keep = std::move(owner);
    bool taken = true;
    // The coroutine cannot be destroyed before the task has run or was dropped: the task owns it.
    // If the context ends first, its end waits for a running task. Tasks that start after that do
    // nothing.
    auto start = [&](Waiter waiter) {
        auto done = std::make_shared<Waiter>(std::move(waiter));
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
        if (!thread.post(std::move(run))) {  // otherwise the coroutine may have been resumed
            taken = false;
            done->complete();
        }
    };
    co_await suspend(start);
    co_return taken;
}

}  // namespace keywatch::async
