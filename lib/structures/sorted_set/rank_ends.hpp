// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "sorted_elements.hpp"

#include "bytes/numbers.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace keywatch::structures::sorted_set {

/// The ends of the fences of a level of the rank index, and the number of entries after them.
struct LevelEnds {
    /// Number of entries after the last fence; the size of the set if there is no fence.
    std::uint64_t tail = 0;
    /// The beginnings of the places of the first and of the last fence, at most `Bounds::bytes`
    /// bytes each; empty if there is no fence.
    std::string first;
    std::string last;
};

/// The ends of the levels from 1 on, stored in the header of a sorted set.
///
/// Without them, a search for a fence before the first one, or after the last one, would step over
/// all fences that were erased there.
class Ends {
public:
    Ends() = default;
    /// Parses the stored ends of a set of this size. Leaves what follows. Throws `Error::damaged`.
    Ends(bytes::ByteReader& content, std::uint64_t size);
    /// Returns the stored form for a set of this size.
    std::string content(std::uint64_t size) const;

    LevelEnds& operator[](std::size_t level) { return levels_[level - 1]; }
    const LevelEnds& operator[](std::size_t level) const { return levels_[level - 1]; }

private:
    std::array<LevelEnds, levels.size() - 1> levels_;
};

}  // namespace keywatch::structures::sorted_set
