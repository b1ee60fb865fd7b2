// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "proc.hpp"

#include <array>
#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace system_monitor {

/// The bucket that holds them.
inline constexpr std::string_view figures_bucket = "figures";

/// The figures of one moment by their names, as text that people can read: `cpu` is `12.5`.
using Figures = std::map<std::string, std::string>;

/// All that was read from /proc at one moment. Most of it counts since the start of the machine.
struct Reading {
    std::chrono::steady_clock::time_point time;
    Cpus cpus;
    Memory memory;
    std::array<double, 3> load{};
    std::map<std::string, Traffic> disks;
    std::map<std::string, Traffic> interfaces;
};

/// Reads /proc now.
Reading read_proc();

/// What happened between two readings. A device that only one of them has gives no figure.
Figures figures_between(const Reading& before, const Reading& now);

/// A number as people write it.
std::string decimal(double value, int decimals);

/// `%`, `kB/s`, or nothing.
std::string_view unit_of(std::string_view figure);

}  // namespace system_monitor
