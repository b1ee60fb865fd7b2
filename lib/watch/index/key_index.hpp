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

/// The interests in keys of one bucket. The cost of matching a message does not depend on the
/// number of interests that do not match it. The exception are patterns: those whose literal prefix
/// (before the first wildcard) fits the key are tried one by one.
class KeyIndex {
public:
    bool empty() const noexcept
    {
        return all_.empty() && keys_.empty() && prefixes_.empty() && ranges_.empty() &&
               globs_.empty();
    }

    void add(const Reference& reference);
    /// Removes an interest and returns its reference.
    Reference remove(const Interest& interest);

    /// Returns the interests in the whole bucket.
    const References& all() const noexcept { return all_; }
    /// Tells whether all interests of a list match a key, or each must be tested.
    enum class Fit { all, some };

    /// Calls `function` with the lists of all interests that may match the key, except those in
    /// `all`.
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
    /// Calls `function` for every interest that matches the key, except those in `all`.
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
    /// Calls `function` for every interest.
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

    /// Returns all interests.
    std::vector<Reference> list() const;

private:
    References all_;
    boost::unordered_flat_map<std::string, References, BytesHash, std::equal_to<>> keys_;
    PrefixTree prefixes_;
    RangeTree ranges_;
    PrefixTree globs_;  ///< by literal prefix (before the first wildcard)
};

}  // namespace keywatch::watch
