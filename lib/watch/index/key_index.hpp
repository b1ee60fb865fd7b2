// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "prefix_tree.hpp"
#include "range_tree.hpp"
#include "references.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::watch {

/// Who wants to know of which keys of one bucket. What a message of a key costs does not grow with
/// the number of those who do not want to know of it, but for patterns: those whose beginning
/// without wildcards fits the key are tried one by one.
class KeyIndex {
public:
    bool empty() const noexcept
    {
        return all_.empty() && keys_.empty() && prefixes_.empty() && ranges_.empty() &&
               globs_.empty();
    }

    void add(const Reference& reference);
    /// Gives what the index held.
    Reference remove(const Interest& interest);

    /// Those that follow the whole bucket.
    const References& all() const noexcept { return all_; }
    /// Whether all interests of a list match a key, or each has to be asked.
    enum class Fit { all, some };

    /// Calls with the lists of all interests that match the key, except those in `all`.
    template <class Function>
    void match_lists(std::string_view key, Function function) const
    {
        const auto all_fit = [&](const References& list) { function(list, Fit::all); };
        if (const auto at = keys_.find(key); at != keys_.end()) {
            all_fit(at->second);
        }
        prefixes_.match_lists(key, all_fit);
        ranges_.match_lists(key, all_fit);
        globs_.match_lists(key, [&](const References& list) { function(list, Fit::some); });
    }
    /// Calls for every interest that matches the key, except those in `all`.
    template <class Function>
    void match(std::string_view key, Function function) const
    {
        match_lists(key, [&](const References& list, Fit fit) {
            for (const Reference& each : list) {
                if (fit == Fit::all || each.interest().matches_key(key)) {
                    function(each);
                }
            }
        });
    }
    /// Calls for every interest there is.
    template <class Function>
    void for_each(Function function) const
    {
        for (const Reference& each : all_) {
            function(each);
        }
        for (const auto& [key, list] : keys_) {
            for (const Reference& each : list) {
                function(each);
            }
        }
        prefixes_.for_each(function);
        ranges_.for_each(function);
        globs_.for_each(function);
    }

    /// Returns every interest there is.
    std::vector<Reference> list() const;

private:
    References all_;
    boost::unordered_flat_map<std::string, References, BytesHash, std::equal_to<>> keys_;
    PrefixTree prefixes_;
    RangeTree ranges_;
    PrefixTree globs_;  ///< by what they begin with before the first wildcard
};

}  // namespace keywatch::watch
