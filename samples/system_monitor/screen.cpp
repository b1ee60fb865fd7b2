// SPDX-License-Identifier: BSL-1.0
#include "screen.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace system_monitor {

namespace {

std::string_view environment(const char* name)
{
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

/// Returns the first `columns` characters. A byte 10xxxxxx continues the character before it.
std::string cut(const std::string& text, std::size_t columns)
{
    std::size_t at = 0;
    for (std::size_t shown = 0; at < text.size(); ++at) {
        const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
        if (begins && shown++ == columns) {
            break;
        }
    }
    return text.substr(0, at);
}

}  // namespace

Screen::Size Screen::size()
{
    winsize window{};
    Size size;
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 0 &&
        window.ws_col > 0) {
        size = {window.ws_row, window.ws_col};
    }
    size.rows -= size.rows > 1 ? 1 : 0;  // the cursor is below
    return size;
}

void Screen::draw(const std::vector<Line>& lines)
{
    const Size now = size();
    std::string out = "\r";
    if (drawn_lines_ > 0 && now != drawn_in_) {
        out += "\x1b[H\x1b[2J";  // the terminal may have wrapped lines: their places are unknown
    } else if (drawn_lines_ > 0) {
        out += "\x1b[" + std::to_string(drawn_lines_) + 'A';
    }
    const std::size_t count = std::min(lines.size(), now.rows);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string text = cut(lines[i].text, now.columns);
        out += (lines[i].bold ? "\x1b[1m" + text + "\x1b[0m" : text) + "\x1b[K\r\n";
    }
    std::cout << out << "\x1b[J" << std::flush;
    drawn_lines_ = count;
    drawn_in_ = now;
}

bool has_screen()
{
    return ::isatty(STDOUT_FILENO) == 1 && !environment("TERM").empty() &&
           environment("TERM") != "dumb";
}

bool has_unicode()
{
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string_view locale = environment(name);
        if (!locale.empty()) {
            return locale.find("UTF-8") != std::string_view::npos ||
                   locale.find("utf8") != std::string_view::npos;
        }
    }
    return false;
}

}  // namespace system_monitor
