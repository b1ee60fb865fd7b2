// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace system_monitor {

/// A rule for an alert, which is raised while the figure is above the limit.
struct AlertRule {
    std::string figure;
    double limit = 0;
};

/// The parsed command line.
struct Settings {
    bool help = false;
    std::filesystem::path data;   ///< The directory of the database and, by default, the audit.
    std::filesystem::path audit;  ///< The path of the audit file.
    std::optional<std::chrono::milliseconds> duration;
    std::chrono::milliseconds interval{500};
    std::vector<AlertRule> alerts;

    std::filesystem::path database() const { return data / "database"; }
};

/// The exception for an invalid command line. `what()` explains the reason to the user.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

Settings parse_settings(int argc, const char* const* argv);

std::string help_text();

}  // namespace system_monitor
