// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "layout.hpp"

#include <keywatch/transaction.hpp>

#include <cstddef>
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
    bool created;  ///< else deleted
};

/// Which buckets there are: a plain map. Its users see to locking.
class Catalogue {
public:
    std::optional<BucketId> find(Structure structure, std::string_view name) const;
    /// How many structures have a bucket of this name.
    std::size_t count(std::string_view name) const;
    std::vector<Bucket> list() const;
    void add(Structure structure, std::string_view name, BucketId id);
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
};

}  // namespace keywatch::storage
