// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "hub.hpp"

#include <keywatch/message.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace keywatch::watch {

/// What stands between commits in a watcher's stream: a commit of its own, with one message. It is
/// delivered as any commit; the position is `revision` then.
struct Marker {
    Operation operation = Operation::progress;
    /// Of a gap: the first revision that was left out; 0: `revision`.
    Revision first_revision = 0;
    Revision revision = 0;
    /// What comes before it: the position until it is delivered, if that is not further.
    Revision previous = 0;
    std::optional<std::uint64_t> count;
    Time time{};
};
SharedCommit make_marker(const Marker& marker);

/// Has a gap, null if there is none yet, stand for one more commit, of which so many messages are
/// left out. Precondition: there is nothing between it and the last one that is not left out.
void leave_out(std::unique_ptr<Marker>& gap, const CommitRecord& commit, std::size_t messages);

}  // namespace keywatch::watch
