// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <functional>

namespace [[gnu::visibility("default")]] keywatch {

/// The one clock and unit of everything that keywatch dates: commits, and the deadlines of keys.
using Time = std::chrono::sys_time<std::chrono::microseconds>;

/// What tells the time. It may be called from any thread, and must not throw.
using Clock = std::function<Time()>;

}  // namespace keywatch
