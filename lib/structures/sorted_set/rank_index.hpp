// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "rank_ends.hpp"
#include "sorted_bounds.hpp"
#include "sorted_elements.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace keywatch::structures::sorted_set {

/// A place up to which a level counts, or the tail of the level, which has no place.
struct Fence {
    std::string place;
    std::uint64_t count = 0;

    bool is_tail() const noexcept { return place.empty(); }
};

/// Counts the entries of a sorted set in stretches, so that ranks need not walk over all of them.
///
/// It is a counted B-tree of fixed height: on each of two levels *fences* divide the places.
///
/// 1. A fence of a level counts the entries behind the fence before it on this level (or from the
///    first one on), up to and including its own place. That is a place where a member once stood;
///    the fence stays when the member goes, and while anything is counted by it.
/// 2. What lies behind the last fence of a level is its tail, which the header counts. It is not
///    empty unless the set is: when it gets so, it takes over the stretch before it. So whatever is
///    added at the end belongs to it.
/// 3. A fence of level 2 is one of level 1 too; there it may count nothing, as it goes with the
///    other one only. All other fences count something.
/// 4. A stretch of level 1 has at most 128 entries, one of level 2 at most 8192.
///
/// So members come and go without anything but counts being changed, and a small set has no fence,
/// and nobody seeks one. A search takes a step for some 6000 entries on level 2, then at most 128
/// on each of levels 1 and 0, if the set has grown only; see doc/storage.md for those that shrank.
///
/// Counting up to a fence, not from it, makes all searches go forward: nothing steps over what was
/// erased at the front, where queues are emptied. Nor behind the last fence or before the first
/// one, as the header says where these are.
class RankIndex {
public:
    /// Of a set of that size.
    RankIndex(Elements& elements, Ends& ends, const Bounds& bounds, std::uint64_t size)
        : elements_(elements), ends_(ends), bounds_(bounds), size_(size)
    {
    }

    /// How many places are less.
    std::uint64_t rank(std::string_view place);
    /// Moves the elements to the place of this rank; to no valid one if there are not that many.
    void seek(std::uint64_t rank);

protected:
    [[noreturn]] static void fail_damaged();
    /// How many entries the element stands for that is walked over on this level.
    std::uint64_t count_here(std::size_t level) const;
    /// The one that counts this place.
    Fence fence_of(std::size_t level, std::string_view place);

    Elements& elements_;
    Ends& ends_;
    const Bounds& bounds_;
    const std::uint64_t size_;

private:
    void seek_fence(std::size_t level, std::string_view place);
    struct Passed;
    template <class Predicate>
    Passed pass_fences(Predicate passes);
};

/// How a place begins, as much of it as headers keep.
inline std::string_view beginning(std::string_view place)
{
    return place.substr(0, Bounds::bytes);
}
/// The first place behind that one.
std::string behind(std::string_view place);

}  // namespace keywatch::structures::sorted_set
