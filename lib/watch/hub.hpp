// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace keywatch::watch {

using SharedCommit = std::shared_ptr<const CommitRecord>;

/// A number of messages and of bytes that something may hold. A single commit always passes.
struct Budget {
    std::size_t messages = 0;
    std::size_t bytes = 0;

    bool allows(std::size_t more_messages, std::size_t more_bytes) const noexcept
    {
        return more_messages <= messages && more_bytes <= bytes;
    }
};

/// The newest commits, from the writers to the collector: a ring. When it is full, the oldest are
/// overwritten; the collector finds that out, and reads them from history.
///
/// Thread safety: all members, from any thread.
class Hub {
public:
    explicit Hub(Budget budget) : budget_(budget) {}

    /// Adds the next commit, and forgets all before it if some in between were not added. True if
    /// the collector waits, and must be woken: once per wait.
    /// Without memory for it, as append_unseen.
    bool append(SharedCommit commit) noexcept;

    /// The same of a commit that is only in history: as if it and all before it were overwritten.
    bool append_unseen(Revision revision) noexcept;

    struct Taken {
        std::vector<SharedCommit> commits;
        std::size_t messages = 0;
        std::size_t bytes = 0;
        /// If not 0: the commits up to here, from `after` on, were overwritten; none were taken.
        Revision missing_up_to = 0;
    };
    /// Takes commits behind `after`, within the budget. If it gives nothing at all, the collector
    /// is taken to wait from now on.
    Taken take(Revision after, Budget budget);

    /// Whether commits wait to be taken.
    bool empty() const;

    struct Level {
        std::size_t commits = 0;
        std::size_t messages = 0;
        /// How many have been overwritten so far.
        std::uint64_t overwritten = 0;
    };
    Level level() const;

private:
    bool add(SharedCommit commit) noexcept;
    void drop_oldest() noexcept;
    void drop_all() noexcept;

    const Budget budget_;
    mutable std::mutex mutex_;
    std::deque<SharedCommit> ring_;
    std::size_t messages_ = 0;
    std::size_t bytes_ = 0;
    Revision unseen_ = 0;  ///< the newest of those that are only in history
    std::uint64_t overwritten_ = 0;
    bool waiting_ = false;
};

}  // namespace keywatch::watch
