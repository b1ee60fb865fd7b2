// SPDX-License-Identifier: BSL-1.0
#include "rank_writer.hpp"

#include "bytes/numbers.hpp"
#include "bytes/prefix_end.hpp"

#include <array>

namespace keywatch::structures::sorted_set {

namespace {

/// A stretch of a level that has more than twice as many entries is split.
constexpr std::array<std::uint64_t, levels.size()> strides{1, 64, 4096};

}  // namespace

void RankWriter::add(std::string_view place)
{
    for (std::size_t level = 1; level < levels.size(); ++level) {
        grow(level, fence_of(level, place));
    }
}

void RankWriter::remove(std::string_view place)
{
    bool emptied = false;
    for (std::size_t level = 1; level < levels.size(); ++level) {
        emptied |= shrink(level, fence_of(level, place));
    }
    if (emptied) {
        clear_up(place);
    }
}

void RankWriter::move(std::string_view from, std::string_view to)
{
    bool emptied = false;
    for (std::size_t level = 1; level < levels.size(); ++level) {
        const Fence before = fence_of(level, from);
        const Fence after = fence_of(level, to);
        if (before.place != after.place) {
            emptied |= shrink(level, before);
            grow(level, after);
        }
    }
    if (emptied) {
        clear_up(from);
    }
}

void RankWriter::grow(std::size_t level, Fence fence)
{
    ++fence.count;
    store(level, fence);
    if (fence.count > 2 * strides[level]) {
        split(level, fence);
    }
}

bool RankWriter::shrink(std::size_t level, Fence fence)
{
    if (fence.count == 0) {
        fail_damaged();
    }
    --fence.count;
    store(level, fence);
    return fence.count == 0;
}

/// Splits a fence: the last `strides[level]` entries keep it, and a new fence is created for those
/// before them.
void RankWriter::split(std::size_t level, const Fence& fence)
{
    const std::size_t below = level - 1;
    std::uint64_t left = fence.is_tail() && below > 0 ? ends_[below].tail : 0;
    for (elements_.seek_before(levels[below], end_of(below, fence));
         elements_.valid() && left < strides[level]; elements_.previous()) {
        left += count_here(below);
    }
    if (!elements_.valid() || left >= fence.count) {
        fail_damaged();
    }
    const Fence front{std::string(elements_.suffix()), fence.count - left};
    store(level, front);
    store(level, {fence.place, left});
    LevelEnds& ends = ends_[level];
    const std::string_view begin = beginning(front.place);
    if (ends.first.empty() || begin < ends.first) {
        ends.first = begin;
    }
    if (begin > ends.last) {
        ends.last = begin;
    }
}

/// Returns a bound that is greater than every place (or fence) of this level that the fence counts.
std::string RankWriter::end_of(std::size_t level, const Fence& fence) const
{
    if (!fence.is_tail()) {
        return next_place(fence.place);
    }
    return level == 0 ? bounds_.end() : bytes::prefix_end(ends_[level].last).value();
}

/// Removes empty fences after the last entry of a stretch that this place belongs to was removed.
void RankWriter::clear_up(std::string_view place)
{
    if (size_ == 0) {
        return;
    }
    if (ends_[1].tail == 0) {
        extend_tails();
        return;
    }
    const Fence low = fence_of(1, place);
    const Fence high = fence_of(2, place);
    if (!high.is_tail() && high.count == 0) {
        erase(2, high.place);
        erase(1, high.place);
    }
    if (low.count == 0 && low.place != high.place) {
        erase(1, low.place);
    }
}

void RankWriter::erase(std::size_t level, std::string_view place)
{
    elements_.erase(workspace_, levels[level], place);
    find_ends_without(level, place);
}

/// Extends the empty tail of level 1, and that of level 2 if it is empty too.
void RankWriter::extend_tails()
{
    elements_.seek_before(by_place, bounds_.end());
    if (!elements_.valid()) {
        fail_damaged();
    }
    const std::string last(elements_.suffix());
    const Fence low = fence_of(1, last);
    if (ends_[2].tail == 0) {
        const Fence high = fence_of(2, last);
        extend_tail(2, high);
        if (high.place != low.place) {
            erase(1, high.place);
        }
    }
    extend_tail(1, low);
}

/// Extends a tail by the stretch of the last fence that counts something.
void RankWriter::extend_tail(std::size_t level, const Fence& fence)
{
    if (fence.is_tail() || fence.count == 0) {
        fail_damaged();
    }
    ends_[level].tail = fence.count;
    erase(level, fence.place);
}

/// Updates the ends of a level after a fence was erased.
void RankWriter::find_ends_without(std::size_t level, std::string_view place)
{
    LevelEnds& ends = ends_[level];
    if (ends.tail == size_) {
        ends.first.clear();
        ends.last.clear();
        return;
    }
    if (beginning(place) == ends.first) {
        elements_.seek(levels[level], ends.first);
        ends.first = beginning_here();
    }
    if (beginning(place) == ends.last) {
        elements_.seek_before(levels[level], bytes::prefix_end(ends.last).value());
        ends.last = beginning_here();
    }
}

std::string RankWriter::beginning_here() const
{
    if (!elements_.valid()) {
        fail_damaged();
    }
    return std::string(beginning(elements_.suffix()));
}

void RankWriter::store(std::size_t level, const Fence& fence)
{
    if (fence.is_tail()) {
        ends_[level].tail = fence.count;
        return;
    }
    std::string stored;
    bytes::append_fixed(stored, fence.count);
    elements_.put(workspace_, levels[level], fence.place, stored);
}

}  // namespace keywatch::structures::sorted_set
