// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "proc.hpp"

#include <array>
#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace system_monitor {

/// The name of the bucket that holds the figures.
inline constexpr std::string_view figures_bucket = "figures";

/// The figures of one moment by name, as readable text: `cpu` is `12.5`.
using Figures = std::map<std::string, std::string>;

/// Everything read from /proc at one moment. Most of it counts since the machine was started.
struct Reading {
    std::chrono::steady_clock::time_point time;
    Cpus cpus;
    Memory memory;
    std::array<double, 3> load{};
    std::map<std::string, Traffic> disks;
    std::map<std::string, Traffic> interfaces;
};

/// Reads the current contents of /proc.
Reading read_proc();

/// Returns the figures for the time between two readings. A device that only one of them has is
/// omitted.
Figures figures_between(const Reading& before, const Reading& now);

/// Returns a number as decimal text.
std::string decimal(double value, int decimals);

/// Returns `%`, `kB/s`, or an empty string.
std::string_view unit_of(std::string_view figure);

}  // namespace system_monitor
