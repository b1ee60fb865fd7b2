// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <functional>

namespace [[gnu::visibility("default")]] keywatch {

/// The clock and unit of all times in keywatch: those of commits and the deadlines of keys.
using Time = std::chrono::sys_time<std::chrono::microseconds>;

/// A function that returns the current time. May be called from any thread and must not throw.
using Clock = std::function<Time()>;

}  // namespace keywatch
