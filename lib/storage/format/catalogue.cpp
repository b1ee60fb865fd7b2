// SPDX-License-Identifier: BSL-1.0
#include "catalogue.hpp"

#include <algorithm>

namespace keywatch::storage {

namespace {

constexpr Structure all_structures[] = {Structure::btree, Structure::list, Structure::set,
                                        Structure::sorted_set};

}  // namespace

std::optional<BucketId> Catalogue::find(Structure structure, std::string_view name) const
{
    const auto found = buckets_.find(std::pair{structure, name});
    return found != buckets_.end() ? std::optional{found->second} : std::nullopt;
}

std::optional<Bucket> Catalogue::find_expiring(BucketId id) const
{
    const auto found = expiring_.find(id);
    return found != expiring_.end() ? std::optional{found->second} : std::nullopt;
}

std::size_t Catalogue::count(std::string_view name) const
{
    return static_cast<std::size_t>(
        std::count_if(std::begin(all_structures), std::end(all_structures),
                      [&](Structure structure) { return find(structure, name).has_value(); }));
}

std::vector<Bucket> Catalogue::list() const
{
    std::vector<Bucket> buckets;
    buckets.reserve(buckets_.size());
    for (const auto& [bucket, id] : buckets_) {
        buckets.push_back({bucket.first, bucket.second});
    }
    return buckets;
}

void Catalogue::add(Structure structure, std::string_view name, const CatalogueEntry& entry)
{
    buckets_.insert_or_assign(std::pair{structure, std::string(name)}, entry.id);
    if (entry.deadlines) {
        expiring_.insert_or_assign(entry.id, Bucket{structure, std::string(name)});
    }
}

void Catalogue::apply(const std::vector<CatalogueChange>& changes)
{
    for (const CatalogueChange& change : changes) {
        switch (change.kind) {
        case CatalogueChange::Kind::created:
            add(change.structure, change.name, {change.id, false});
            break;
        case CatalogueChange::Kind::got_deadlines:
            expiring_.insert_or_assign(change.id, Bucket{change.structure, change.name});
            break;
        case CatalogueChange::Kind::deleted:
            buckets_.erase({change.structure, change.name});
            expiring_.erase(change.id);
            break;
        }
    }
}

}  // namespace keywatch::storage
