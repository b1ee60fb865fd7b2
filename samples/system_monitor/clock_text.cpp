// SPDX-License-Identifier: BSL-1.0
#include "clock_text.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace system_monitor {

namespace {

std::string formatted(const std::tm& time, const char* format)
{
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), format, &time)};
}

}  // namespace

std::string local_time(keywatch::Time time)
{
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    return formatted(parts, "%H:%M:%S");
}

std::string utc_time(keywatch::Time time)
{
    const auto whole = std::chrono::floor<std::chrono::seconds>(time);
    const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 16> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%06dZ",
                  static_cast<int>((time - whole).count()));
    return formatted(parts, "%Y-%m-%dT%H:%M:%S") + fraction.data();
}

}  // namespace system_monitor
