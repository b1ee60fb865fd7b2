// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory_resource>
#include <optional>
#include <string_view>

namespace keywatch::embedded {

/// The writes of one transaction: key → value, or nothing for an erased key.
///
/// All bytes are in one arena that only grows, so iterators and the views they have returned
/// survive later writes of the same transaction, and a small transaction allocates nothing here.
class WriteSet {
public:
    using Value = std::optional<std::string_view>;
    using Map = std::pmr::map<std::string_view, Value, std::less<>>;

    WriteSet() = default;
    WriteSet(const WriteSet&) = delete;
    WriteSet& operator=(const WriteSet&) = delete;
    ~WriteSet() = default;

    void put(std::string_view key, std::string_view value) { assign(key, copy(value)); }
    void erase(std::string_view key) { assign(key, std::nullopt); }

    const Map& map() const noexcept { return map_; }

private:
    std::string_view copy(std::string_view bytes)
    {
        char* const place = static_cast<char*>(arena_.allocate(bytes.size(), 1));
        std::ranges::copy(bytes, place);
        return {place, bytes.size()};
    }

    void assign(std::string_view key, Value value)
    {
        const auto at = map_.lower_bound(key);
        if (at == map_.end() || at->first != key) {
            map_.emplace_hint(at, copy(key), value);
        } else {
            at->second = value;
        }
    }

    std::array<std::byte, 512> first_;
    std::pmr::monotonic_buffer_resource arena_{first_.data(), first_.size()};
    Map map_{&arena_};
};

}  // namespace keywatch::embedded
