// SPDX-License-Identifier: BSL-1.0
#include "background_thread.hpp"

#include "storage/failure.hpp"
#include "values/failure.hpp"

#include <cassert>
#include <system_error>
#include <utility>

namespace keywatch::storage {

namespace {

thread_local bool current = false;

}  // namespace

BackgroundThread::BackgroundThread() : thread_(start()) {}

BackgroundThread::~BackgroundThread()
{
    {
        const MutexLock lock(mutex_);
        finishing_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

std::thread BackgroundThread::start()
{
    try {
        return std::thread([this] { loop(); });
    } catch (const std::system_error& error) {
        fail(Error::open_failed, std::string("a thread cannot be started: ") + error.what());
    }
}

void BackgroundThread::run(void (*function)(void*), void* argument)
{
    {
        const MutexLock lock(mutex_);
        assert(job_.function == nullptr);
        job_ = {function, argument};
    }
    changed_.notify_one();
}

bool BackgroundThread::is_current() noexcept
{
    return current;
}

void BackgroundThread::loop()
{
    current = true;
    UniqueLock lock(mutex_);
    for (;;) {
        while (!finishing_ && job_.function == nullptr) {
            changed_.wait(lock.native());
        }
        if (job_.function == nullptr) {
            return;
        }
        const Job job = std::exchange(job_, {});
        lock.unlock();
        job.function(job.argument);
        lock.lock();
    }
}

}  // namespace keywatch::storage
