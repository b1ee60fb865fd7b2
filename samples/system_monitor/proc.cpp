// SPDX-License-Identifier: BSL-1.0
#include "proc.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace system_monitor {

namespace {

std::vector<std::string> lines_of(std::string_view text)
{
    std::istringstream in{std::string(text)};
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

/// The words of a line, read one after the other.
class Words {
public:
    explicit Words(const std::string& line) : line_(line), in_(line) {}

    template <class T>
    T next()
    {
        T value{};
        if (!(in_ >> value)) {
            throw std::runtime_error("unexpected text in /proc: " + line_);
        }
        return value;
    }

    std::uint64_t number() { return next<std::uint64_t>(); }
    std::string word() { return next<std::string>(); }

    void skip(int count)
    {
        for (; count > 0; --count) {
            word();
        }
    }

private:
    std::string line_;
    std::istringstream in_;
};

CpuTimes times_of(Words& words)
{
    // The columns are user nice system idle iowait irq softirq steal. Those after them are
    // contained in user and nice.
    CpuTimes times;
    for (int column = 0; column < 8; ++column) {
        const std::uint64_t ticks = words.number();
        const bool idle = column == 3 || column == 4;
        times.total += ticks;
        times.busy += idle ? 0 : ticks;
    }
    return times;
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/// Returns true for sda1 and sda, or nvme0n1p1 and nvme0n1.
bool is_partition_of(std::string_view name, std::string_view disk)
{
    if (disk.empty() || !name.starts_with(disk) || name.size() == disk.size()) {
        return false;
    }
    name.remove_prefix(disk.size());
    if (is_digit(disk.back())) {
        if (name.front() != 'p') {
            return false;
        }
        name.remove_prefix(1);
    }
    return !name.empty() && std::all_of(name.begin(), name.end(), is_digit);
}

bool is_made_of_others(std::string_view name)
{
    for (const std::string_view prefix : {"loop", "ram", "zram", "dm-", "md", "sr", "fd"}) {
        if (name.starts_with(prefix)) {
            return true;
        }
    }
    return false;
}

void erase_unused(std::map<std::string, Traffic>& devices)
{
    std::erase_if(devices,
                  [](const auto& entry) { return entry.second.in + entry.second.out == 0; });
}

}  // namespace

Cpus parse_stat(std::string_view text)
{
    Cpus cpus;
    bool found = false;
    for (const std::string& line : lines_of(text)) {
        if (!line.starts_with("cpu")) {
            continue;
        }
        Words words(line);
        const std::string name = words.word().substr(3);
        if (name.empty()) {
            cpus.all = times_of(words);
            found = true;
        } else {
            const unsigned core = Words(name).next<unsigned>();
            cpus.cores[core] = times_of(words);
        }
    }
    if (!found) {
        throw std::runtime_error("/proc/stat has no line of the cpu");
    }
    return cpus;
}

Memory parse_meminfo(std::string_view text)
{
    Memory memory;
    const std::map<std::string, std::uint64_t*> fields{{"MemTotal:", &memory.total},
                                                       {"MemAvailable:", &memory.available},
                                                       {"SwapTotal:", &memory.swap_total},
                                                       {"SwapFree:", &memory.swap_free}};
    for (const std::string& line : lines_of(text)) {
        Words words(line);
        const auto field = fields.find(words.word());
        if (field != fields.end()) {
            *field->second = words.number();
        }
    }
    if (memory.total == 0) {
        throw std::runtime_error("/proc/meminfo has no MemTotal");
    }
    return memory;
}

std::array<double, 3> parse_loadavg(std::string_view text)
{
    Words words{std::string(text)};
    std::array<double, 3> load{};
    for (double& average : load) {
        average = words.next<double>();
    }
    return load;
}

std::map<std::string, Traffic> parse_diskstats(std::string_view text)
{
    constexpr std::uint64_t sector = 512;  // in /proc, regardless of the sectors of the disk
    std::map<std::string, Traffic> disks;
    std::vector<std::string> names;
    for (const std::string& line : lines_of(text)) {
        Words words(line);
        words.skip(2);
        const std::string name = names.emplace_back(words.word());
        words.skip(2);
        const std::uint64_t read = words.number();
        words.skip(3);
        disks[name] = {read * sector, words.number() * sector};
    }
    std::erase_if(disks, [&](const auto& entry) {
        return is_made_of_others(entry.first) ||
               std::any_of(names.begin(), names.end(), [&](const std::string& disk) {
                   return is_partition_of(entry.first, disk);
               });
    });
    erase_unused(disks);
    return disks;
}

std::map<std::string, Traffic> parse_net_dev(std::string_view text)
{
    std::map<std::string, Traffic> interfaces;
    for (const std::string& line : lines_of(text)) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos) {
            continue;  // the two lines of headings
        }
        const std::string name = Words(line.substr(0, colon)).word();
        Words words(line.substr(colon + 1));
        const std::uint64_t received = words.number();
        words.skip(7);
        interfaces[name] = {received, words.number()};
    }
    interfaces.erase("lo");
    erase_unused(interfaces);
    return interfaces;
}

}  // namespace system_monitor
