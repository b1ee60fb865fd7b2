// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>

#include <string>

namespace system_monitor {

/// Returns `18:45:02`, in the local time zone.
std::string local_time(keywatch::Time time);

/// Returns `2026-01-31T17:45:02.123456Z`.
std::string utc_time(keywatch::Time time);

}  // namespace system_monitor
