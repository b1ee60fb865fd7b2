// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace system_monitor {

/// Redraws a block of lines in place, at the end of what the terminal shows already: what was
/// printed before stays, and so does the last drawing when the program ends, or is killed.
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

    /// What fits at the moment.
    static Size size();

    /// Lines that are too long are cut off, and so are lines that are too many.
    void draw(const std::vector<Line>& lines);

private:
    Size drawn_in_;
    std::size_t drawn_lines_ = 0;
};

/// Whether the standard output is a terminal that can redraw.
bool has_screen();

/// Whether it shows characters beyond ASCII.
bool has_unicode();

}  // namespace system_monitor
