// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "workspace.hpp"

#include <keywatch/time.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// The end of every value that belongs to a user's key: its deadline, if it has one (8 bytes, as a
/// number of microseconds), and one byte that says whether it has.
namespace keywatch::structures {

/// A stored value, taken apart.
struct Stamped {
    std::string_view content;
    std::optional<Time> deadline;

    /// Whether it counts as gone, swept or not.
    bool expired(const Workspace& workspace) const
    {
        return deadline && *deadline <= workspace.now();
    }
};

/// Throws `Error::damaged` if it is not one.
Stamped read_stamp(std::string_view stored);
void append_stamp(std::string& content, std::optional<Time> deadline);

/// Throws `Error::invalid_ttl`.
void check_ttl(std::chrono::milliseconds ttl);
/// From a time to live; throws `Error::invalid_ttl`.
Time deadline_after(const Workspace& workspace, std::chrono::milliseconds ttl);
/// The time that is left, rounded up to the millisecond, of what has not expired.
std::chrono::milliseconds time_left(const Workspace& workspace, Time deadline);

}  // namespace keywatch::structures
