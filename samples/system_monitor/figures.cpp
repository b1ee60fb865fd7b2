// SPDX-License-Identifier: BSL-1.0
#include "figures.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>

namespace system_monitor {

namespace {

std::string text_of(const char* name)
{
    std::ifstream file(name);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Returns the growth of a counter, or 0 if it went backwards: a device was unplugged and plugged
/// in again, or a tick was accounted differently.
double growth(std::uint64_t before, std::uint64_t now)
{
    return now > before ? static_cast<double>(now - before) : 0;
}

std::string percent(double part, double whole)
{
    return decimal(whole > 0 ? std::min(100.0, 100 * part / whole) : 0, 1);
}

std::string busy_between(const CpuTimes& before, const CpuTimes& now)
{
    return percent(growth(before.busy, now.busy), growth(before.total, now.total));
}

/// Returns the name of a core's figure. Core numbers have the same width, so that the order of the
/// names is that of the cores.
std::string name_of_core(unsigned core, unsigned last)
{
    const std::string number = std::to_string(core);
    return "cpu." + std::string(std::to_string(last).size() - number.size(), '0') + number;
}

void add_cpus(Figures& figures, const Cpus& before, const Cpus& now)
{
    figures["cpu"] = busy_between(before.all, now.all);
    for (const auto& [core, times] : now.cores) {
        const auto old = before.cores.find(core);
        if (old != before.cores.end()) {
            const std::string name = name_of_core(core, now.cores.rbegin()->first);
            figures[name] = busy_between(old->second, times);
        }
    }
}

void add_memory(Figures& figures, const Memory& memory)
{
    figures["memory"] =
        percent(growth(memory.available, memory.total), static_cast<double>(memory.total));
    if (memory.swap_total > 0) {
        figures["swap"] = percent(growth(memory.swap_free, memory.swap_total),
                                  static_cast<double>(memory.swap_total));
    }
}

void add_load(Figures& figures, const std::array<double, 3>& load)
{
    figures["load.01"] = decimal(load[0], 2);
    figures["load.05"] = decimal(load[1], 2);
    figures["load.15"] = decimal(load[2], 2);
}

struct Directions {
    const char* in;
    const char* out;
};

void add_traffic(Figures& figures, const std::string& kind, const Directions& directions,
                 const std::map<std::string, Traffic>& before,
                 const std::map<std::string, Traffic>& now, double seconds)
{
    const auto rate = [&](std::uint64_t old, std::uint64_t counter) {
        return decimal(seconds > 0 ? growth(old, counter) / 1000 / seconds : 0, 1);
    };
    for (const auto& [device, traffic] : now) {
        const auto old = before.find(device);
        if (old != before.end()) {
            const std::string name = kind + '.' + device + '.';
            figures[name + directions.in] = rate(old->second.in, traffic.in);
            figures[name + directions.out] = rate(old->second.out, traffic.out);
        }
    }
}

}  // namespace

Reading read_proc()
{
    Reading reading;
    reading.time = std::chrono::steady_clock::now();
    reading.cpus = parse_stat(text_of("/proc/stat"));
    reading.memory = parse_meminfo(text_of("/proc/meminfo"));
    reading.load = parse_loadavg(text_of("/proc/loadavg"));
    // These two may be missing in a container. Then they have no figures.
    reading.disks = parse_diskstats(text_of("/proc/diskstats"));
    reading.interfaces = parse_net_dev(text_of("/proc/net/dev"));
    return reading;
}

Figures figures_between(const Reading& before, const Reading& now)
{
    const double seconds = std::chrono::duration<double>(now.time - before.time).count();
    Figures figures;
    add_cpus(figures, before.cpus, now.cpus);
    add_memory(figures, now.memory);
    add_load(figures, now.load);
    add_traffic(figures, "disk", {"read", "written"}, before.disks, now.disks, seconds);
    add_traffic(figures, "net", {"in", "out"}, before.interfaces, now.interfaces, seconds);
    return figures;
}

std::string decimal(double value, int decimals)
{
    std::array<char, 512> text{};
    std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
    return text.data();
}

std::string_view unit_of(std::string_view figure)
{
    if (figure.starts_with("load")) {
        return "";
    }
    return figure.starts_with("disk") || figure.starts_with("net") ? "kB/s" : "%";
}

}  // namespace system_monitor
