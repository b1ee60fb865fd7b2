// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace system_monitor {

/// Raised while the figure is above the limit.
struct AlertRule {
    std::string figure;
    double limit = 0;
};

/// What the command line asks for.
struct Settings {
    bool help = false;
    std::filesystem::path data;   ///< A directory: the database is in it, and by default the audit.
    std::filesystem::path audit;  ///< A file.
    std::optional<std::chrono::milliseconds> duration;
    std::chrono::milliseconds interval{500};
    std::vector<AlertRule> alerts;

    std::filesystem::path database() const { return data / "database"; }
};

/// The command line makes no sense; `what()` says why, to people.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

Settings parse_settings(int argc, const char* const* argv);

std::string help_text();

}  // namespace system_monitor
