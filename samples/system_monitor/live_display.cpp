// SPDX-License-Identifier: BSL-1.0
#include "clock_text.hpp"
#include "display.hpp"
#include "figures.hpp"
#include "screen.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <set>
#include <vector>

namespace system_monitor {

namespace {

constexpr std::size_t remembered_values = 60;
constexpr std::size_t remembered_notes = 5;

/// The data of one figure's row of the table, since the program began.
struct Row {
    std::string now;
    double lowest = 0;
    double highest = 0;
    std::deque<double> recent;

    void add(std::string_view value)
    {
        now = value;
        const double number = std::strtod(now.c_str(), nullptr);
        lowest = recent.empty() ? number : std::min(lowest, number);
        highest = recent.empty() ? number : std::max(highest, number);
        recent.push_back(number);
        if (recent.size() > remembered_values) {
            recent.pop_front();
        }
    }
};

/// Returns one character for each of the newest values. Percentages are scaled to 100, other values
/// to the highest one.
std::string curve(const Row& row, double full, std::size_t columns)
{
    static constexpr std::array<const char*, 8> blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static constexpr std::array<const char*, 8> ascii{"_", ".", ":", "-", "=", "+", "*", "#"};
    static const auto& characters = has_unicode() ? blocks : ascii;
    std::string text;
    for (std::size_t at = row.recent.size() - std::min(columns, row.recent.size());
         at < row.recent.size(); ++at) {
        const double part = full > 0 ? row.recent[at] / full : 0;
        text += characters[static_cast<std::size_t>(std::clamp(part * 8, 0.0, 7.0))];
    }
    return text;
}

/// Returns all columns except the curve, with fixed widths.
std::string cells(const std::string& name, const std::string& now, std::string_view unit,
                  const std::string& lowest, const std::string& highest)
{
    std::array<char, 256> text{};
    std::snprintf(text.data(), text.size(), "%-22s %10s %-4.*s %10s %10s   ", name.c_str(),
                  now.c_str(), static_cast<int>(unit.size()), unit.data(), lowest.c_str(),
                  highest.c_str());
    return text.data();
}

std::string line_of(const std::string& name, const Row& row, std::size_t columns)
{
    const std::string_view unit = unit_of(name);
    const int decimals = unit.empty() ? 2 : 1;
    const std::string text =
        cells(name, row.now, unit, decimal(row.lowest, decimals), decimal(row.highest, decimals));
    const double full = unit == "%" ? 100 : row.highest;
    return text + curve(row, full, columns - std::min(columns, text.size()));
}

class LiveDisplay final : public Display {
public:
    void show(const keywatch::Commit& commit) override
    {
        for (const keywatch::Message& message : commit) {
            const std::string name(message.key);
            if (message.operation == keywatch::Operation::put) {
                rows_[name].add(message.value);
            } else if (message.operation == keywatch::Operation::erase) {
                rows_.erase(name);
            }
        }
        title_ = "system_monitor   " + local_time(commit.time()) + "   commit " +
                 std::to_string(commit.revision()) + "   Ctrl-C ends";
        draw();
    }

    void alert(const std::string& figure, bool raised, const std::string& text) override
    {
        if (raised) {
            raised_.insert(figure);
        } else {
            raised_.erase(figure);
        }
        note(text);
    }

    void note(const std::string& text) override
    {
        if (rows_.empty()) {
            std::cout << text << std::endl;  // remains above the table
            return;
        }
        notes_.push_back(text);
        if (notes_.size() > remembered_notes) {
            notes_.pop_front();
        }
        draw();
    }

    /// Prints below the table, and below the "^C" that the terminal may show.
    void end(const std::string& text) override { std::cout << "\r\n" << text << std::endl; }

private:
    void draw()
    {
        const auto [height, width] = Screen::size();
        std::vector<Screen::Line> lines{
            {title_, true},
            {"", false},
            {"  " + cells("figure", "now", "", "lowest", "highest") + "recent", false}};
        const std::size_t notes = std::min(notes_.size(), height / 4);
        const std::size_t others = lines.size() + (notes > 0 ? notes + 1 : 0);
        add_rows(lines, height - std::min(height, others), width);
        if (notes > 0) {
            lines.push_back({"", false});
        }
        for (std::size_t at = notes_.size() - notes; at < notes_.size(); ++at) {
            lines.push_back({"  " + notes_[at], false});
        }
        screen_.draw(lines);
    }

    /// Adds as many rows as there is room for. If that is not all, the last line says so.
    void add_rows(std::vector<Screen::Line>& lines, std::size_t room, std::size_t width) const
    {
        const bool all = rows_.size() <= room;
        std::size_t left = all ? rows_.size() : room - std::min<std::size_t>(room, 1);
        for (auto row = rows_.begin(); left > 0; ++row, --left) {
            const bool raised = raised_.contains(row->first);
            const std::string text = line_of(row->first, row->second, width - 2);
            lines.push_back({(raised ? "! " : "  ") + text, raised});
        }
        if (!all) {
            lines.push_back({"  and more, on a higher terminal", false});
        }
    }

    Screen screen_;
    std::string title_;
    std::map<std::string, Row> rows_;
    std::set<std::string> raised_;
    std::deque<std::string> notes_;
};

}  // namespace

std::unique_ptr<Display> make_live_display()
{
    return std::make_unique<LiveDisplay>();
}

std::unique_ptr<Display> make_display()
{
    return has_screen() ? make_live_display() : make_plain_display();
}

}  // namespace system_monitor
