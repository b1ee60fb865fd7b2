// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

// What files of /proc say, parsed from their text: nothing here reads a file or a clock. Text of
// another form throws a std::runtime_error that quotes it.
namespace system_monitor {

/// Time since the start of the machine, in the kernel's ticks.
struct CpuTimes {
    std::uint64_t busy = 0;
    std::uint64_t total = 0;
};

/// /proc/stat. A core that is switched off is not there.
struct Cpus {
    CpuTimes all;
    std::map<unsigned, CpuTimes> cores;
};

/// /proc/meminfo, in kB.
struct Memory {
    std::uint64_t total = 0;
    std::uint64_t available = 0;
    std::uint64_t swap_total = 0;
    std::uint64_t swap_free = 0;
};

/// Bytes moved by a device since the start of the machine.
struct Traffic {
    std::uint64_t in = 0;
    std::uint64_t out = 0;
};

Cpus parse_stat(std::string_view text);
Memory parse_meminfo(std::string_view text);

/// The averages over 1, 5 and 15 minutes.
std::array<double, 3> parse_loadavg(std::string_view text);

/// /proc/diskstats: disks that have been used, without their partitions and without devices that
/// are made of other ones.
std::map<std::string, Traffic> parse_diskstats(std::string_view text);

/// /proc/net/dev: interfaces that have been used, without the loopback.
std::map<std::string, Traffic> parse_net_dev(std::string_view text);

}  // namespace system_monitor
