// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace system_monitor {

/// A block of lines that is redrawn in place, at the end of what the terminal already shows.
/// Earlier output stays, and so does the last drawing when the program ends or is killed.
class Screen {
public:
    struct Line {
        std::string text;  ///< UTF-8, one column for each character.
        bool bold = false;
    };

    struct Size {
        std::size_t rows = 24;
        std::size_t columns = 80;

        friend bool operator==(const Size&, const Size&) = default;
    };

    /// Returns the size that fits at the moment.
    static Size size();

    /// Draws the lines. Lines that are too long are cut off, and excess lines are omitted.
    void draw(const std::vector<Line>& lines);

private:
    Size drawn_in_;
    std::size_t drawn_lines_ = 0;
};

/// Returns true if the standard output is a terminal that can redraw.
bool has_screen();

/// Returns true if it shows characters beyond ASCII.
bool has_unicode();

}  // namespace system_monitor
