// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "workspace.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// BTree buckets: each key of the key space is a user's key as it is; the value ends with one byte
/// that tells what stands before it (doc/storage.md), today always 0: the user's value alone.
namespace keywatch::structures::btree {

std::optional<std::string> get(const Workspace& workspace, BucketIndex bucket,
                               std::string_view key);
bool contains(const Workspace& workspace, BucketIndex bucket, std::string_view key);
void put(Workspace& workspace, BucketIndex bucket, std::string_view key, std::string_view value);
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

/// The user's part of a stored value; throws `Error::damaged` if it is not one.
std::string_view user_value(std::string_view stored);

}  // namespace keywatch::structures::btree
