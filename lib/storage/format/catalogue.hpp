// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "layout.hpp"

#include <keywatch/bucket.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::storage {

/// One change of the catalogue by a transaction.
struct CatalogueChange {
    Structure structure;
    std::string name;
    BucketId id;
    enum class Kind : std::uint8_t { created, deleted, got_deadlines } kind;
};

/// A plain map of all buckets. It is not thread-safe; callers lock.
class Catalogue {
public:
    std::optional<BucketId> find(Structure structure, std::string_view name) const;
    /// Returns the bucket with this id if it exists and a key of it has ever had a deadline.
    std::optional<Bucket> find_expiring(BucketId id) const;
    /// Returns true if a key of this bucket has ever had a deadline.
    bool has_deadlines(BucketId id) const { return !expiring_.empty() && expiring_.contains(id); }
    /// Returns true if a key of any existing bucket has ever had a deadline.
    bool has_deadlines() const noexcept { return !expiring_.empty(); }
    /// Returns the number of structures that have a bucket of this name.
    std::size_t count(std::string_view name) const;
    std::vector<Bucket> list() const;
    void add(Structure structure, std::string_view name, const CatalogueEntry& entry);
    void apply(const std::vector<CatalogueChange>& changes);

private:
    /// Compares pairs that contain a string with pairs that contain a string_view.
    struct Less {
        using is_transparent = void;
        template <class A, class B>
        bool operator()(const A& a, const B& b) const
        {
            return a.first != b.first ? a.first < b.first
                                      : std::string_view(a.second) < std::string_view(b.second);
        }
    };

    std::map<std::pair<Structure, std::string>, BucketId, Less> buckets_;
    /// The buckets whose keys have ever had deadlines.
    std::map<BucketId, Bucket> expiring_;
};

}  // namespace keywatch::storage
