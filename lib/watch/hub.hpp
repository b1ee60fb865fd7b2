// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "values/shared_commit.hpp"

#include <keywatch/position.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

namespace keywatch::watch {

using keywatch::Budget;
using keywatch::SharedCommit;

/// A ring of the newest commits, from the writers to the collector. If it is full, then the oldest
/// commits are overwritten. The collector detects that and reads them from history.
///
/// Thread safety: all members, from any thread.
class Hub {
public:
    explicit Hub(Budget budget) : budget_(budget) {}

    /// Appends the next commit. If commits between the newest one in the ring and this one were not
    /// appended, then the ring is emptied first. Returns true if the collector waits and must be
    /// woken (once per wait). If there is no memory for the commit, then it is recorded like one of
    /// `append_unseen`.
    bool append(SharedCommit commit) noexcept;

    /// Records a commit that is only in history, as if it and all commits before it had been
    /// overwritten.
    bool append_unseen(Revision revision) noexcept;

    struct Taken {
        std::vector<SharedCommit> commits;
        std::size_t messages = 0;
        std::size_t bytes = 0;
        /// If not 0, the commits after `after` up to this one were overwritten, and none were
        /// taken.
        Revision missing_up_to = 0;
    };
    /// Takes commits after `after`, within the budget. If there are none, and none are missing,
    /// then the collector counts as waiting from now on.
    Taken take(Revision after, Budget budget);

    /// Returns true if no commits wait to be taken.
    bool empty() const;

    struct Level {
        std::size_t commits = 0;
        std::size_t messages = 0;
        /// Number of commits that have been overwritten.
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
    Revision unseen_ = 0;  ///< newest commit that is only in history
    std::uint64_t overwritten_ = 0;
    bool waiting_ = false;
};

}  // namespace keywatch::watch
