// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "display.hpp"
#include "settings.hpp"

#include <keywatch/message.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace system_monitor {

/// An alert on one figure. Notifies the display when the figure crosses its limit, upwards and
/// back.
class Alert {
public:
    Alert(AlertRule rule, Display& display) : rule_(std::move(rule)), display_(&display) {}

    const std::string& figure() const { return rule_.figure; }

    /// Returns how often the alert was raised.
    std::uint64_t count() const { return count_; }

    void on_message(const keywatch::Message& message);

private:
    AlertRule rule_;
    Display* display_;
    bool raised_ = false;
    std::uint64_t count_ = 0;
};

}  // namespace system_monitor
