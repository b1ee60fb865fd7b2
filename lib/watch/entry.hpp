// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hub.hpp"
#include "shared_bytes.hpp"

#include <keywatch/position.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace keywatch::watch {

/// The public position of a subscriber that is within a commit. It replaces the internal position
/// `at`, which is the revision of that commit, or of the one before it. See Position::seen_of_next.
struct Within {
    Revision at = 0;
    Revision revision = 0;
    std::uint32_t seen = 0;  ///< 0: not within a commit
};

/// A commit for one subscriber.
struct Entry {
    SharedCommit commit;
    /// The places of the selected messages in the commit; empty: all of them.
    std::vector<std::uint32_t> selected;
    /// For each selected message the first revision that it stands for; empty: its own.
    std::vector<Revision> since = {};
    /// True if a bucket that the subscriber follows ended here.
    bool loses = false;
    /// Number of messages of the commit that have been seen once this entry is delivered; 0: all of
    /// them. See Position::seen_of_next. Set immediately before delivery.
    std::uint32_t seen = 0;
    /// The position must not exceed this before the entry is delivered: the entry, or a later one,
    /// also stands for the next revision.
    Revision hold = std::numeric_limits<Revision>::max();
    /// The commit's bytes in the limit of all inboxes, if other inboxes have the commit, too. Set
    /// only while the entry is in an inbox.
    std::shared_ptr<const CommonBytes> common = nullptr;

    std::size_t messages() const noexcept
    {
        return selected.empty() ? commit->messages.size() : selected.size();
    }
    /// Returns the memory that the entry keeps alive, in bytes.
    std::size_t bytes() const noexcept { return commit->pinned_bytes() + bytes_of_lists(); }
    /// Returns the part of that memory that `common` does not count.
    std::size_t own_bytes() const noexcept { return common ? bytes_of_lists() : bytes(); }
    std::size_t bytes_of_lists() const noexcept
    {
        return selected.capacity() * sizeof(selected[0]) + since.capacity() * sizeof(since[0]);
    }
    /// Returns the highest position possible before the entry is delivered.
    Revision follows() const noexcept { return std::min(hold, commit->previous); }

    /// Calls `out` with everything that tells two entries apart; for tests.
    template <class Out>
    void describe(Out out) const
    {
        const Message& first = commit->messages.front();
        out(commit->revision, commit->previous, commit->messages.size(), first.operation);
        out(first.first_revision, first.count.value_or(0), first.snapshot);
        out(loses, seen, hold, common != nullptr, selected.size());
        for (const std::uint32_t each : selected) {
            out(each);
        }
        out(since.size());
        for (const Revision each : since) {
            out(each);
        }
    }
};

/// Returns the revision up to which everything has been delivered once the entries up to and
/// including `at` have been delivered.
inline Revision through(const std::vector<Entry>& entries, std::size_t at)
{
    const Revision revision = entries[at].commit->revision;
    return at + 1 < entries.size() ? std::min(revision, entries[at + 1].follows()) : revision;
}

/// Returns the position once the entry at this place has been delivered; 0 if it stays where it
/// was, as the entry is a part of a snapshot, which has to be delivered whole.
inline Revision position_after(const std::vector<Entry>& entries, std::size_t at)
{
    return entries[at].commit->messages.front().snapshot ? 0 : through(entries, at);
}

}  // namespace keywatch::watch
