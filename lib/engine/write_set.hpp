// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::engine {

/// What one transaction has written so far: key → value, or nothing for an erased key.
///
/// Keys stay where they are and values that are replaced are kept, so that iterators and the views
/// they have given out survive later writes of the same transaction.
class WriteSet {
public:
    using Map = std::map<std::string, std::optional<std::string>, std::less<>>;

    void put(std::string_view key, std::string_view value) { assign(key, std::string(value)); }
    void erase(std::string_view key) { assign(key, std::nullopt); }

    const Map& map() const noexcept { return map_; }

private:
    void assign(std::string_view key, std::optional<std::string> value)
    {
        const auto at = map_.lower_bound(key);
        if (at == map_.end() || at->first != key) {
            map_.emplace_hint(at, std::string(key), std::move(value));
            return;
        }
        if (at->second) {
            replaced_.push_back(std::move(*at->second));
        }
        at->second = std::move(value);
    }

    Map map_;
    std::vector<std::string> replaced_;
};

}  // namespace keywatch::engine
