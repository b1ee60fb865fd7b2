// SPDX-License-Identifier: BSL-1.0
#include "marker.hpp"

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

void leave_out(std::unique_ptr<Marker>& gap, const CommitRecord& commit, std::size_t messages)
{
    if (!gap) {
        gap = std::make_unique<Marker>();
        gap->operation = Operation::gap;
        gap->first_revision = commit.revision;
        gap->previous = commit.previous;
        gap->count = 0;
    }
    gap->revision = commit.revision;
    gap->time = commit.time;
    *gap->count += messages;
}

}  // namespace keywatch::watch
