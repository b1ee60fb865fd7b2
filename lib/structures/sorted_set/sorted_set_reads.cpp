// SPDX-License-Identifier: BSL-1.0
#include "sorted_members.hpp"
#include "sorted_set.hpp"

namespace keywatch::structures::sorted_set {

namespace {

/// Returns the current member.
std::optional<OwnedMember> current(const Elements& elements)
{
    if (!elements.valid()) {
        return std::nullopt;
    }
    const std::string_view place = elements.suffix();
    return OwnedMember(member_at(place), score_at(place));
}

std::optional<std::uint64_t> rank_in(Members& set, std::string_view member)
{
    const std::optional<double> score = set.score(member);
    return score ? std::optional(set.rank(place_of(*score, member))) : std::nullopt;
}

}  // namespace

std::optional<double> score(const Workspace& workspace, BucketIndex bucket, std::string_view key,
                            std::string_view member)
{
    std::optional<Members> set = Members::find(workspace, bucket, key);
    return set ? set->score(member) : std::nullopt;
}

std::optional<std::uint64_t> rank(const Workspace& workspace, BucketIndex bucket,
                                  std::string_view key, std::string_view member)
{
    std::optional<Members> set = Members::find(workspace, bucket, key);
    return set ? rank_in(*set, member) : std::nullopt;
}

std::optional<std::uint64_t> reverse_rank(const Workspace& workspace, BucketIndex bucket,
                                          std::string_view key, std::string_view member)
{
    std::optional<Members> set = Members::find(workspace, bucket, key);
    const std::optional<std::uint64_t> rank = set ? rank_in(*set, member) : std::nullopt;
    return rank ? std::optional(set->size() - 1 - *rank) : std::nullopt;
}

std::optional<OwnedMember> min(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<Members> set = Members::find(workspace, bucket, key);
    if (!set) {
        return std::nullopt;
    }
    set->seek_first();
    return current(set->elements());
}

std::optional<OwnedMember> max(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<Members> set = Members::find(workspace, bucket, key);
    if (!set) {
        return std::nullopt;
    }
    set->seek_last();
    return current(set->elements());
}

std::uint64_t count_by_score(const Workspace& workspace, BucketIndex bucket, std::string_view key,
                             const ScoreRange& scores)
{
    const PlaceInterval interval = interval_of(scores);
    std::optional<Members> set = Members::find(workspace, bucket, key);
    if (!set || interval.begin >= interval.end) {
        return 0;
    }
    return set->rank(interval.end) - set->rank(interval.begin);
}

}  // namespace keywatch::structures::sorted_set
