// SPDX-License-Identifier: BSL-1.0
#include "settings.hpp"

#include "figures.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <sstream>

namespace system_monitor {

namespace {

namespace po = boost::program_options;

/// Returns the default folder for persistent state, by the XDG Base Directory Specification.
std::filesystem::path default_data()
{
    const std::filesystem::path name = "keywatch/system_monitor";
    const char* state = std::getenv("XDG_STATE_HOME");
    if (state != nullptr && *state == '/') {
        return state / name;
    }
    const char* home = std::getenv("HOME");
    if (home != nullptr && *home == '/') {
        return home / std::filesystem::path(".local/state") / name;
    }
    return "system_monitor.data";
}

po::options_description described()
{
    po::options_description options("Options", 100, 70);
    auto add = options.add_options();
    add("data", po::value<std::string>()->value_name("DIR"),
        "where the database is kept (default: see below)");
    add("audit", po::value<std::string>()->value_name("FILE"),
        "the audit file, one JSON line for every commit (default DIR/audit.jsonl)");
    add("interval", po::value<long long>()->value_name("MS"),
        "milliseconds between two samples (default 500)");
    add("alert", po::value<std::vector<std::string>>()->value_name("'NAME>VALUE'"),
        "raise an alert while a figure is above a value; may be given several times "
        "(default cpu>90 and memory>90)");
    add("seconds", po::value<double>()->value_name("N"), "end by itself after N seconds");
    add("help", "show this text");
    return options;
}

/// Returns the names of this machine's figures, as computed from one reading and itself.
std::vector<std::string> known_figures()
{
    const Reading reading = read_proc();
    std::vector<std::string> names;
    for (const auto& [name, value] : figures_between(reading, reading)) {
        names.push_back(name);
    }
    return names;
}

std::string listed(const std::vector<std::string>& names)
{
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : " ") + name;
    }
    return text;
}

AlertRule parse_alert(const std::string& text)
{
    const std::size_t sign = text.find('>');
    const std::string_view value =
        std::string_view(text).substr(std::min(sign, text.size() - 1) + 1);
    AlertRule rule{text.substr(0, sign), 0};
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), rule.limit);
    if (sign == std::string::npos || sign == 0 || error != std::errc{} ||
        end != value.data() + value.size() || !std::isfinite(rule.limit)) {
        throw UsageError("--alert takes NAME>VALUE, as in 'cpu>90', not '" + text + "'");
    }
    const std::vector<std::string> names = known_figures();
    if (std::find(names.begin(), names.end(), rule.figure) == names.end()) {
        throw UsageError("--alert: this machine has no figure '" + rule.figure +
                         "'; it has: " + listed(names));
    }
    return rule;
}

std::chrono::milliseconds checked_interval(long long milliseconds)
{
    if (milliseconds < 10 || milliseconds > 3'600'000) {
        throw UsageError("--interval must be 10 to 3600000 milliseconds");
    }
    return std::chrono::milliseconds{milliseconds};
}

std::chrono::milliseconds checked_duration(double seconds)
{
    if (!(seconds > 0 && seconds <= 1e9)) {
        throw UsageError("--seconds must be above 0, and at most 1000000000");
    }
    return std::chrono::milliseconds{std::llround(seconds * 1000)};
}

std::filesystem::path checked_path(const po::variables_map& given, const char* option)
{
    const std::string& path = given[option].as<std::string>();
    if (path.empty()) {
        throw UsageError(std::string("--") + option + " must not be empty");
    }
    return path;
}

po::variables_map parse(int argc, const char* const* argv)
{
    using namespace po::command_line_style;
    po::variables_map given;
    try {
        const po::options_description options = described();
        po::command_line_parser parser(argc, argv);
        parser.options(options).positional({}).style(unix_style & ~allow_guessing & ~allow_short);
        po::store(parser.run(), given);
    } catch (const po::error& error) {
        throw UsageError(error.what());
    }
    return given;
}

}  // namespace

Settings parse_settings(int argc, const char* const* argv)
{
    const po::variables_map given = parse(argc, argv);
    Settings settings;
    settings.help = given.contains("help");
    settings.data = given.contains("data") ? checked_path(given, "data") : default_data();
    settings.audit =
        given.contains("audit") ? checked_path(given, "audit") : settings.data / "audit.jsonl";
    if (given.contains("interval")) {
        settings.interval = checked_interval(given["interval"].as<long long>());
    }
    if (given.contains("seconds")) {
        settings.duration = checked_duration(given["seconds"].as<double>());
    }
    std::vector<std::string> alerts{"cpu>90", "memory>90"};
    if (given.contains("alert")) {
        alerts = given["alert"].as<std::vector<std::string>>();
    }
    for (const std::string& alert : alerts) {
        settings.alerts.push_back(parse_alert(alert));
    }
    return settings;
}

std::string help_text()
{
    std::ostringstream text;
    text << "system_monitor [OPTION...]\n\n"
            "Samples this machine's figures, commits them to a keywatch database, and watches its\n"
            "own commits: a table (redrawn in place on a terminal, otherwise one line for each\n"
            "sample), alerts, and an audit file that has every commit exactly once, whatever\n"
            "happens to the program in between. Ctrl-C ends it.\n\n"
         << described() << "\nDIR is by default " << default_data().string()
         << "\n\nThe figures of this machine:\n ";
    for (const std::string& name : known_figures()) {
        text << ' ' << name;
    }
    text << "\ncpu, memory and swap are in percent, disk and net in kB/s.\n";
    return text.str();
}

}  // namespace system_monitor
