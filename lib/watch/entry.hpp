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

/// What is shown in place of the position `at`, as the subscriber is within the commit of that
/// revision, or the one after it: see Position::seen_of_next.
struct Within {
    Revision at = 0;
    Revision revision = 0;
    std::uint32_t seen = 0;  ///< 0: it is not
};

/// A commit for one subscriber.
struct Entry {
    SharedCommit commit;
    /// The places of its messages in the commit; empty: all of them.
    std::vector<std::uint32_t> selected;
    /// Of each of these the first revision that it stands for; empty: its own.
    std::vector<Revision> since = {};
    /// A bucket that the subscriber follows has ended here.
    bool loses = false;
    /// Once it is delivered so many messages of its commit have been seen, if not all: see
    /// Position::seen_of_next. Of what is about to be delivered.
    std::uint32_t seen = 0;
    /// Until it is delivered the position must not go beyond this, whatever was delivered: it, or
    /// one that comes later, stands for the next revision too.
    Revision hold = std::numeric_limits<Revision>::max();
    /// What the commit counts against the bytes that all inboxes may hold, if other inboxes have
    /// it too; only while it is in an inbox.
    std::shared_ptr<const CommonBytes> common = nullptr;

    std::size_t messages() const noexcept
    {
        return selected.empty() ? commit->messages.size() : selected.size();
    }
    /// Memory that it keeps alive, in bytes.
    std::size_t bytes() const noexcept { return commit->pinned_bytes() + bytes_of_lists(); }
    /// What of that is not counted by `common`.
    std::size_t own_bytes() const noexcept { return common ? bytes_of_lists() : bytes(); }
    std::size_t bytes_of_lists() const noexcept
    {
        return selected.capacity() * sizeof(selected[0]) + since.capacity() * sizeof(since[0]);
    }
    /// How far the position may be before it is delivered.
    Revision follows() const noexcept { return std::min(hold, commit->previous); }
};

/// Up to where everything has been delivered once the entry at this place has, and those before it.
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
