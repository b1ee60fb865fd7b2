// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "sorted_elements.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace keywatch::structures::sorted_set {

/// Counts the entries of a sorted set in strides, so that ranks need not walk over all of them.
///
/// Some members are *nodes*: about one in 64 on level 1, and one in 64 of those on level 2 as well.
/// A hash of the member alone decides which, so nothing is ever rebalanced, and the index of the
/// same members is the same whatever happened before.
///
/// 1. A node of a level counts the entries behind the node before it on this level (or from the
///    first one on), up to and including itself. What lies behind the last node is not counted.
/// 2. So an entry that comes or goes changes on each level the node that is next to it, and a set
///    without nodes, as a small one mostly is, has no index at all.
///
/// A search takes a step for 4096 entries on level 2, then about 64 on each of levels 1 and 0.
/// Counting up to a node, not from it, makes all searches go forward: nothing steps over
/// what was erased at the front, where queues are emptied.
class RankIndex {
public:
    /// `low`: no place is less.
    RankIndex(Elements& elements, std::string_view low) : elements_(elements), low_(low) {}

    /// How many places are less.
    std::uint64_t rank(std::string_view place);
    /// Moves the elements to the place of this rank; to no valid one if there are not that many.
    void seek(std::uint64_t rank);

    // To be called when the places have been written and erased.
    void add(Workspace& workspace, std::string_view place);
    void remove(Workspace& workspace, std::string_view place);
    /// Of the place behind which there is none: so there is no next node to look for, behind all
    /// that was erased at the end.
    void remove_last(Workspace& workspace, std::string_view place);
    /// Of the same member.
    void move(Workspace& workspace, std::string_view from, std::string_view to);

private:
    struct Node;
    Node next_node(std::size_t level, std::string_view place);
    std::uint64_t count(std::size_t level, std::string_view from, std::string_view last);
    std::string behind_node_before(std::size_t level, std::string_view place);
    void insert(Workspace& workspace, std::size_t level, std::string_view place);
    void erase(Workspace& workspace, std::size_t level, std::string_view place);
    void set(Workspace& workspace, std::size_t level, const Node& node, std::uint64_t count);

    Elements& elements_;
    std::string_view low_;
};

}  // namespace keywatch::structures::sorted_set
