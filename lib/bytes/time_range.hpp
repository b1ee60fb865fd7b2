// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

/// The range of times that are stored. A clock of the user may return any time.
namespace keywatch::bytes {

/// The maximum distance of a stored time from 1970, some 73 000 years. The difference of two stored
/// times does not overflow. A time outside of this range must not be written; if one is read, the
/// database is damaged.
inline constexpr std::chrono::microseconds storable_range{std::int64_t{1} << 61};

/// The maximum distance of the time of a database from 1970, some 36 000 years. If something is
/// added to it, such as the time to live of a key, the result can still be stored.
inline constexpr std::chrono::microseconds clock_range{std::int64_t{1} << 60};

constexpr bool is_storable(Time time) noexcept
{
    return time >= Time{-storable_range} && time <= Time{storable_range};
}

/// Returns the nearest time that a database can have.
constexpr Time in_clock_range(Time time) noexcept
{
    return std::clamp(time, Time{-clock_range}, Time{clock_range});
}

}  // namespace keywatch::bytes
