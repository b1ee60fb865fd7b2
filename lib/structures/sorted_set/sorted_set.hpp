// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "structures/workspace.hpp"

#include <keywatch/range.hpp>
#include <keywatch/sorted_set.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

/// Buckets of sorted sets: collections (collection.hpp) of members with a score each.
namespace keywatch::structures::sorted_set {

using OwnedMember = std::pair<std::string, double>;

std::optional<double> score(const Workspace& workspace, BucketIndex bucket, std::string_view key,
                            std::string_view member);
std::optional<std::uint64_t> rank(const Workspace& workspace, BucketIndex bucket,
                                  std::string_view key, std::string_view member);
std::optional<std::uint64_t> reverse_rank(const Workspace& workspace, BucketIndex bucket,
                                          std::string_view key, std::string_view member);
std::optional<OwnedMember> min(const Workspace& workspace, BucketIndex bucket,
                               std::string_view key);
std::optional<OwnedMember> max(const Workspace& workspace, BucketIndex bucket,
                               std::string_view key);
std::uint64_t count_by_score(const Workspace& workspace, BucketIndex bucket, std::string_view key,
                             const ScoreRange& scores);

// The members of a range are looked up when it is started.
Range<ScoredMember> range_by_rank(std::shared_ptr<const Workspace> workspace, BucketIndex bucket,
                                  std::string_view key, std::int64_t first, std::int64_t last);
Range<ScoredMember> range_by_score(std::shared_ptr<const Workspace> workspace, BucketIndex bucket,
                                   std::string_view key, const ScoreRange& scores,
                                   const MemberScan& scan);
Range<ScoredMember> range_by_member(std::shared_ptr<const Workspace> workspace, BucketIndex bucket,
                                    std::string_view key, std::string_view first,
                                    std::optional<std::string_view> last, const MemberScan& scan);

/// Returns the number of new members.
std::uint64_t add(Workspace& workspace, BucketIndex bucket, std::string_view key,
                  std::span<const ScoredMember> members);
double increment(Workspace& workspace, BucketIndex bucket, std::string_view key,
                 std::string_view member, double by);
bool remove(Workspace& workspace, BucketIndex bucket, std::string_view key,
            std::string_view member);
std::optional<OwnedMember> pop_min(Workspace& workspace, BucketIndex bucket, std::string_view key);
std::optional<OwnedMember> pop_max(Workspace& workspace, BucketIndex bucket, std::string_view key);
std::uint64_t remove_by_rank(const std::shared_ptr<Workspace>& workspace, BucketIndex bucket,
                             std::string_view key, std::int64_t first, std::int64_t last);
std::uint64_t remove_by_score(const std::shared_ptr<Workspace>& workspace, BucketIndex bucket,
                              std::string_view key, const ScoreRange& scores);

}  // namespace keywatch::structures::sorted_set
