// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "structures/workspace.hpp"

#include <keywatch/time.hpp>

#include <optional>
#include <string>
#include <string_view>

/// The building blocks of the operations of BTree buckets.
namespace keywatch::structures::btree {

struct Entry {
    std::string value;
    std::optional<Time> deadline;
};

/// Returns the entry even if it has expired.
std::optional<Entry> load(const Workspace& workspace, BucketIndex bucket, std::string_view key);
/// Returns the entry that a reader sees.
std::optional<Entry> find(const Workspace& workspace, BucketIndex bucket, std::string_view key);
/// Returns the entry that a writer sees. Removes it if it has expired.
std::optional<Entry> find_to_write(Workspace& workspace, BucketIndex bucket, std::string_view key);
/// Stores a value in the place of `before`. Records one `put` message, with what it replaces.
void write(Workspace& workspace, BucketIndex bucket, std::string_view key, std::string_view value,
           const std::optional<Entry>& before, std::optional<Time> deadline);
/// Stores a value, whatever the key contains. Reads the existing entry only if a key of the bucket
/// has ever had a deadline, which is then moved, or if previous values are recorded. Only in the
/// latter case the message contains the previous value.
void overwrite(Workspace& workspace, BucketIndex bucket, std::string_view key,
               std::string_view value, std::optional<Time> deadline);
/// Removes an existing entry. Records one `erase` message.
void remove(Workspace& workspace, BucketIndex bucket, std::string_view key, const Entry& entry,
            Cause cause);

/// Throws `Error::empty_key`.
void require_key(std::string_view key);

}  // namespace keywatch::structures::btree
