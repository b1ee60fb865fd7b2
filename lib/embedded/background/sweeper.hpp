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

namespace keywatch::engine {

namespace asio = boost::asio;

/// Sees to it that keys are removed once their time is over: knows the earliest deadline, and
/// starts a coroutine when it has come, which commits one `Sweep` after the other.
///
/// The engine thread tells the time, as a timer of Asio would keep the event loop from ending. It
/// waits for the deadline, but not longer than `longest_wait`, as the clock may jump; while no key
/// has a deadline it does not wait at all.
///
/// 1. `next_` is not after any deadline that is stored, but those that somebody looks at who will
///    put them back.
/// 2. New deadlines are after the time of their transaction, so never before what was swept.
///
/// Thread safety: all members, from any thread. The store and the clock must live as long as the
/// thread takes tasks.
class Sweeper final : public std::enable_shared_from_this<Sweeper>,
                      private async::Undelivered::Entry {
public:
    static constexpr std::chrono::milliseconds longest_wait{500};

    /// Commits what a sweep does. Fails as any commit.
    using Commit = std::function<asio::awaitable<Revision>(std::shared_ptr<Sweep>)>;

    /// `executor`: where sweeps run; nothing counts as work on it while they are suspended.
    /// `owner`: of store, clock and thread; kept while a sweep runs.
    Sweeper(const storage::Store& store, const MonotonicClock& clock, async::WorkerThread& thread,
            const asio::any_io_executor& executor, std::weak_ptr<void> owner, Commit commit);

    /// Once, when commits may be made: takes up what an earlier process has left.
    void start() noexcept;
    /// A deadline is stored.
    void note(Time deadline) noexcept;
    /// The context is being destroyed, and the thread has ended.
    void let_go() noexcept { executor_ = asio::any_io_executor(); }

private:
    using SteadyTime = std::chrono::steady_clock::time_point;

    void lower(Time deadline) noexcept;
    Time take() noexcept { return next_.exchange(never); }
    /// If there is no memory for that, as soon as there is.
    void arm(std::chrono::milliseconds least = std::chrono::milliseconds::zero()) noexcept;
    void try_arm(std::chrono::milliseconds least);
    bool deliver() noexcept override;
    void tick(std::uint64_t number);
    void look();
    void begin_sweep();
    void set_busy(bool busy);
    void stop();
    static asio::awaitable<void> sweep(std::shared_ptr<Sweeper> self, std::shared_ptr<void> owner);
    void swept(const std::exception_ptr& error);

    static constexpr Time never = Time::max();

    // Constant after construction, or thread-safe by itself.
    const storage::Store& store_;
    /// Asked for also when the store is closed.
    const std::shared_ptr<const std::atomic<bool>> store_failed_;
    const MonotonicClock& clock_;
    async::WorkerThread& thread_;
    asio::any_io_executor executor_;
    const std::weak_ptr<void> owner_;
    const Commit commit_;
    std::atomic<Time> next_{never};

    // Of the mutex.
    std::mutex mutex_;
    bool busy_ = true;  ///< somebody looks, and will arm it: at first, until it was started
    bool stopped_ = false;
    std::uint64_t ticks_ = 0;  ///< the number of the one that counts
    std::optional<SteadyTime> armed_;
    std::shared_ptr<Sweeper> keep_;  ///< while there is no memory to arm it
    bool missed_ = false;            ///< it was to be armed meanwhile
};

}  // namespace keywatch::engine
