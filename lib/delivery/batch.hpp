// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "watch/inbox.hpp"
#include "watch/wanted.hpp"

#include <cstddef>
#include <exception>
#include <optional>
#include <vector>

namespace keywatch::delivery {

/// The entries to deliver next, from the inbox, from history or from a snapshot, and how many of
/// them have been delivered.
struct Batch {
    std::vector<watch::Entry> entries;
    /// The commit of history that ended a bucket. Null if none did.
    SharedCommit ends_bucket = nullptr;
    /// The exception with which the watch ends once the entries have been delivered: what the
    /// predicate threw, or `Compacted`.
    std::exception_ptr error = nullptr;

    std::size_t next = 0;
    /// The messages of the next entry that pass the predicate, if its delivery has begun, and for
    /// how many of them the callback has returned.
    std::optional<watch::Wanted> begun = {};
    std::size_t messages = 0;

    void clear() noexcept
    {
        entries.clear();
        ends_bucket.reset();
        error = nullptr;
        next = 0;
        begun.reset();
        messages = 0;
    }
};

}  // namespace keywatch::delivery
