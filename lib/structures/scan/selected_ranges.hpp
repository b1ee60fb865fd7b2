// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/selector.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::structures {

/// The keys from `first` on that are before `end`. Without `end`, all keys from `first` on.
struct KeyInterval {
    std::string first;
    std::optional<std::string> end;

    friend bool operator==(const KeyInterval&, const KeyInterval&) = default;
};

/// The keys of a bucket that a list of selectors selects. For a pattern, these are more than the
/// matching keys.
struct SelectedRanges {
    /// True if one of the selectors selects the whole bucket.
    bool whole = false;
    /// Sorted, and apart from each other, so that each key comes once.
    std::vector<KeyInterval> intervals;
};
SelectedRanges selected_ranges(const Selectors& selectors, std::string_view bucket);

/// Returns the buckets that the selectors name, in order, each once. Returns nothing if they select
/// the whole database.
std::optional<std::vector<std::string>> selected_buckets(const Selectors& selectors);

}  // namespace keywatch::structures
