// SPDX-License-Identifier: BSL-1.0
#include "workspace_base.hpp"

#include "values/failure.hpp"

#include <utility>

namespace keywatch::embedded {

void check_name(std::string_view name)
{
    if (name.empty() || name.size() > max_name_bytes) {
        fail(Error::invalid_name);
    }
}

void WorkspaceBase::finish() noexcept
{
    finished_ = true;
    for (const auto& each : iterators_) {
        if (const auto iterator = each.lock()) {
            iterator->finish();
        }
    }
    iterators_.clear();
}

std::shared_ptr<structures::KeyIterator> WorkspaceBase::make_iterator(
    structures::BucketIndex bucket, MergedIterator::Layers layers) const
{
    auto iterator = std::make_shared<MergedIterator>(known(bucket).prefix, std::move(layers));
    std::erase_if(iterators_, [](const auto& each) { return each.expired(); });
    iterators_.push_back(iterator);
    return iterator;
}

std::vector<Cursor> WorkspaceBase::list_cursors(const storage::Store& store,
                                                MergedIterator::Layers layers)
{
    std::vector<Cursor> cursors;
    MergedIterator iterator(std::string(1, storage::cursor_area), std::move(layers));
    for (iterator.first(); iterator.valid(); iterator.next()) {
        cursors.push_back(store.cursor(iterator.key(), iterator.value()));
    }
    return cursors;
}

void WorkspaceBase::check_usable() const
{
    if (finished_) {
        fail(Error::transaction_finished);
    }
}

structures::BucketIndex WorkspaceBase::bucket(Structure structure, std::string_view name)
{
    check_usable();
    for (std::size_t i = 0; i < known_.size(); ++i) {
        const KnownBucket& each = known_[i];
        if (!each.deleted && each.structure == structure && each.name == name) {
            return static_cast<structures::BucketIndex>(i);
        }
    }
    const auto id = find_bucket(structure, name);
    if (!id) {
        fail(Error::bucket_not_found, std::string(to_string(structure)) + " " + std::string(name));
    }
    known_.push_back({structure, std::string(name), *id, storage::data_prefix(*id), {}});
    return static_cast<structures::BucketIndex>(known_.size() - 1);
}

bool WorkspaceBase::has_bucket(Structure structure, std::string_view name) const
{
    check_usable();
    return find_bucket(structure, name).has_value();
}

const WorkspaceBase::KnownBucket& WorkspaceBase::known(structures::BucketIndex bucket) const
{
    check_usable();
    const KnownBucket& known = known_.at(bucket);
    if (known.deleted) {
        fail(Error::bucket_not_found,
             std::string(to_string(known.structure)) + " " + known.name + " was deleted");
    }
    return known;
}

WorkspaceBase::KnownBucket& WorkspaceBase::known(structures::BucketIndex bucket)
{
    return const_cast<KnownBucket&>(static_cast<const WorkspaceBase*>(this)->known(bucket));
}

std::string_view WorkspaceBase::full_key(structures::BucketIndex bucket, std::string_view key) const
{
    return full_key_.assign(known(bucket).prefix).append(key);
}

}  // namespace keywatch::embedded
