// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "layout.hpp"

#include <keywatch/transaction.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::storage {

/// What one transaction did to the catalogue, in order.
struct CatalogueChange {
    Structure structure;
    std::string name;
    BucketId id;
    enum class Kind : std::uint8_t { created, deleted, got_deadlines } kind;
};

/// Which buckets there are: a plain map. Its users see to locking.
class Catalogue {
public:
    std::optional<BucketId> find(Structure structure, std::string_view name) const;
    /// The bucket that has this id, of those with deadlines; nothing if it is gone.
    std::optional<Bucket> find_expiring(BucketId id) const;
    /// Whether a key of the bucket has ever had a deadline.
    bool has_deadlines(BucketId id) const { return !expiring_.empty() && expiring_.contains(id); }
    /// Whether a key of any of them has.
    bool has_deadlines() const noexcept { return !expiring_.empty(); }
    /// How many structures have a bucket of this name.
    std::size_t count(std::string_view name) const;
    std::vector<Bucket> list() const;
    void add(Structure structure, std::string_view name, const CatalogueEntry& entry);
    void apply(const std::vector<CatalogueChange>& changes);

private:
    /// Pairs of a string and of a view do not compare with each other by themselves.
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
    /// Those whose keys have ever had deadlines.
    std::map<BucketId, Bucket> expiring_;
};

}  // namespace keywatch::storage
