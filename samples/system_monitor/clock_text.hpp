// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>

#include <string>

namespace system_monitor {

/// `18:45:02`, where the user is.
std::string local_time(keywatch::Time time);

/// `2026-01-31T17:45:02.123456Z`.
std::string utc_time(keywatch::Time time);

}  // namespace system_monitor
