// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hub.hpp"

#include <keywatch/message.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace keywatch::watch {

/// A marker in a watcher's stream: a commit of its own with one message. It is delivered like any
/// commit, and the position is then `revision`.
struct Marker {
    Operation operation = Operation::progress;
    /// For a gap: the first revision that was skipped; 0: same as `revision`.
    Revision first_revision = 0;
    Revision revision = 0;
    /// The revision before the marker: the position until it is delivered, if it is not higher
    /// already.
    Revision previous = 0;
    std::optional<std::uint64_t> count;
    Time time{};
};
SharedCommit make_marker(const Marker& marker);

/// Extends a gap (creates it if null) by a commit of which this many messages are skipped.
/// Precondition: every message between the gap and this commit is skipped.
void leave_out(std::unique_ptr<Marker>& gap, const CommitRecord& commit, std::size_t messages);

}  // namespace keywatch::watch
