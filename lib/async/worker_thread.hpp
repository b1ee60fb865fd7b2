// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "undelivered.hpp"

#include "values/mutex.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <thread>

namespace keywatch::async {

/// A thread that runs tasks one after another, in the order they were posted. Between tasks it
/// retries the posts that failed for lack of memory (Undelivered).
///
/// Thread safety: all members may be called from any thread, even by a task.
class WorkerThread {
public:
    using Task = std::function<void()>;

    WorkerThread();
    /// Calls `finish`.
    ~WorkerThread();
    WorkerThread(const WorkerThread&) = delete;
    WorkerThread& operator=(const WorkerThread&) = delete;

    /// Adds a task. Returns false if the thread no longer takes tasks. A task must not throw.
    bool post(Task task);

    /// Same as `post`, but runs the task once this time has passed, before the pending tasks. The
    /// task is dropped if the thread no longer takes tasks by then.
    bool post_after(std::chrono::milliseconds time, Task task);

    /// Takes no more tasks, runs the pending ones, and waits until they are done. If it is called
    /// by a task of this thread, it does not wait.
    void finish();

    /// Runs the pending tasks, then this one, and takes no more. Returns false if the thread
    /// already takes no tasks.
    bool post_last(Task task);

    /// Takes no more tasks, drops those that have not started, and waits for the running one.
    void stop();

private:
    struct State final : Undelivered::Helper {
        void wake() noexcept override;

        Mutex mutex;
        std::condition_variable changed;
        std::deque<Task> tasks KEYWATCH_GUARDED_BY(mutex);
        std::multimap<std::chrono::steady_clock::time_point, Task> later KEYWATCH_GUARDED_BY(mutex);
        bool finishing KEYWATCH_GUARDED_BY(mutex) = false;
        /// Time of the next retry of the posts that failed.
        std::chrono::steady_clock::time_point retry_at KEYWATCH_GUARDED_BY(mutex);
    };

    bool add(Task task, bool last);
    static Task next(State& state);
    static void run(const std::shared_ptr<State>& state);
    void join();

    std::shared_ptr<State> state_ = std::make_shared<State>();
    Mutex join_mutex_;
    std::thread thread_ KEYWATCH_GUARDED_BY(join_mutex_);
};

}  // namespace keywatch::async
