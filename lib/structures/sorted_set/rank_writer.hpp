// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "rank_index.hpp"

#include "structures/workspace.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace keywatch::structures::sorted_set {

/// A rank index that can be updated. Its functions are called after the places have been written
/// and erased. Size and bounds are those after that.
class RankWriter : public RankIndex {
public:
    RankWriter(Workspace& workspace, Elements& elements, Ends& ends, const Bounds& bounds,
               std::uint64_t size)
        : RankIndex(elements, ends, bounds, size), workspace_(workspace)
    {
    }

    void add(std::string_view place);
    void remove(std::string_view place);
    /// Moves an entry between two places of the same member.
    void move(std::string_view from, std::string_view to);

private:
    // Add an entry to a fence, or remove one. `shrink` returns true if it was the last entry.
    void grow(std::size_t level, Fence fence);
    bool shrink(std::size_t level, Fence fence);
    void split(std::size_t level, const Fence& fence);
    std::string end_of(std::size_t level, const Fence& fence) const;

    void clear_up(std::string_view place);
    void erase(std::size_t level, std::string_view place);
    void extend_tails();
    void extend_tail(std::size_t level, const Fence& fence);
    void find_ends_without(std::size_t level, std::string_view place);
    std::string beginning_here() const;

    void store(std::size_t level, const Fence& fence);

    Workspace& workspace_;
};

}  // namespace keywatch::structures::sorted_set
