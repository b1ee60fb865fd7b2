// SPDX-License-Identifier: BSL-1.0
#include "marker.hpp"

#include <memory>
#include <string_view>

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
    for (const std::string& each : marker.ended_buckets) {
        record->bytes += each;
    }
    std::string_view names = record->bytes;
    for (const std::string& each : marker.ended_buckets) {
        Message end;
        end.revision = marker.revision;
        end.index = static_cast<std::uint32_t>(record->messages.size());
        end.operation = Operation::bucket_deleted;
        end.ends_bucket = true;
        end.bucket = names.substr(0, each.size());
        names.remove_prefix(each.size());
        record->messages.push_back(end);
    }
    return record;
}

}  // namespace keywatch::watch
