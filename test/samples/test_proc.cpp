// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "system_monitor/figures.hpp"
#include "system_monitor/proc.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

using namespace system_monitor;

namespace {

std::vector<std::string> names_of(const std::map<std::string, Traffic>& devices)
{
    std::vector<std::string> names;
    for (const auto& [name, traffic] : devices) {
        names.push_back(name);
    }
    return names;
}

void check_names(const std::map<std::string, Traffic>& devices, std::vector<std::string> expected)
{
    const std::vector<std::string> names = names_of(devices);
    BOOST_TEST(names == expected);
}

/// Returns a reading at this second with these processors; everything else is idle.
Reading reading(int second, const Cpus& cpus)
{
    Reading reading;
    reading.time = std::chrono::steady_clock::time_point{std::chrono::seconds{second}};
    reading.cpus = cpus;
    reading.memory = {1000, 750, 0, 0};
    return reading;
}

}  // namespace

// The figures that the sample `system_monitor` reads from /proc.
BOOST_AUTO_TEST_SUITE(test_proc)

BOOST_AUTO_TEST_CASE(a_processor_is_not_busy_while_it_idles_or_waits_for_a_disk)
{
    const Cpus cpus = parse_stat(
        "cpu  100 10 20 1000 50 3 4 5 90 9\n"
        "cpu0 60 10 20 500 50 3 4 5 90 9\n"
        "cpu12 40 0 0 500 0 0 0 0 0 0\n"
        "intr 12345 0 0\n");
    BOOST_TEST(cpus.all.total == 1192u);  // the time of guests is included in that of the user
    BOOST_TEST(cpus.all.busy == 142u);
    BOOST_TEST_REQUIRE(cpus.cores.size() == 2u);
    BOOST_TEST(cpus.cores.at(0).busy == 102u);
    BOOST_TEST(cpus.cores.at(12).busy == 40u);
    BOOST_TEST(cpus.cores.at(12).total == 540u);
}

BOOST_AUTO_TEST_CASE(memory_fields_are_found_by_name)
{
    const Memory memory = parse_meminfo(
        "MemTotal:       24684084 kB\nMemFree:        1 kB\nMemAvailable:   23244684 kB\n"
        "SwapCached:            7 kB\nSwapTotal:      2048 kB\nSwapFree:       1024 kB\n"
        "HugePages_Total:       0\n");
    BOOST_TEST(memory.total == 24684084u);
    BOOST_TEST(memory.available == 23244684u);
    BOOST_TEST(memory.swap_total == 2048u);
    BOOST_TEST(memory.swap_free == 1024u);
}

BOOST_AUTO_TEST_CASE(load_has_three_averages)
{
    const auto load = parse_loadavg("3.03 2.32 1.62 8/130 20462\n");
    BOOST_TEST(load[0] == 3.03);
    BOOST_TEST(load[1] == 2.32);
    BOOST_TEST(load[2] == 1.62);
}

BOOST_AUTO_TEST_CASE(disks_are_counted_without_partitions_and_layers_above_them)
{
    const std::string numbers = " 10 0 8 5 20 0 16 7 0 9 12 0 0 0 0 0 0\n";
    const auto disks = parse_diskstats(
        "   7       0 loop0" + numbers + "   8       0 sda" + numbers + "   8       1 sda1" +
        numbers + "   8      16 sdaa" + numbers + " 259       0 nvme0n1" + numbers +
        " 259       1 nvme0n1p1" + numbers + " 259       2 nvme0n12" + numbers +
        " 254       0 dm-0" + numbers + "   8      32 sdb 0 0 0 0 0 0 0 0 0 0 0\n");
    check_names(disks, {"nvme0n1", "nvme0n12", "sda", "sdaa"});
    BOOST_TEST(disks.at("sda").in == 8u * 512);
    BOOST_TEST(disks.at("sda").out == 16u * 512);
}

BOOST_AUTO_TEST_CASE(interfaces_are_counted_without_loopback_and_unused_ones)
{
    const auto interfaces = parse_net_dev(
        "Inter-|   Receive                            |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
        "    lo:    3267 29 0 0 0 0 0 0     3267 29 0 0 0 0 0 0\n"
        "  ifb0:       0 0 0 0 0 0 0 0        0 0 0 0 0 0 0 0\n"
        "  eth0:33345155 771 0 0 0 0 0 0    39227 470 0 0 0 0 0 0\n");
    check_names(interfaces, {"eth0"});
    BOOST_TEST(interfaces.at("eth0").in == 33345155u);
    BOOST_TEST(interfaces.at("eth0").out == 39227u);
}

BOOST_AUTO_TEST_CASE(text_of_another_form_is_refused)
{
    BOOST_CHECK_THROW(parse_stat(""), std::runtime_error);
    BOOST_CHECK_THROW(parse_stat("cpu  1 2 three\n"), std::runtime_error);
    BOOST_CHECK_THROW(parse_stat("cpu  1 2 3\n"), std::runtime_error);
    BOOST_CHECK_THROW(parse_meminfo("MemFree: 1 kB\n"), std::runtime_error);
    BOOST_CHECK_THROW(parse_loadavg("3.03 2.32"), std::runtime_error);
    BOOST_CHECK_THROW(parse_diskstats("8 0 sda 1\n"), std::runtime_error);
    BOOST_CHECK_THROW(parse_net_dev("eth0: 1 2\n"), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(figures_are_what_happened_between_two_readings)
{
    Reading before = reading(10, {{100, 1000}, {{0, {100, 1000}}}});
    Reading now = reading(12, {{150, 1200}, {{0, {150, 1200}}}});
    before.disks["sda"] = {1000, 500'000};
    now.disks["sda"] = {1000, 525'000};
    now.load = {0.5, 12.345, 3};
    const Figures expected{{"cpu", "25.0"},          {"cpu.0", "25.0"},
                           {"disk.sda.read", "0.0"}, {"disk.sda.written", "12.5"},
                           {"load.01", "0.50"},      {"load.05", "12.35"},
                           {"load.15", "3.00"},      {"memory", "25.0"}};
    const Figures figures = figures_between(before, now);
    BOOST_TEST(figures.size() == expected.size());
    for (const auto& [name, value] : expected) {
        BOOST_REQUIRE_MESSAGE(figures.contains(name), name);
        BOOST_TEST(figures.at(name) == value, name << " is " << figures.at(name));
    }
}

BOOST_AUTO_TEST_CASE(counters_that_decrease_or_do_not_change_yield_zero)
{
    Reading before = reading(10, {{100, 1000}, {}});
    before.interfaces["eth0"] = {5000, 5000};
    // This is the same moment: a division by the elapsed time must be avoided.
    Reading now = reading(10, {{90, 1000}, {}});
    now.interfaces["eth0"] = {10, 5000};
    const Figures figures = figures_between(before, now);
    BOOST_TEST(figures.at("cpu") == "0.0");
    BOOST_TEST(figures.at("net.eth0.in") == "0.0");
    BOOST_TEST(figures.at("net.eth0.out") == "0.0");
}

BOOST_AUTO_TEST_CASE(a_new_device_has_no_figure_yet)
{
    const Reading before = reading(10, {{1, 10}, {{0, {1, 10}}}});
    Reading now = reading(11, {{2, 20}, {{0, {2, 20}}, {1, {1'000'000, 2'000'000}}}});
    now.disks["sdb"] = {1'000'000, 1'000'000};
    const Figures figures = figures_between(before, now);
    BOOST_TEST(figures.contains("cpu.0"));
    BOOST_TEST(!figures.contains("cpu.1"));
    BOOST_TEST(!figures.contains("disk.sdb.read"));
}

BOOST_AUTO_TEST_CASE(names_of_cores_sort_as_their_numbers)
{
    Cpus cpus;
    for (unsigned core = 0; core < 11; ++core) {
        cpus.cores[core] = {};
    }
    const Figures figures = figures_between(reading(1, cpus), reading(2, cpus));
    BOOST_TEST(figures.contains("cpu.02"));
    BOOST_TEST(figures.contains("cpu.10"));
    BOOST_TEST(!figures.contains("cpu.2"));
}

BOOST_AUTO_TEST_SUITE_END()
