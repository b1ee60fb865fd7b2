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

/// List buckets: each key has a row of elements. How it lies there: list_row.hpp.
///
/// What ends with `damaged` may be half done; what ends with another error is not done at all.
namespace keywatch::structures::list {

std::optional<std::string> at(const Workspace& workspace, BucketIndex bucket, std::string_view key,
                              std::int64_t index);
Range<std::string_view> range(const std::shared_ptr<Workspace>& workspace, BucketIndex bucket,
                              std::string_view key, std::int64_t first, std::int64_t last);

// Writes at the ends, with a message for each element. The new size.
std::uint64_t push_front(Workspace& workspace, BucketIndex bucket, std::string_view key,
                         std::span<const std::string_view> values);
std::uint64_t push_back(Workspace& workspace, BucketIndex bucket, std::string_view key,
                        std::span<const std::string_view> values);
std::optional<std::string> pop_front(Workspace& workspace, BucketIndex bucket,
                                     std::string_view key);
std::optional<std::string> pop_back(Workspace& workspace, BucketIndex bucket, std::string_view key);

// Writes anywhere.
void set(Workspace& workspace, BucketIndex bucket, std::string_view key, std::int64_t index,
         std::string_view value);
std::uint64_t insert(Workspace& workspace, BucketIndex bucket, std::string_view key,
                     std::int64_t index, std::string_view value);

// Of many: list_removal.cpp.
std::uint64_t remove(Workspace& workspace, BucketIndex bucket, std::string_view key,
                     std::string_view value, std::int64_t count);
std::uint64_t remove_at(Workspace& workspace, BucketIndex bucket, std::string_view key,
                        std::span<const std::int64_t> indexes);
std::uint64_t trim(Workspace& workspace, BucketIndex bucket, std::string_view key,
                   std::int64_t first, std::int64_t last);

}  // namespace keywatch::structures::list
