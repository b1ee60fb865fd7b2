// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "structures/workspace.hpp"

#include <keywatch/time.hpp>

#include <optional>
#include <string>
#include <string_view>

/// What the operations of BTree buckets are made of.
namespace keywatch::structures::btree {

struct Entry {
    std::string value;
    std::optional<Time> deadline;
};

/// Expired ones too.
std::optional<Entry> load(const Workspace& workspace, BucketIndex bucket, std::string_view key);
/// What is there for a reader.
std::optional<Entry> find(const Workspace& workspace, BucketIndex bucket, std::string_view key);
/// The same for a writer: removes what has expired.
std::optional<Entry> find_to_write(Workspace& workspace, BucketIndex bucket, std::string_view key);
/// Stores a value in the place of `before`: one `put` message, with what it replaces.
void write(Workspace& workspace, BucketIndex bucket, std::string_view key, std::string_view value,
           const std::optional<Entry>& before, std::optional<Time> deadline);
/// Stores a value, whatever is there. It only looks where a key has ever had a deadline, which is
/// then moved, or where previous values are to be recorded; only then the message has one.
void overwrite(Workspace& workspace, BucketIndex bucket, std::string_view key,
               std::string_view value, std::optional<Time> deadline);
/// Removes what is there: one `erase` message.
void remove(Workspace& workspace, BucketIndex bucket, std::string_view key, const Entry& entry,
            Cause cause);

/// Throws `Error::empty_key`.
void require_key(std::string_view key);

}  // namespace keywatch::structures::btree
