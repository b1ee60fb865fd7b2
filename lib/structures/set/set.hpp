// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "structures/collection.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Buckets of sets. An element's key ends in the member. Its value is empty.
///
/// LevelDB steps one by one over keys that were erased and not yet compacted. So that `pop` does
/// not step over all members popped before, the header's content is the set's *lower bound*: no
/// member is less. Popping raises it, and adding lowers it if necessary. It is empty at first. It
/// is cut off after `bound_bytes` bytes, which makes it lower.
namespace keywatch::structures::set {

inline constexpr std::size_t bound_bytes = 128;

bool contains(const Workspace& workspace, BucketIndex bucket, std::string_view key,
              std::string_view member);
/// Returns the results in the order of the members.
std::vector<bool> contains_many(const Workspace& workspace, BucketIndex bucket,
                                std::string_view key, std::span<const std::string_view> members);

// The following return the number of members that were added or removed, with one message for each.
std::uint64_t add(Workspace& workspace, BucketIndex bucket, std::string_view key,
                  std::span<const std::string_view> members);
std::uint64_t remove(Workspace& workspace, BucketIndex bucket, std::string_view key,
                     std::span<const std::string_view> members);

/// Removes and returns the smallest member.
std::optional<std::string> pop(Workspace& workspace, BucketIndex bucket, std::string_view key);

/// The location of a set.
struct SetRef {
    std::shared_ptr<Workspace> workspace;
    BucketIndex bucket;
    std::string_view key;
};

/// Returns true if `from` had the member. Records a `remove` message, and an `add` message unless
/// `to` already has the member. Records nothing if both are the same set.
bool move(const SetRef& from, const SetRef& to, std::string_view member);

}  // namespace keywatch::structures::set
