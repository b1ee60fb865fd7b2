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

/// BTree buckets: each key of the key space is a user's key as it is; the value is the user's and a
/// stamp (stamp.hpp).
///
/// 1. A key that has expired is not there for readers. Whoever writes to it removes it first, with
///    the message that the sweep would have made.
/// 2. What gives a key a value anew leaves it without a deadline, or with the one that is given;
///    what changes the value keeps its deadline.
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

// Writes that depend on what is there. Each makes one `put` or nothing, and refuses an empty key.
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

/// Removes a key because its time is over, if that was its deadline: one `erase` message.
bool expire(Workspace& workspace, BucketIndex bucket, std::string_view key, Time deadline);
/// False if it is not there. One `ttl` message if the deadline changes.
bool set_ttl(Workspace& workspace, BucketIndex bucket, std::string_view key,
             std::chrono::milliseconds ttl);
/// False if it is not there, or had no deadline.
bool clear_ttl(Workspace& workspace, BucketIndex bucket, std::string_view key);
std::optional<std::chrono::milliseconds> ttl(const Workspace& workspace, BucketIndex bucket,
                                             std::string_view key);

/// The user's part of a stored value; throws `Error::damaged` if it is not one.
std::string_view user_value(std::string_view stored);

/// For iterators: moves on, or back, to an entry that has not expired.
void pass_expired(const Workspace& workspace, KeyIterator& iterator, bool forward);

}  // namespace keywatch::structures::btree
