// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "structures/collection.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Buckets of sets. An element's key ends in the member; its value is empty.
///
/// LevelDB passes one by one over what was erased and not yet compacted. So that whoever pops does
/// not pass over all that was popped before, the header's content is the set's *lower bound*: no
/// member is less. Popping raises it, adding lowers it where it must; it is empty at first. What is
/// longer than `bound_bytes` is cut off, which makes it lower.
namespace keywatch::structures::set {

inline constexpr std::size_t bound_bytes = 128;

bool contains(const Workspace& workspace, BucketIndex bucket, std::string_view key,
              std::string_view member);
/// In the order of the members.
std::vector<bool> contains_many(const Workspace& workspace, BucketIndex bucket,
                                std::string_view key, std::span<const std::string_view> members);

// How many there were to add or to remove: one message for each.
std::uint64_t add(Workspace& workspace, BucketIndex bucket, std::string_view key,
                  std::span<const std::string_view> members);
std::uint64_t remove(Workspace& workspace, BucketIndex bucket, std::string_view key,
                     std::span<const std::string_view> members);

/// Takes away the smallest member.
std::optional<std::string> pop(Workspace& workspace, BucketIndex bucket, std::string_view key);

/// Where a set is.
struct Place {
    std::shared_ptr<Workspace> workspace;
    BucketIndex bucket;
    std::string_view key;
};

/// Whether `from` had it. A `remove` message, and an `add` message unless `to` has it already.
bool move(const Place& from, const Place& to, std::string_view member);

}  // namespace keywatch::structures::set
