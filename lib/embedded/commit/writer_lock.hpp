// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/waiter.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace keywatch::embedded {

namespace asio = boost::asio;

/// The right to execute a transaction: one holder at a time, in the order of the calls. A mutex
/// whose waiters are suspended coroutines.
///
/// When the lock is released, it is not passed on. Instead, a *claim* is posted to the executor of
/// the first waiter. The claim acquires the lock on that executor when it runs. So a waiter whose
/// executor is blocked by other code delays the other waiters by at most `patience`. After that it
/// is *doubtful*, and claims are posted for the waiters after it. If its claim runs after all, it
/// is no longer doubtful and has its old place.
///
/// 1. The lock is held from the moment it is acquired, on the executor of the holder.
/// 2. While paused, the lock cannot be acquired.
/// 3. A claim acquires the lock only if all waiters before it are doubtful. So waiters that are not
///    doubtful acquire it in the order of their calls.
/// 4. If the lock is free and not paused, the first waiter that is not doubtful has a claim under
///    way. Every doubtful waiter has one.
///
/// Thread safety: all members may be called from any thread.
class WriterLock : public std::enable_shared_from_this<WriterLock> {
public:
    using Clock = std::chrono::steady_clock;

    /// How long a claim may take to run.
    static constexpr std::chrono::milliseconds patience{1};
    /// The maximum number of claims posted at a time for the waiters after the first, when claims
    /// take longer.
    static constexpr std::size_t most_claims = 64;

    /// `now` is the clock, for tests.
    explicit WriterLock(std::function<Clock::time_point()> now = Clock::now);

    /// Sets the lookout. Call once, before the first use. `waits` is called when a waiter was
    /// added: `skip_blocked` must be called from then on.
    void set_lookout(std::function<void()> waits) { waits_ = std::move(waits); }

    /// Acquires the lock if it is free and nothing waits for it. Returns true if it did.
    bool try_acquire();
    /// Acquires the lock once it is free. Supports terminal cancellation while waiting. Fails with
    /// the error passed to `refuse` or `close`.
    asio::awaitable<void> acquire();
    void release();

    void pause();
    void resume();

    /// Returns the number of waiters.
    std::size_t waiting() const;

    /// Skips waiters whose executors do not run. Must be called once per `patience` while it
    /// returns true.
    bool skip_blocked();

    /// Fails all waiters and all later calls.
    void refuse(std::exception_ptr reason);

    /// Fails all later calls. Existing waiters still acquire the lock. `idle` is called when
    /// nothing holds the lock or waits for it, and then at each `notify_if_idle`.
    void close(std::exception_ptr reason, std::function<void()> idle);
    void notify_if_idle();
    bool is_idle() const;
    /// Makes doubtful waiters fail with this error from now on.
    void fail_doubtful(std::exception_ptr reason);

private:
    using Id = std::uint64_t;
    struct Waiting {
        async::Waiter waiter;
        /// When the claim that is under way was posted; empty if there is none.
        std::optional<Clock::time_point> claimed;
    };
    using Queue = std::map<Id, Waiting>;
    class Claim;
    struct Call {
        Id id;
        async::HeldExecutor executor;
    };
    /// The calls to be made without the mutex. Nearly always this is one claim to be posted.
    struct Calls {
        std::optional<Call> first;
        std::vector<Call> others;
        /// Waiters that no longer wait, to be completed with `reason`.
        std::vector<async::Waiter> failed;
        std::exception_ptr reason;
        std::function<void()> idle;
    };

    void enqueue(async::Waiter waiter);
    void cancel(Id id);
    void claim_runs(Id id);
    void claim_lost(Id id);
    void carry_out(Calls calls);

    // Precondition of the following: the mutex is held.
    void enable_cancellation(const async::Waiter& waiter, Id id);
    Calls advance() { return advance(doubt()); }
    Calls advance(bool late);
    bool doubt();
    std::optional<Call> claim_for(Queue::iterator& at);
    async::Waiter remove(Id id);
    std::vector<async::Waiter> remove_all();
    std::function<void()> idle_call() const;

    // Constant after construction, or before the first use.
    const std::function<Clock::time_point()> now_;
    std::function<void()> waits_;

    // Guarded by `mutex_`.
    mutable std::mutex mutex_;
    Queue queue_;     ///< waiters whose executors are believed to run
    Queue doubtful_;  ///< all other waiters
    Id next_id_ = 0;
    bool held_ = false;
    bool paused_ = false;
    std::exception_ptr refused_;           ///< the error of later calls
    std::exception_ptr doubtful_refused_;  ///< the error of doubtful waiters
    std::function<void()> idle_;
};

/// A holder of the writer lock, which the destructor releases at the latest.
class WriterLockGuard {
public:
    explicit WriterLockGuard(WriterLock& lock) : lock_(&lock) {}
    WriterLockGuard(WriterLockGuard&& other) noexcept : lock_(std::exchange(other.lock_, nullptr))
    {
    }
    WriterLockGuard& operator=(WriterLockGuard&&) = delete;
    ~WriterLockGuard() { release(); }

    void release()
    {
        if (WriterLock* const lock = std::exchange(lock_, nullptr)) {
            lock->release();
        }
    }

private:
    WriterLock* lock_;
};

}  // namespace keywatch::embedded
