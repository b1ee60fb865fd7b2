// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "waiter.hpp"
#include "worker_thread.hpp"

#include <boost/asio/awaitable.hpp>

#include <exception>
#include <functional>
#include <memory>

namespace keywatch::async {

namespace asio = boost::asio;

/// Runs a task on the thread and waits for it. Throws what the task threw. Returns false if the
/// thread no longer takes tasks. The task may refer to the frame of the coroutine that awaits this
/// function. `owner` lives until the task has run.
asio::awaitable<bool> run_on(WorkerThread& thread, std::shared_ptr<const void> owner,
                             std::function<void()> task);

}  // namespace keywatch::async
