// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "structures/workspace.hpp"

#include <keywatch/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// BTree buckets: each key of the key space is a user's key, unchanged. The value is the user's
/// value followed by a stamp (stamp.hpp).
///
/// 1. Readers do not see a key that has expired. A writer removes it first, with the message that
///    the sweep would have recorded.
/// 2. A function that stores a new value sets the deadline passed to it, or none. A function that
///    modifies the value keeps its deadline.
namespace keywatch::structures::btree {

std::optional<std::string> get(const Workspace& workspace, BucketIndex bucket,
                               std::string_view key);
bool contains(const Workspace& workspace, BucketIndex bucket, std::string_view key);
void put(Workspace& workspace, BucketIndex bucket, std::string_view key, std::string_view value);
void put(Workspace& workspace, BucketIndex bucket, std::string_view key, std::string_view value,
         std::chrono::milliseconds ttl);
bool erase(Workspace& workspace, BucketIndex bucket, std::string_view key);

std::optional<std::string> substring(const Workspace& workspace, BucketIndex bucket,
                                     std::string_view key, std::size_t offset, std::size_t length);
bool get_bit(const Workspace& workspace, BucketIndex bucket, std::string_view key,
             std::uint64_t offset);
std::optional<std::string> first_key(const Workspace& workspace, BucketIndex bucket);
std::optional<std::string> last_key(const Workspace& workspace, BucketIndex bucket);

// Writes that depend on the existing entry. Each records one `put` or nothing, and rejects an empty
// key.
bool put_if_absent(Workspace& workspace, BucketIndex bucket, std::string_view key,
                   std::string_view value);
bool put_if_absent(Workspace& workspace, BucketIndex bucket, std::string_view key,
                   std::string_view value, std::chrono::milliseconds ttl);
bool put_if_present(Workspace& workspace, BucketIndex bucket, std::string_view key,
                    std::string_view value);
std::optional<std::string> exchange(Workspace& workspace, BucketIndex bucket, std::string_view key,
                                    std::string_view value);
std::int64_t increment(Workspace& workspace, BucketIndex bucket, std::string_view key,
                       std::int64_t by);
std::int64_t decrement(Workspace& workspace, BucketIndex bucket, std::string_view key,
                       std::int64_t by);
std::size_t append(Workspace& workspace, BucketIndex bucket, std::string_view key,
                   std::string_view suffix);
bool set_bit(Workspace& workspace, BucketIndex bucket, std::string_view key, std::uint64_t offset,
             bool bit);

/// Removes a key because it has expired, if that was its deadline. Records one `erase` message.
bool expire(Workspace& workspace, BucketIndex bucket, std::string_view key, Time deadline);
/// Returns false if the key is absent. Records one `ttl` message if the deadline changes.
bool set_ttl(Workspace& workspace, BucketIndex bucket, std::string_view key,
             std::chrono::milliseconds ttl);
/// Returns false if the key is absent or had no deadline.
bool clear_ttl(Workspace& workspace, BucketIndex bucket, std::string_view key);
std::optional<std::chrono::milliseconds> ttl(const Workspace& workspace, BucketIndex bucket,
                                             std::string_view key);

/// Returns the user's part of a stored value. Throws `Error::damaged` if the value is malformed.
std::string_view user_value(std::string_view stored);

/// Moves an iterator forward, or backward, to an entry that has not expired.
void pass_expired(const Workspace& workspace, KeyIterator& iterator, bool forward);

}  // namespace keywatch::structures::btree
