// SPDX-License-Identifier: BSL-1.0
#include "worker_thread.hpp"

#include <utility>

namespace keywatch::async {

WorkerThread::WorkerThread() : thread_([state = state_] { run(state); }) {}

WorkerThread::~WorkerThread()
{
    finish();
}

bool WorkerThread::post(Task task)
{
    return add(std::move(task), false);
}

bool WorkerThread::post_last(Task task)
{
    return add(std::move(task), true);
}

bool WorkerThread::add(Task task, bool last)
{
    // The task may be the end of this object before this function is.
    const std::shared_ptr<State> state = state_;
    {
        const std::lock_guard lock(state->mutex);
        if (state->finishing) {
            return false;
        }
        state->tasks.push_back(std::move(task));
        state->finishing = last;
    }
    state->changed.notify_one();
    return true;
}

void WorkerThread::finish()
{
    {
        const std::lock_guard lock(state_->mutex);
        state_->finishing = true;
    }
    state_->changed.notify_one();
    join();
}

void WorkerThread::stop()
{
    std::deque<Task> dropped;
    {
        const std::lock_guard lock(state_->mutex);
        state_->finishing = true;
        dropped.swap(state_->tasks);
    }
    state_->changed.notify_one();
    join();
}

void WorkerThread::join()
{
    const std::lock_guard lock(join_mutex_);
    if (!thread_.joinable()) {
        return;
    }
    if (thread_.get_id() == std::this_thread::get_id()) {
        thread_.detach();
    } else {
        thread_.join();
    }
}

void WorkerThread::run(const std::shared_ptr<State>& state)
{
    for (;;) {
        Task task;
        {
            std::unique_lock lock(state->mutex);
            state->changed.wait(lock, [&] { return !state->tasks.empty() || state->finishing; });
            if (state->tasks.empty()) {
                return;
            }
            task = std::move(state->tasks.front());
            state->tasks.pop_front();
        }
        task();
    }
}

}  // namespace keywatch::async
