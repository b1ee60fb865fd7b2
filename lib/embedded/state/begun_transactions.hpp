// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <atomic>

namespace keywatch::embedded {

/// Tracks the newest transaction that has started. A reader that reads the clock and then takes a
/// snapshot uses it to check whether any commit after the snapshot may have run at an earlier time.
///
/// This matters for deadlines. Such a commit may have extended the deadline of a key, or changed a
/// list, that still existed at the earlier time but has expired at the time that the reader saw. A
/// state without the key, followed by the commit, would be wrong.
///
/// The transaction stores its revision here and then reads the clock. The reader reads the clock
/// and then looks here. Each has a fence in between, because the accesses are to two atomics, and
/// all of them are relaxed: without the fences, both could miss what the other one has done. With
/// them, either the reader sees the transaction, or the transaction sees at least the reader's
/// time.
class BegunTransactions {
public:
    /// Sets the head. Call before the first transaction.
    void opened(Revision head) noexcept { newest_.store(head, std::memory_order_relaxed); }

    /// A scope in which a transaction on top of this head executes. Entered before it reads the
    /// clock.
    class Scope {
    public:
        Scope(BegunTransactions& begun, Revision head) noexcept
            : newest_(begun.newest_), head_(head)
        {
            newest_.store(head_ + 1, std::memory_order_relaxed);
            // Before the transaction reads the clock. Pairs with the fence in none_after().
            std::atomic_thread_fence(std::memory_order_seq_cst);
        }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        ~Scope()
        {
            if (!committed_) {
                newest_.store(head_, std::memory_order_relaxed);
            }
        }

        /// Notes that the transaction has received its revision.
        void commit() noexcept { committed_ = true; }

    private:
        std::atomic<Revision>& newest_;
        const Revision head_;
        bool committed_ = false;
    };

    /// Returns true if no commit after this revision sees a time before one that the caller has
    /// read from the clock. May be called from any thread.
    bool none_after(Revision revision) const noexcept
    {
        // After the caller has read the clock. Pairs with the fence in Scope::Scope().
        std::atomic_thread_fence(std::memory_order_seq_cst);
        return newest_.load(std::memory_order_relaxed) <= revision;
    }

private:
    std::atomic<Revision> newest_{0};
};

}  // namespace keywatch::embedded
