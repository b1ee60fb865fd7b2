// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/transaction.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch {

/// Puts and erases that will be one transaction, or a few: a list, with all bytes in one string.
class BulkBuffer {
public:
    /// The cost of a write beyond its bytes, about as the engine counts it.
    static constexpr std::size_t overhead = 64;

    void put(std::string_view bucket, std::string_view key, std::string_view value,
             std::optional<std::chrono::milliseconds> ttl);
    void erase(std::string_view bucket, std::string_view key);

    bool empty() const noexcept { return writes_.empty(); }
    std::size_t size() const noexcept { return writes_.size(); }
    std::size_t bytes() const noexcept { return bytes_.size() + writes_.size() * overhead; }

    /// The limits of one transaction. It ends once it has this many bytes. A write of more bytes
    /// than that must be its first one.
    struct Limits {
        std::size_t most_bytes;
        /// True if the message of a put contains the previous value, like that of an erase.
        bool with_previous;
    };
    /// Applies the writes from number `first` on that are within the limits. Returns their number,
    /// which is at least 1.
    std::size_t apply(Transaction& transaction, std::size_t first, const Limits& limits) const;

private:
    struct Write {
        std::size_t at;  ///< offset in bytes_ of the key, which the value follows
        std::size_t key_bytes;
        std::size_t value_bytes;
        std::uint32_t bucket;
        bool erase;
        std::optional<std::chrono::milliseconds> ttl;
    };
    using Buckets = std::map<std::string, std::uint32_t, std::less<>>;

    void add(std::string_view bucket, std::string_view key, std::string_view value, bool erase,
             std::optional<std::chrono::milliseconds> ttl);
    std::uint32_t bucket_number(std::string_view name);
    std::size_t apply_one(BTree& tree, const Write& write, const Limits& limits, bool alone) const;

    std::string bytes_;
    std::vector<Write> writes_;
    Buckets numbers_;
    std::vector<std::string> names_;
};

}  // namespace keywatch
