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

/// An index that counts the entries of a sorted set in stretches, so that computing a rank does not
/// walk over all of them.
///
/// It is a counted B-tree of fixed height: on each of two levels, *fences* divide the places.
///
/// 1. A fence of a level counts the entries after the previous fence of this level (or from the
///    first entry on), up to and including its own place. That is a place that a member once had.
///    The fence stays when the member is removed, as long as it counts anything.
/// 2. The entries after the last fence of a level are its tail, which the header counts. The tail
///    is empty only if the set is: when it becomes empty, it takes over the stretch before it. So
///    everything that is added at the end belongs to the tail.
/// 3. A fence of level 2 is also one of level 1. There it may count nothing, because it is removed
///    only together with the other one. All other fences count something.
/// 4. A stretch of level 1 has at most 128 entries, one of level 2 at most 8192.
///
/// So most additions and removals of members change nothing except counts. A small set has no
/// fences, and none is looked up. In a set that has only grown, a search takes one step for some
/// 6000 entries on level 2, then at most 128 steps on each of levels 1 and 0. For sets that have
/// shrunk, see doc/storage.md.
///
/// Fences count the entries up to them, not those after them, so all searches go forward: none
/// steps over keys that were erased at the front, where queues are emptied. The header stores where
/// the first and the last fence are, so no search steps over erased fences before or after these.
class RankIndex {
public:
    /// Creates the index of a set of this size.
    RankIndex(Elements& elements, Ends& ends, const Bounds& bounds, std::uint64_t size)
        : elements_(elements), ends_(ends), bounds_(bounds), size_(size)
    {
    }

    /// Returns the number of places that are less.
    std::uint64_t rank(std::string_view place);
    /// Moves the elements to the place of this rank. If there are not that many, then they are not
    /// valid.
    void seek(std::uint64_t rank);

protected:
    [[noreturn]] static void fail_damaged();
    /// Returns the number of entries that the current element of this level counts.
    std::uint64_t count_here(std::size_t level) const;
    /// Returns the fence that counts this place.
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

/// Returns the beginning of a place, as much of it as headers store.
inline std::string_view beginning(std::string_view place)
{
    return place.substr(0, Bounds::bytes);
}
/// Returns the first place after this one.
std::string next_place(std::string_view place);

}  // namespace keywatch::structures::sorted_set
