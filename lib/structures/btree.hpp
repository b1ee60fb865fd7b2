// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "workspace.hpp"

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

/// The user's part of a stored value; throws `Error::damaged` if it is not one.
std::string_view user_value(std::string_view stored);

}  // namespace keywatch::structures::btree
