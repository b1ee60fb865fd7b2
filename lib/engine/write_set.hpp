// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace keywatch::engine {

/// What one transaction has written so far: key → value, or nothing for an erased key.
///
/// Keys stay where they are and values that are replaced are kept, so that iterators and the views
/// they have given out survive later writes of the same transaction.
class WriteSet {
public:
    using Value = std::optional<std::string>;
    /// The values are never null.
    using Map = std::map<std::string, const Value*, std::less<>>;

    void put(std::string_view key, std::string_view value) { assign(key, movable(value)); }
    void erase(std::string_view key) { assign(key, std::nullopt); }

    const Map& map() const noexcept { return map_; }

private:
    /// A copy whose bytes stay where they are when the string is moved: never inside of it.
    static std::string movable(std::string_view value)
    {
        std::string copy;
        copy.reserve(std::max(value.size(), sizeof(std::string)));
        copy = value;
        return copy;
    }

    void assign(std::string_view key, Value value)
    {
        const Value* const newest = &values_.emplace_back(std::move(value));
        const auto at = map_.lower_bound(key);
        if (at == map_.end() || at->first != key) {
            map_.emplace_hint(at, std::string(key), newest);
        } else {
            at->second = newest;
        }
    }

    Map map_;
    /// Not in the map, as a short string's bytes do not stay where they are when it is moved.
    std::deque<Value> values_;
};

}  // namespace keywatch::engine
