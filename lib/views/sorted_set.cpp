// SPDX-License-Identifier: BSL-1.0
#include <keywatch/sorted_set.hpp>

#include "structures/collection.hpp"
#include "structures/sorted_set/sorted_set.hpp"

#include <array>

namespace [[gnu::visibility("default")]] keywatch {

namespace collection = structures::collection;
namespace sorted_set = structures::sorted_set;

std::optional<double> SortedSetView::score(std::string_view key, std::string_view member) const
{
    return sorted_set::score(*workspace_, bucket_, key, member);
}

std::optional<std::uint64_t> SortedSetView::rank(std::string_view key,
                                                 std::string_view member) const
{
    return sorted_set::rank(*workspace_, bucket_, key, member);
}

std::optional<std::uint64_t> SortedSetView::reverse_rank(std::string_view key,
                                                         std::string_view member) const
{
    return sorted_set::reverse_rank(*workspace_, bucket_, key, member);
}

std::optional<std::pair<std::string, double>> SortedSetView::min(std::string_view key) const
{
    return sorted_set::min(*workspace_, bucket_, key);
}

std::optional<std::pair<std::string, double>> SortedSetView::max(std::string_view key) const
{
    return sorted_set::max(*workspace_, bucket_, key);
}

std::uint64_t SortedSetView::count_by_score(std::string_view key, ScoreRange scores) const
{
    return sorted_set::count_by_score(*workspace_, bucket_, key, scores);
}

Range<ScoredMember> SortedSetView::members(std::string_view key) const
{
    return sorted_set::range_by_score(workspace_, bucket_, key, {}, {});
}

Range<ScoredMember> SortedSetView::range_by_rank(std::string_view key, std::int64_t first,
                                                 std::int64_t last) const
{
    return sorted_set::range_by_rank(workspace_, bucket_, key, first, last);
}

Range<ScoredMember> SortedSetView::range_by_score(std::string_view key, ScoreRange scores,
                                                  MemberScan scan) const
{
    return sorted_set::range_by_score(workspace_, bucket_, key, scores, scan);
}

Range<ScoredMember> SortedSetView::range_by_member(std::string_view key, std::string_view first,
                                                   std::optional<std::string_view> last,
                                                   MemberScan scan) const
{
    return sorted_set::range_by_member(workspace_, bucket_, key, first, last, scan);
}

std::uint64_t SortedSetView::size(std::string_view key) const
{
    return collection::size(*workspace_, bucket_, key);
}

bool SortedSetView::has_key(std::string_view key) const
{
    return size(key) != 0;
}

Range<std::string_view> SortedSetView::keys(std::string_view pattern) const
{
    return collection::keys(workspace_, bucket_, pattern);
}

std::optional<std::chrono::milliseconds> SortedSetView::ttl(std::string_view key) const
{
    return collection::ttl(*workspace_, bucket_, key);
}

bool SortedSet::add(std::string_view key, std::string_view member, double score)
{
    const std::array one{ScoredMember{member, score}};
    return sorted_set::add(*workspace_, bucket_, key, one) == 1;
}

std::uint64_t SortedSet::add_all(std::string_view key,
                                 const std::vector<std::pair<std::string, double>>& members)
{
    std::vector<ScoredMember> scored;
    scored.reserve(members.size());
    for (const auto& [member, score] : members) {
        scored.push_back({member, score});
    }
    return sorted_set::add(*workspace_, bucket_, key, scored);
}

double SortedSet::increment(std::string_view key, std::string_view member, double by)
{
    return sorted_set::increment(*workspace_, bucket_, key, member, by);
}

bool SortedSet::remove(std::string_view key, std::string_view member)
{
    return sorted_set::remove(*workspace_, bucket_, key, member);
}

std::optional<std::pair<std::string, double>> SortedSet::pop_min(std::string_view key)
{
    return sorted_set::pop_min(*workspace_, bucket_, key);
}

std::optional<std::pair<std::string, double>> SortedSet::pop_max(std::string_view key)
{
    return sorted_set::pop_max(*workspace_, bucket_, key);
}

std::uint64_t SortedSet::remove_by_rank(std::string_view key, std::int64_t first, std::int64_t last)
{
    return sorted_set::remove_by_rank(workspace_, bucket_, key, first, last);
}

std::uint64_t SortedSet::remove_by_score(std::string_view key, ScoreRange scores)
{
    return sorted_set::remove_by_score(workspace_, bucket_, key, scores);
}

bool SortedSet::erase(std::string_view key)
{
    return collection::erase(*workspace_, bucket_, key);
}

bool SortedSet::set_ttl(std::string_view key, std::chrono::milliseconds ttl)
{
    return collection::set_ttl(*workspace_, bucket_, key, ttl);
}

bool SortedSet::clear_ttl(std::string_view key)
{
    return collection::clear_ttl(*workspace_, bucket_, key);
}

}  // namespace keywatch
