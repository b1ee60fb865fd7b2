// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

// Parsers for files of /proc. They parse text; nothing here reads a file or a clock. Text of
// another form throws a std::runtime_error that quotes it.
namespace system_monitor {

/// CPU time since the machine was started, in ticks of the kernel.
struct CpuTimes {
    std::uint64_t busy = 0;
    std::uint64_t total = 0;
};

/// The contents of /proc/stat. A core that is switched off is missing.
struct Cpus {
    CpuTimes all;
    std::map<unsigned, CpuTimes> cores;
};

/// The contents of /proc/meminfo, in kB.
struct Memory {
    std::uint64_t total = 0;
    std::uint64_t available = 0;
    std::uint64_t swap_total = 0;
    std::uint64_t swap_free = 0;
};

/// Bytes moved by a device since the machine was started.
struct Traffic {
    std::uint64_t in = 0;
    std::uint64_t out = 0;
};

Cpus parse_stat(std::string_view text);
Memory parse_meminfo(std::string_view text);

/// Returns the load averages over 1, 5 and 15 minutes.
std::array<double, 3> parse_loadavg(std::string_view text);

/// Parses /proc/diskstats: disks that have been used, without their partitions and without devices
/// that consist of other devices.
std::map<std::string, Traffic> parse_diskstats(std::string_view text);

/// Parses /proc/net/dev: interfaces that have been used, without the loopback.
std::map<std::string, Traffic> parse_net_dev(std::string_view text);

}  // namespace system_monitor
