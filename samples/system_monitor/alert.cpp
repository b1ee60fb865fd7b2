// SPDX-License-Identifier: BSL-1.0
#include "alert.hpp"

#include "clock_text.hpp"
#include "figures.hpp"

#include <cstdlib>
#include <sstream>

namespace system_monitor {

void Alert::on_message(const keywatch::Message& message)
{
    // A figure that has disappeared from the machine is above no limit.
    const bool there = message.operation == keywatch::Operation::put;
    const std::string value(message.value);
    const bool above = there && std::strtod(value.c_str(), nullptr) > rule_.limit;
    if (above == raised_) {
        return;
    }
    raised_ = above;
    count_ += above ? 1 : 0;
    std::ostringstream text;
    text << local_time(message.time) << (above ? " ALERT " : " ended ") << rule_.figure << ' '
         << (there ? value : "is gone") << (above ? " > " : ", limit ") << rule_.limit << ' '
         << unit_of(rule_.figure);
    display_->alert(rule_.figure, above, text.str());
}

}  // namespace system_monitor
