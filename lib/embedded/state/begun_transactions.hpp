// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <atomic>

namespace keywatch::engine {

/// Knows the revision of the newest transaction that has begun, so that who reads the clock and
/// then takes a snapshot can tell whether a commit behind it may have seen an earlier time.
///
/// That matters for deadlines. Such a commit may have given a key more time, or changed a list,
/// that was still there for it, while by the later time it is gone: a state without it, followed by
/// the commit, would be wrong.
class BegunTransactions {
public:
    /// Before the first transaction.
    void opened(Revision head) noexcept { newest_.store(head); }

    /// While a transaction on top of this head executes, before it looks at the clock.
    class Scope {
    public:
        Scope(BegunTransactions& begun, Revision head) noexcept
            : newest_(begun.newest_), head_(head)
        {
            newest_.store(head_ + 1);
            std::atomic_thread_fence(std::memory_order_seq_cst);
        }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        ~Scope()
        {
            if (!committed_) {
                newest_.store(head_);
            }
        }

        /// It has got its revision.
        void commit() noexcept { committed_ = true; }

    private:
        std::atomic<Revision>& newest_;
        const Revision head_;
        bool committed_ = false;
    };

    /// Whether all commits behind this revision see times that are not before any that the
    /// caller has been told. Any thread.
    bool none_behind(Revision revision) const noexcept
    {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        return newest_.load() <= revision;
    }

private:
    std::atomic<Revision> newest_{0};
};

}  // namespace keywatch::engine
