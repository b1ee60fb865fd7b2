// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "structures/workspace.hpp"

#include <keywatch/range.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// List buckets: each key has a row of elements, stored as described in list_row.hpp.
///
/// An operation that fails with `damaged` may be half done. An operation that fails with another
/// error has changed nothing.
namespace keywatch::structures::list {

std::optional<std::string> at(const Workspace& workspace, BucketIndex bucket, std::string_view key,
                              std::int64_t index);
Range<std::string_view> range(const std::shared_ptr<Workspace>& workspace, BucketIndex bucket,
                              std::string_view key, std::int64_t first, std::int64_t last);

// Writes at the ends, with a message for each element. The pushes return the new size.
std::uint64_t push_front(Workspace& workspace, BucketIndex bucket, std::string_view key,
                         std::span<const std::string_view> values);
std::uint64_t push_back(Workspace& workspace, BucketIndex bucket, std::string_view key,
                        std::span<const std::string_view> values);
std::optional<std::string> pop_front(Workspace& workspace, BucketIndex bucket,
                                     std::string_view key);
std::optional<std::string> pop_back(Workspace& workspace, BucketIndex bucket, std::string_view key);

// Writes at any index.
void set(Workspace& workspace, BucketIndex bucket, std::string_view key, std::int64_t index,
         std::string_view value);
std::uint64_t insert(Workspace& workspace, BucketIndex bucket, std::string_view key,
                     std::int64_t index, std::string_view value);

// Removals of many elements: list_removal.cpp.
std::uint64_t remove(Workspace& workspace, BucketIndex bucket, std::string_view key,
                     std::string_view value, std::int64_t count);
std::uint64_t remove_at(Workspace& workspace, BucketIndex bucket, std::string_view key,
                        std::span<const std::int64_t> indexes);
std::uint64_t trim(Workspace& workspace, BucketIndex bucket, std::string_view key,
                   std::int64_t first, std::int64_t last);

}  // namespace keywatch::structures::list
