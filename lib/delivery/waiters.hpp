// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/waiter_list.hpp"

#include <keywatch/position.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>

namespace keywatch::delivery {

/// The coroutines that wait until a watch is ready, has reached a revision, or has ended.
///
/// 1. The lists are created when the first coroutine waits, because an idle watch has to be small.
/// 2. A list that is created later is told what has happened before.
/// 3. Waiters are completed without the mutex held.
///
/// Thread safety: all members may be called from any thread.
class Waiters {
public:
    struct Lists {
        const std::shared_ptr<async::WaiterList> ready = std::make_shared<async::WaiterList>();
        const std::shared_ptr<async::WaiterList> ended = std::make_shared<async::WaiterList>();
        const std::shared_ptr<async::WaiterList> reached = std::make_shared<async::WaiterList>();

    private:
        friend class Waiters;
        /// The next revision at which the worker is woken for them, or 0 if none. Guarded by the
        /// mutex.
        Revision wake_at_ = 0;
    };

    /// `mutex` must outlive this object.
    explicit Waiters(std::mutex& mutex) : mutex_(mutex) {}

    /// Returns the lists, and creates them if needed.
    std::shared_ptr<Lists> lists();

    /// Completes those that wait until the watch is ready.
    void set_ready() noexcept;
    /// Completes all: the watch has ended, with this error if it is not null.
    void set_ended(const std::exception_ptr& error) noexcept;

    /// Must be called before a coroutine waits for a revision.
    void await_revisions() noexcept { awaited_.store(true); }
    /// Completes those that wait for this revision or a lower one. Called after the visible
    /// position has been raised.
    void reach(Revision revision) noexcept;

    /// Asks for a wake-up at this revision. Returns false if an earlier one is already on its way.
    bool ask_for_wake(Revision revision);
    /// Takes back what `ask_for_wake` has recorded.
    void wake_failed() noexcept;
    /// Returns the lowest revision after R (`routed`) that is waited for, or 0 if none, and records
    /// that a wake-up at this revision is on its way.
    Revision next_wake(Revision routed) noexcept;
    /// Returns true if a wake-up at this revision was asked for. Precondition: the mutex is held.
    bool wakes_at(Revision revision) const noexcept
    {
        return lists_ && lists_->wake_at_ == revision;
    }

private:
    enum class Phase : std::uint8_t { created, ready, ended };

    std::shared_ptr<Lists> known() const noexcept;
    void tell_end(const Lists& lists) const noexcept;

    std::mutex& mutex_;
    /// True once a coroutine waits for a revision. Sequentially consistent with the visible
    /// position: if a coroutine begins to wait while another thread moves the position, at least
    /// one of the two sees what the other has done.
    std::atomic<bool> awaited_{false};

    // Guarded by `mutex_`.
    Phase phase_ = Phase::created;
    std::exception_ptr error_;
    std::shared_ptr<Lists> lists_;
};

}  // namespace keywatch::delivery
