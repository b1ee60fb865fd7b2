// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <cstdint>
#include <iosfwd>
#include <string_view>

namespace [[gnu::visibility("default")]] keywatch {

/// The reason why a watch ended in an expected way.
enum class EndReason : std::uint8_t {
    /// `stop()`, `request_stop()`, or a callback that returned `Flow::stop`.
    stopped,
    /// Asio cancellation of `run()`.
    cancelled,
    /// `close()`. Everything committed before it has been delivered, unless its timeout expired.
    database_closed,
    /// The last structure with the name of the watched bucket was deleted, and that message was
    /// delivered. If a new bucket of that name is created in the same commit, its messages are
    /// delivered to a watch `From::after` the position of this one.
    bucket_deleted,
    /// `drain()` or `request_drain()`. Everything committed before it has been delivered.
    drained,
};

/// Returns the name of the enumerator.
std::string_view to_string(EndReason reason) noexcept;
/// Writes the name of the enumerator.
std::ostream& operator<<(std::ostream& out, EndReason reason);

/// The result of `run()`.
struct WatchEnd {
    /// The reason of the end.
    EndReason reason = EndReason::stopped;
    /// The position of the last commit that was delivered whole or did not match; or a place within
    /// a commit, if the bucket of the watch ended there.
    Position position;
};

}  // namespace keywatch
