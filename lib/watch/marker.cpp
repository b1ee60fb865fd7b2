// SPDX-License-Identifier: BSL-1.0
#include "marker.hpp"

#include <memory>

namespace keywatch::watch {

SharedCommit make_marker(const Marker& marker)
{
    auto record = std::make_shared<CommitRecord>();
    record->revision = marker.revision;
    record->previous = marker.previous;
    record->time = marker.time;
    Message message;
    message.revision = marker.revision;
    message.first_revision = marker.first_revision;
    message.operation = marker.operation;
    message.count = marker.count;
    message.time = marker.time;
    record->messages.push_back(message);
    return record;
}

}  // namespace keywatch::watch
