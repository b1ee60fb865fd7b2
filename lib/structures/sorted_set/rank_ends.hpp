// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "sorted_elements.hpp"

#include "bytes/numbers.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace keywatch::structures::sorted_set {

/// Where the fences of a level of the rank index lie, and what lies behind them.
struct LevelEnds {
    /// Entries behind the last fence; all of the set if there is no fence.
    std::uint64_t tail = 0;
    /// How the places of the first and of the last fence begin, at most `Bounds::bytes` of them;
    /// empty if there is no fence.
    std::string first;
    std::string last;
};

/// Those of the levels from 1 on; kept in the header of a sorted set.
///
/// Whoever looked for a fence before the first one, or behind the last one, would step over all
/// that were erased there.
class Ends {
public:
    Ends() = default;
    /// As stored, of a set of that size. Leaves what follows; throws `Error::damaged`.
    Ends(bytes::ByteReader& content, std::uint64_t size);
    /// Of a set of that size.
    std::string content(std::uint64_t size) const;

    LevelEnds& operator[](std::size_t level) { return levels_[level - 1]; }
    const LevelEnds& operator[](std::size_t level) const { return levels_[level - 1]; }

private:
    std::array<LevelEnds, levels.size() - 1> levels_;
};

}  // namespace keywatch::structures::sorted_set
