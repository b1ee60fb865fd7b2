// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "values/mutex.hpp"

#include <condition_variable>
#include <thread>

namespace keywatch::storage {

/// The thread on which LevelDB writes tables and compacts them. There is one for each database.
///
/// It is created before LevelDB is opened. LevelDB's own Env creates its thread on first use, while
/// it holds a mutex that is never unlocked if that fails: everything hangs from then on.
class BackgroundThread {
public:
    /// Throws `open_failed` if the system cannot start a thread.
    BackgroundThread();
    /// Waits until the current job is done.
    ~BackgroundThread();
    BackgroundThread(const BackgroundThread&) = delete;
    BackgroundThread& operator=(const BackgroundThread&) = delete;

    /// Runs a job on this thread. Never fails: LevelDB does not schedule a second job before the
    /// first one runs.
    void run(void (*function)(void*), void* argument);

    /// Returns true if the caller runs on such a thread.
    static bool is_current() noexcept;

private:
    struct Job {
        void (*function)(void*) = nullptr;
        void* argument = nullptr;
    };

    std::thread start();
    void loop();

    Mutex mutex_;
    std::condition_variable changed_;
    Job job_ KEYWATCH_GUARDED_BY(mutex_);
    bool finishing_ KEYWATCH_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace keywatch::storage
