// SPDX-License-Identifier: BSL-1.0
#include "btree.hpp"
#include "btree_entry.hpp"

#include "structures/stamp.hpp"

// Keys with a time to live.
namespace keywatch::structures::btree {

namespace {

void change_deadline(Workspace& workspace, BucketIndex bucket, std::string_view key,
                     const Entry& entry, std::optional<Time> deadline)
{
    std::string stored = entry.value;
    append_stamp(stored, deadline);
    workspace.put(bucket, key, stored);
    workspace.move_deadline(bucket, key, entry.deadline, deadline);
    Message message;
    message.operation = Operation::ttl;
    message.key = key;
    message.deadline = deadline;
    workspace.record(bucket, message);
}

}  // namespace

void put(Workspace& workspace, BucketIndex bucket, std::string_view key, std::string_view value,
         std::chrono::milliseconds ttl)
{
    require_key(key);
    const Time deadline = deadline_after(workspace, ttl);
    overwrite(workspace, bucket, key, value, deadline);
}

bool put_if_absent(Workspace& workspace, BucketIndex bucket, std::string_view key,
                   std::string_view value, std::chrono::milliseconds ttl)
{
    require_key(key);
    const Time deadline = deadline_after(workspace, ttl);
    const bool absent = !find_to_write(workspace, bucket, key);
    if (absent) {
        write(workspace, bucket, key, value, std::nullopt, deadline);
    }
    return absent;
}

bool expire(Workspace& workspace, BucketIndex bucket, std::string_view key, Time deadline)
{
    const std::optional<Entry> entry = load(workspace, bucket, key);
    if (!entry || entry->deadline != deadline || deadline > workspace.now()) {
        return false;
    }
    remove(workspace, bucket, key, *entry, Cause::expired);
    return true;
}

bool set_ttl(Workspace& workspace, BucketIndex bucket, std::string_view key,
             std::chrono::milliseconds ttl)
{
    const Time deadline = deadline_after(workspace, ttl);
    const std::optional<Entry> entry = find_to_write(workspace, bucket, key);
    if (entry && entry->deadline != deadline) {
        change_deadline(workspace, bucket, key, *entry, deadline);
    }
    return entry.has_value();
}

bool clear_ttl(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    const std::optional<Entry> entry = find_to_write(workspace, bucket, key);
    if (!entry || !entry->deadline) {
        return false;
    }
    change_deadline(workspace, bucket, key, *entry, std::nullopt);
    return true;
}

std::optional<std::chrono::milliseconds> ttl(const Workspace& workspace, BucketIndex bucket,
                                             std::string_view key)
{
    const std::optional<Entry> entry = find(workspace, bucket, key);
    return entry && entry->deadline ? std::optional(time_left(workspace, *entry->deadline))
                                    : std::nullopt;
}

}  // namespace keywatch::structures::btree
