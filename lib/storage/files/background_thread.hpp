// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace keywatch::storage {

/// The thread on which LevelDB writes tables and compacts them; one for each database.
///
/// It is made before LevelDB is opened. LevelDB's own Env makes one when it is first needed, while
/// a mutex is locked that nothing unlocks if that fails: everything hangs from then on.
class BackgroundThread {
public:
    /// Throws `open_failed` if the system gives no thread.
    BackgroundThread();
    /// Waits until the job is done.
    ~BackgroundThread();
    BackgroundThread(const BackgroundThread&) = delete;
    BackgroundThread& operator=(const BackgroundThread&) = delete;

    /// LevelDB never asks for a second job before the first one runs, so this cannot fail.
    void run(void (*function)(void*), void* argument);

    /// Whether the caller runs on such a thread.
    static bool is_current() noexcept;

private:
    struct Job {
        void (*function)(void*) = nullptr;
        void* argument = nullptr;
    };

    std::thread start();
    void loop();

    std::mutex mutex_;
    std::condition_variable changed_;
    Job job_;
    bool finishing_ = false;
    std::thread thread_;
};

}  // namespace keywatch::storage
