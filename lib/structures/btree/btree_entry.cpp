// SPDX-License-Identifier: BSL-1.0
#include "btree_entry.hpp"

#include "btree.hpp"

#include "structures/stamp.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <utility>

namespace keywatch::structures::btree {

namespace {

constexpr char plain = 0;
constexpr char dated = 1;

/// Returns true if a value ends like one with a deadline. Other values cost no more than this
/// check.
bool may_expire(std::string_view stored)
{
    return !stored.empty() && stored.back() == dated;
}

/// Stores a value and records one `put` message. `before` is the deadline of the replaced value.
void store(Workspace& workspace, BucketIndex bucket, std::string_view key, std::string_view value,
           std::optional<Time> before, std::optional<Time> deadline,
           std::optional<std::string_view> previous)
{
    std::string stored;
    stored.reserve(value.size() + 9);
    stored += value;
    append_stamp(stored, deadline);
    workspace.put(bucket, key, stored);
    workspace.move_deadline(bucket, key, before, deadline);
    Message message;
    message.operation = Operation::put;
    message.key = key;
    message.value = value;
    message.previous = previous;
    message.deadline = deadline;
    workspace.record(bucket, message);
}

}  // namespace

void require_key(std::string_view key)
{
    if (key.empty()) {
        fail(Error::empty_key);
    }
}

std::string_view user_value(std::string_view stored)
{
    if (!stored.empty() && stored.back() == plain) {
        stored.remove_suffix(1);
        return stored;
    }
    return read_stamp(stored).content;
}

void pass_expired(const Workspace& workspace, KeyIterator& iterator, bool forward)
{
    while (iterator.valid()) {
        const std::string_view stored = iterator.value();
        if (!may_expire(stored) || !read_stamp(stored).expired(workspace)) {
            return;
        }
        forward ? iterator.next() : iterator.previous();
    }
}

std::optional<Entry> load(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<std::string> stored = workspace.get(bucket, key);
    if (!stored) {
        return std::nullopt;
    }
    const Stamped stamped = read_stamp(*stored);
    stored->resize(stamped.content.size());
    return Entry{std::move(*stored), stamped.deadline};
}

std::optional<Entry> find(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<Entry> entry = load(workspace, bucket, key);
    if (entry && entry->deadline && *entry->deadline <= workspace.now()) {
        entry.reset();
    }
    return entry;
}

std::optional<Entry> find_to_write(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<Entry> entry = load(workspace, bucket, key);
    if (entry && entry->deadline && *entry->deadline <= workspace.now()) {
        remove(workspace, bucket, key, *entry, Cause::expired);
        entry.reset();
    }
    return entry;
}

void write(Workspace& workspace, BucketIndex bucket, std::string_view key, std::string_view value,
           const std::optional<Entry>& before, std::optional<Time> deadline)
{
    store(workspace, bucket, key, value, before ? before->deadline : std::nullopt, deadline,
          before ? std::optional<std::string_view>(before->value) : std::nullopt);
}

void overwrite(Workspace& workspace, BucketIndex bucket, std::string_view key,
               std::string_view value, std::optional<Time> deadline)
{
    const bool tells = workspace.records_previous();
    std::optional<Entry> before;
    if (tells || workspace.has_deadlines(bucket)) {
        before = find_to_write(workspace, bucket, key);
    }
    store(workspace, bucket, key, value, before ? before->deadline : std::nullopt, deadline,
          before && tells ? std::optional<std::string_view>(before->value) : std::nullopt);
}

void remove(Workspace& workspace, BucketIndex bucket, std::string_view key, const Entry& entry,
            Cause cause)
{
    workspace.erase(bucket, key);
    workspace.move_deadline(bucket, key, entry.deadline, std::nullopt);
    Message message;
    message.operation = Operation::erase;
    message.cause = cause;
    message.key = key;
    message.previous = entry.value;
    workspace.record(bucket, message);
}

}  // namespace keywatch::structures::btree
