// SPDX-License-Identifier: BSL-1.0
#include "worker_thread.hpp"

#include <algorithm>
#include <utility>

namespace keywatch::async {

namespace {

constexpr std::chrono::milliseconds retry_period{1};

}  // namespace

WorkerThread::WorkerThread() : thread_([state = state_] { run(state); }) {}

void WorkerThread::State::wake() noexcept
{
    {
        const MutexLock lock(mutex);  // the thread may be between its check and its wait
    }
    changed.notify_one();
}

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

bool WorkerThread::post_after(std::chrono::milliseconds time, Task task)
{
    const std::shared_ptr<State> state = state_;
    {
        const MutexLock lock(state->mutex);
        if (state->finishing) {
            return false;
        }
        state->later.emplace(std::chrono::steady_clock::now() + time, std::move(task));
    }
    state->changed.notify_one();
    return true;
}

bool WorkerThread::add(Task task, bool last)
{
    // The task may destroy this object before this function returns.
    const std::shared_ptr<State> state = state_;
    {
        const MutexLock lock(state->mutex);
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
        const MutexLock lock(state_->mutex);
        state_->finishing = true;
    }
    state_->changed.notify_one();
    join();
}

void WorkerThread::stop()
{
    std::deque<Task> dropped;
    {
        const MutexLock lock(state_->mutex);
        state_->finishing = true;
        dropped.swap(state_->tasks);
    }
    state_->changed.notify_one();
    join();
}

void WorkerThread::join()
{
    const MutexLock lock(join_mutex_);
    if (!thread_.joinable()) {
        return;
    }
    if (thread_.get_id() == std::this_thread::get_id()) {
        thread_.detach();
    } else {
        thread_.join();
    }
}

/// Returns the next task. Returns an empty one if there is none and none will come.
WorkerThread::Task WorkerThread::next(State& state)
{
    using Clock = std::chrono::steady_clock;
    UniqueLock lock(state.mutex);
    for (;;) {
        const auto due = state.later.begin();
        const bool waits = !state.finishing && due != state.later.end();
        const bool retries = !Undelivered::empty();
        const Clock::time_point now = waits || retries ? Clock::now() : Clock::time_point();
        if (waits && due->first <= now) {
            Task task = std::move(due->second);
            state.later.erase(due);
            return task;
        } else if (retries && state.retry_at <= now) {
            state.retry_at = now + retry_period;
            return [] { Undelivered::retry(); };
        } else if (!state.tasks.empty()) {
            Task task = std::move(state.tasks.front());
            state.tasks.pop_front();
            return task;
        } else if (state.finishing) {
            return {};
        } else if (waits && retries) {
            state.changed.wait_until(lock.native(), std::min(due->first, state.retry_at));
        } else if (waits) {
            state.changed.wait_until(lock.native(), due->first);
        } else if (retries) {
            state.changed.wait_until(lock.native(), state.retry_at);
        } else {
            state.changed.wait(lock.native());
        }
    }
}

void WorkerThread::run(const std::shared_ptr<State>& state)
{
    Undelivered::enter(*state);
    while (const Task task = next(*state)) {
        task();
    }
    Undelivered::leave(*state);
    // Delayed tasks belong to objects that may hold the last reference to the owner of this thread.
    // They are destroyed without the mutex.
    std::multimap<std::chrono::steady_clock::time_point, Task> dropped;
    const MutexLock lock(state->mutex);
    dropped.swap(state->later);
}

}  // namespace keywatch::async
