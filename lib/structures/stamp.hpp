// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "workspace.hpp"

#include <keywatch/time.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// The end of every value that belongs to a user's key: its deadline, if it has one (8 bytes, a
/// number of microseconds), and one byte that tells whether it has.
namespace keywatch::structures {

/// A parsed stored value.
struct Stamped {
    std::string_view content;
    std::optional<Time> deadline;

    /// Returns true if it has expired, even if it has not been swept.
    bool expired(const Workspace& workspace) const
    {
        return deadline && *deadline <= workspace.now();
    }
};

/// Parses a stored value. Throws `Error::damaged` if it is malformed.
Stamped read_stamp(std::string_view stored);
void append_stamp(std::string& content, std::optional<Time> deadline);

/// Throws `Error::invalid_ttl`.
void check_ttl(std::chrono::milliseconds ttl);
/// Returns the deadline for a time to live. Throws `Error::invalid_ttl`.
Time deadline_after(const Workspace& workspace, std::chrono::milliseconds ttl);
/// Returns the remaining time, rounded up to the millisecond. Precondition: the deadline has not
/// passed.
std::chrono::milliseconds time_left(const Workspace& workspace, Time deadline);

}  // namespace keywatch::structures
