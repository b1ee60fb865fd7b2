// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <mutex>

// clang++ checks these annotations at compile time (-Wthread-safety): a member that is guarded by
// a mutex is used only while the mutex is held, and a function is called only with, or only
// without, the mutexes that it names. Other compilers ignore them.
#ifdef __clang__
#define KEYWATCH_THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define KEYWATCH_THREAD_SAFETY(attribute)
#endif
#define KEYWATCH_GUARDED_BY(mutex) KEYWATCH_THREAD_SAFETY(guarded_by(mutex))
#define KEYWATCH_REQUIRES(...) KEYWATCH_THREAD_SAFETY(requires_capability(__VA_ARGS__))
#define KEYWATCH_EXCLUDES(...) KEYWATCH_THREAD_SAFETY(locks_excluded(__VA_ARGS__))
/// Skips the check of a function. Say why it needs no lock.
#define KEYWATCH_NOT_CHECKED KEYWATCH_THREAD_SAFETY(no_thread_safety_analysis)

namespace keywatch {

/// A std::mutex whose use clang++ checks.
class KEYWATCH_THREAD_SAFETY(capability("mutex")) Mutex {
public:
    void lock() KEYWATCH_THREAD_SAFETY(acquire_capability()) { mutex_.lock(); }
    void unlock() KEYWATCH_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }

private:
    friend class UniqueLock;
    std::mutex mutex_;
};

/// Same as std::lock_guard, for a `Mutex`.
class KEYWATCH_THREAD_SAFETY(scoped_lockable) MutexLock {
public:
    explicit MutexLock(Mutex& mutex) KEYWATCH_THREAD_SAFETY(acquire_capability(mutex))
        : mutex_(mutex)
    {
        mutex_.lock();
    }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;
    ~MutexLock() KEYWATCH_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }

private:
    Mutex& mutex_;
};

/// Same as std::unique_lock, for a `Mutex`.
class KEYWATCH_THREAD_SAFETY(scoped_lockable) UniqueLock {
public:
    explicit UniqueLock(Mutex& mutex) KEYWATCH_THREAD_SAFETY(acquire_capability(mutex))
        : lock_(mutex.mutex_)
    {
    }
    UniqueLock(const UniqueLock&) = delete;
    UniqueLock& operator=(const UniqueLock&) = delete;
    ~UniqueLock() KEYWATCH_THREAD_SAFETY(release_capability()) {}

    void lock() KEYWATCH_THREAD_SAFETY(acquire_capability()) { lock_.lock(); }
    void unlock() KEYWATCH_THREAD_SAFETY(release_capability()) { lock_.unlock(); }

    /// Returns the lock for a std::condition_variable. Wait in a loop and not with a predicate,
    /// which clang++ would check as a function that holds no lock.
    std::unique_lock<std::mutex>& native() noexcept { return lock_; }

private:
    std::unique_lock<std::mutex> lock_;
};

}  // namespace keywatch
