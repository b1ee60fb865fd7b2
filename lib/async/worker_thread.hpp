// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "undelivered.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace keywatch::async {

/// A thread that runs tasks one after the other, in the order they were given. Between them it
/// tries again what could not be posted for want of memory (Undelivered).
///
/// Thread safety: all members may be called from any thread, also by a task.
class WorkerThread {
public:
    using Task = std::function<void()>;

    WorkerThread();
    /// As `finish`.
    ~WorkerThread();
    WorkerThread(const WorkerThread&) = delete;
    WorkerThread& operator=(const WorkerThread&) = delete;

    /// False if it no longer takes tasks. A task must not throw.
    bool post(Task task);

    /// The same once this time is over, before the tasks that wait. Dropped, if the thread takes no
    /// more tasks by then.
    bool post_after(std::chrono::milliseconds time, Task task);

    /// Takes no more tasks, runs those it has, and waits until they are done (a task of its own
    /// does not wait).
    void finish();

    /// Runs the tasks it has, then this one, and takes no more. False if it takes none already.
    bool post_last(Task task);

    /// Takes no more tasks, drops those that have not begun, and waits for the one that runs.
    void stop();

private:
    struct State final : Undelivered::Helper {
        void wake() noexcept override;

        std::mutex mutex;
        std::condition_variable changed;
        std::deque<Task> tasks;
        std::multimap<std::chrono::steady_clock::time_point, Task> later;
        bool finishing = false;
        /// When it looks at what could not be posted.
        std::chrono::steady_clock::time_point retry_at;
    };

    bool add(Task task, bool last);
    static Task next(State& state);
    static void run(const std::shared_ptr<State>& state);
    void join();

    std::shared_ptr<State> state_ = std::make_shared<State>();
    std::mutex join_mutex_;
    std::thread thread_;
};

}  // namespace keywatch::async
