// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/selector.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::structures {

/// Keys from `first` on that come before `end`; without it all from `first` on.
struct KeyStretch {
    std::string first;
    std::optional<std::string> end;

    friend bool operator==(const KeyStretch&, const KeyStretch&) = default;
};

/// What a list of selectors wants of a bucket. Of a pattern that is more than what matches it.
struct WantedKeys {
    /// Whether one of them selects the bucket as a whole.
    bool whole = false;
    /// In order, and apart from each other: so each key comes once.
    std::vector<KeyStretch> stretches;
};
WantedKeys wanted_keys(const Selectors& selectors, std::string_view bucket);

/// The buckets that they name, in order, each once; nothing if they want the whole database.
std::optional<std::vector<std::string>> wanted_buckets(const Selectors& selectors);

}  // namespace keywatch::structures
