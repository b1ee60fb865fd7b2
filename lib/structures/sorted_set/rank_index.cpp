// SPDX-License-Identifier: BSL-1.0
#include "rank_index.hpp"

#include "bytes/numbers.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <algorithm>

namespace keywatch::structures::sorted_set {

std::string next_place(std::string_view place)
{
    std::string next;
    next.reserve(place.size() + 1);
    next += place;
    next += '\0';
    return next;
}

struct RankIndex::Passed {
    std::uint64_t entries;
    /// No remaining entry is less.
    std::string to;
};

std::uint64_t RankIndex::rank(std::string_view place)
{
    const Passed passed = pass_fences(
        [&](std::string_view fence, std::uint64_t /*entries*/) { return fence < place; });
    std::uint64_t before = passed.entries;
    for (elements_.seek(by_place, passed.to); elements_.valid() && elements_.suffix() < place;
         elements_.next()) {
        ++before;
    }
    return before;
}

void RankIndex::seek(std::uint64_t rank)
{
    const Passed passed = pass_fences(
        [&](std::string_view /*fence*/, std::uint64_t entries) { return entries <= rank; });
    std::uint64_t left = rank - passed.entries;
    for (elements_.seek(by_place, passed.to); elements_.valid() && left > 0; --left) {
        elements_.next();
    }
}

/// Walks down the levels, past the fences for which `passes` returns true. Its arguments are a
/// fence and the number of entries up to it.
template <class Predicate>
RankIndex::Passed RankIndex::pass_fences(Predicate passes)
{
    Passed passed{0, bounds_.low()};
    for (std::size_t level = levels.size(); --level > 0;) {
        const std::uint64_t fenced = size_ - ends_[level].tail;
        if (passed.entries >= fenced) {
            continue;
        }
        std::string last;
        for (seek_fence(level, passed.to); elements_.valid(); elements_.next()) {
            const std::uint64_t entries = passed.entries + count_here(level);
            if (!passes(elements_.suffix(), entries)) {
                break;
            }
            passed.entries = entries;
            last = elements_.suffix();
            if (entries >= fenced) {
                break;  // LevelDB would step over all fences that were erased after the last one
            }
        }
        if (!last.empty()) {
            passed.to = next_place(last);
        }
    }
    return passed;
}

void RankIndex::fail_damaged()
{
    fail(Error::damaged, "the rank index of a sorted set");
}

std::uint64_t RankIndex::count_here(std::size_t level) const
{
    if (level == 0) {
        return 1;
    }
    const std::string_view stored = elements_.value();
    if (stored.size() != sizeof(std::uint64_t)) {
        fail_damaged();
    }
    return bytes::load_fixed<std::uint64_t>(stored.data());
}

Fence RankIndex::fence_of(std::size_t level, std::string_view place)
{
    const LevelEnds& ends = ends_[level];
    if (beginning(place) <= ends.last) {
        seek_fence(level, place);
        if (elements_.valid()) {
            return {std::string(elements_.suffix()), count_here(level)};
        }
    }
    return {{}, ends.tail};
}

/// Moves to the first fence that is not less.
void RankIndex::seek_fence(std::size_t level, std::string_view place)
{
    elements_.seek(levels[level], std::max<std::string_view>(place, ends_[level].first));
}

}  // namespace keywatch::structures::sorted_set
