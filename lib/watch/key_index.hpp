// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "references.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace keywatch::watch {

/// Who wants to know of which keys of one bucket.
class KeyIndex {
public:
    bool empty() const noexcept { return all_.empty() && keys_.empty() && others_.empty(); }

    void add(const Reference& reference);
    /// Gives what the index held.
    Reference remove(const Interest& interest);

    /// Those that follow the whole bucket.
    const References& all() const noexcept { return all_; }
    /// Calls for every interest that matches the key, but for those in `all`.
    template <class Function>
    void match(std::string_view key, Function function) const
    {
        if (const auto at = keys_.find(key); at != keys_.end()) {
            for (const Reference& each : at->second) {
                function(each);
            }
        }
        for (const Reference& each : others_) {
            if (each.interest().matches_key(key)) {
                function(each);
            }
        }
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
        for (const Reference& each : others_) {
            function(each);
        }
    }

private:
    References all_;
    boost::unordered_flat_map<std::string, References, BytesHash, std::equal_to<>> keys_;
    References others_;
};

}  // namespace keywatch::watch
