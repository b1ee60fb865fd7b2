// SPDX-License-Identifier: BSL-1.0
#include "clock_text.hpp"
#include "display.hpp"
#include "figures.hpp"

#include <iostream>

namespace system_monitor {

namespace {

/// A display of one line for each commit. Each line is flushed, so that a reader receives it
/// immediately.
class PlainDisplay final : public Display {
public:
    void show(const keywatch::Commit& commit) override
    {
        std::cout << local_time(commit.time()) << " #" << commit.revision();
        for (const keywatch::Message& message : commit) {
            if (message.operation == keywatch::Operation::put) {
                std::cout << ' ' << message.key << '=' << message.value << unit_of(message.key);
            }
        }
        std::cout << std::endl;
    }

    void alert(const std::string&, bool, const std::string& text) override { note(text); }

    void note(const std::string& text) override { std::cout << text << std::endl; }

    void end(const std::string& text) override { note(text); }
};

}  // namespace

std::unique_ptr<Display> make_plain_display()
{
    return std::make_unique<PlainDisplay>();
}

}  // namespace system_monitor
