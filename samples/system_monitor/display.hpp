// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>

#include <memory>
#include <string>

namespace system_monitor {

/// Shows people the commits of the figures, the alerts, and what else they should know.
class Display {
public:
    Display() = default;
    Display(const Display&) = delete;
    Display& operator=(const Display&) = delete;
    virtual ~Display() = default;

    virtual void show(const keywatch::Commit& commit) = 0;

    /// An alert on this figure is raised, or is over.
    virtual void alert(const std::string& figure, bool raised, const std::string& text) = 0;

    virtual void note(const std::string& text) = 0;

    /// The last thing that is shown.
    virtual void end(const std::string& text) = 0;
};

/// One line for each commit, for files, pipes and journals.
std::unique_ptr<Display> make_plain_display();

/// A table that is redrawn in place.
std::unique_ptr<Display> make_live_display();

/// The one that suits the standard output.
std::unique_ptr<Display> make_display();

}  // namespace system_monitor
