// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

/// Which times there are: a clock of the user's may tell anything, but only these are stored.
namespace keywatch::bytes {

/// A time that is stored is at most so far from 1970, some 73 000 years. So the difference of two
/// stored times does not overflow. Any other one that is read is damage, and must not be written.
inline constexpr std::chrono::microseconds storable_range{std::int64_t{1} << 61};

/// The time of a database is at most so far from 1970, some 36 000 years: what is added to it, as
/// the time to live of a key, leads to a time that can be stored.
inline constexpr std::chrono::microseconds clock_range{std::int64_t{1} << 60};

constexpr bool is_storable(Time time) noexcept
{
    return time >= Time{-storable_range} && time <= Time{storable_range};
}

/// The nearest time that a database can have.
constexpr Time in_clock_range(Time time) noexcept
{
    return std::clamp(time, Time{-clock_range}, Time{clock_range});
}

}  // namespace keywatch::bytes
