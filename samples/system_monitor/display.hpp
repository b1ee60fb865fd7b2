// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>

#include <memory>
#include <string>

namespace system_monitor {

/// The user interface: shows the commits of the figures, the alerts, and other notes.
class Display {
public:
    Display() = default;
    Display(const Display&) = delete;
    Display& operator=(const Display&) = delete;
    virtual ~Display() = default;

    virtual void show(const keywatch::Commit& commit) = 0;

    /// Shows that an alert on this figure was raised or has ended.
    virtual void alert(const std::string& figure, bool raised, const std::string& text) = 0;

    virtual void note(const std::string& text) = 0;

    /// Shows the last text of the program.
    virtual void end(const std::string& text) = 0;
};

/// Creates a display of one line for each commit, for files, pipes and journals.
std::unique_ptr<Display> make_plain_display();

/// Creates a display of a table that is redrawn in place.
std::unique_ptr<Display> make_live_display();

/// Creates the display that suits the standard output.
std::unique_ptr<Display> make_display();

}  // namespace system_monitor
