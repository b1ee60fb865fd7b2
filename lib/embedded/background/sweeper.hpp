// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "sweep.hpp"

#include "async/undelivered.hpp"
#include "async/worker_thread.hpp"
#include "embedded/monotonic_clock.hpp"
#include "storage/store.hpp"

#include <keywatch/position.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace keywatch::embedded {

namespace asio = boost::asio;

/// A background task that removes keys whose deadline has passed. It knows the earliest deadline.
/// When that has passed, it starts a coroutine that commits one `Sweep` after another.
///
/// The engine thread measures the time, because a timer of Asio would keep the event loop from
/// ending. It waits for the deadline, but at most `longest_wait`, because the clock may jump. While
/// no key has a deadline, it does not wait at all.
///
/// 1. `next_` is no later than any stored deadline, except while `find_next` or a sweep is running,
///    which restore this when they finish.
/// 2. New deadlines are after the time of their transaction, so they are never before the swept
///    ones.
///
/// Thread safety: all members may be called from any thread. The store and the clock must live as
/// long as the thread takes tasks.
class Sweeper final : public std::enable_shared_from_this<Sweeper>,
                      private async::Undelivered::Entry {
public:
    static constexpr std::chrono::milliseconds longest_wait{500};

    /// Commits a sweep. Fails like any commit.
    using Commit = std::function<asio::awaitable<Revision>(std::shared_ptr<Sweep>)>;

    /// Sweeps run on `executor`. They do not count as outstanding work on it while they are
    /// suspended. `owner` owns the store, the clock and the thread. It is kept alive while a sweep
    /// runs.
    Sweeper(const storage::Store& store, const MonotonicClock& clock, async::WorkerThread& thread,
            const asio::any_io_executor& executor, std::weak_ptr<void> owner, Commit commit);

    /// Starts sweeping, including what an earlier process has not finished. Call once, when commits
    /// are possible.
    void start() noexcept;
    /// Notes that a deadline was stored.
    void on_deadline(Time deadline) noexcept;
    /// Releases the executor. Called when the context is being destroyed and the thread has ended.
    void release_executor() noexcept { executor_ = asio::any_io_executor(); }

private:
    using SteadyTime = std::chrono::steady_clock::time_point;

    void lower(Time deadline) noexcept;
    Time take_next() noexcept { return next_.exchange(never); }
    /// Schedules a call of `on_timer`. If there is no memory for that, the call is scheduled as
    /// soon as there is.
    void arm(std::chrono::milliseconds least = std::chrono::milliseconds::zero()) noexcept;
    void try_arm(std::chrono::milliseconds least);
    bool deliver() noexcept override;
    void on_timer(std::uint64_t number);
    void find_next();
    void begin_sweep();
    void set_busy(bool busy);
    void stop();
    static asio::awaitable<void> sweep(std::shared_ptr<Sweeper> self, std::shared_ptr<void> owner);
    void swept(const std::exception_ptr& error);

    static constexpr Time never = Time::max();

    // Constant after construction, or thread-safe by itself.
    const storage::Store& store_;
    /// Read even after the store was closed.
    const std::shared_ptr<const std::atomic<bool>> store_failed_;
    const MonotonicClock& clock_;
    async::WorkerThread& thread_;
    asio::any_io_executor executor_;
    const std::weak_ptr<void> owner_;
    const Commit commit_;
    /// A deadline is stored before `on_deadline` looks here, and `find_next` reads the store after
    /// it has emptied this. The store's mutex orders the two, so one of them sees the other.
    std::atomic<Time> next_{never};

    // Guarded by `mutex_`.
    std::mutex mutex_;
    /// True while `find_next` or a sweep runs, after which the next timer is scheduled. Initially
    /// true, until `start` has run.
    bool busy_ = true;
    bool stopped_ = false;
    std::uint64_t timer_ = 0;  ///< the number of the newest timer; older ones are ignored
    std::optional<SteadyTime> armed_;
    std::shared_ptr<Sweeper> keep_;  ///< keeps this alive while there is no memory for a timer
    bool missed_ = false;            ///< true if `arm` was called meanwhile
};

}  // namespace keywatch::embedded
