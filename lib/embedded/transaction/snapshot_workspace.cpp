// SPDX-License-Identifier: BSL-1.0
#include "snapshot_workspace.hpp"

#include <cassert>

namespace keywatch::embedded {

SnapshotWorkspace::SnapshotWorkspace(const storage::Store& store, const DurableCatalogue& catalogue,
                                     const MonotonicClock& clock)
    : store_(store),
      catalogue_(catalogue),
      clock_(clock),
      version_(catalogue.version()),
      snapshot_(store.snapshot())
{
}

void SnapshotWorkspace::finish() noexcept
{
    WorkspaceBase::finish();
    snapshot_.reset();
}

const HistoryId& SnapshotWorkspace::history_id() const
{
    check_usable();
    return store_.history_id();
}

Revision SnapshotWorkspace::revision() const
{
    check_usable();
    return store_.revision(*snapshot_);
}

Time SnapshotWorkspace::now() const
{
    if (!now_) {
        now_ = clock_.now();
    }
    return *now_;
}

std::optional<storage::BucketId> SnapshotWorkspace::find_bucket(Structure structure,
                                                                std::string_view name) const
{
    std::optional<storage::BucketId> id;
    if (!catalogue_.use_if(version_,
                           [&](const auto& known) { id = known.find(structure, name); })) {
        const auto stored = store_.get(storage::bucket_key(structure, name), snapshot_.get());
        if (const auto entry = stored ? storage::decode_bucket(*stored) : std::nullopt) {
            id = entry->id;
        }
    }
    return id;
}

std::vector<Bucket> SnapshotWorkspace::buckets() const
{
    check_usable();
    std::vector<Bucket> buckets;
    if (catalogue_.use_if(version_, [&](const auto& known) { buckets = known.list(); })) {
        return buckets;
    }
    const auto iterator = store_.iterate(snapshot_.get(), true);
    for (iterator->Seek(leveldb::Slice(&storage::bucket_area, 1)); iterator->Valid();
         iterator->Next()) {
        const leveldb::Slice key = iterator->key();
        const auto parsed = storage::parse_bucket_key({key.data(), key.size()});
        if (!parsed) {
            break;
        }
        buckets.push_back({parsed->first, std::string(parsed->second)});
    }
    return buckets;
}

std::optional<Cursor> SnapshotWorkspace::cursor(std::string_view name) const
{
    check_usable();
    const auto stored = store_.get(storage::cursor_key(name), snapshot_.get());
    return stored ? std::optional(store_.cursor(name, *stored)) : std::nullopt;
}

std::vector<Cursor> SnapshotWorkspace::cursors() const
{
    check_usable();
    return list_cursors(store_, {make_layer(store_.iterate(snapshot_.get(), true))});
}

std::optional<std::string> SnapshotWorkspace::get(structures::BucketIndex bucket,
                                                  std::string_view key) const
{
    return store_.get(full_key(bucket, key), snapshot_.get());
}

std::shared_ptr<structures::KeyIterator> SnapshotWorkspace::iterate(
    structures::BucketIndex bucket) const
{
    check_usable();  // before the store is used, which may be closed
    return make_iterator(bucket, {make_layer(store_.iterate(snapshot_.get(), true))});
}

void SnapshotWorkspace::create_bucket(Structure, std::string_view)
{
    assert(false);
}

void SnapshotWorkspace::delete_bucket(Structure, std::string_view)
{
    assert(false);
}

void SnapshotWorkspace::set_origin(std::string_view)
{
    assert(false);
}

void SnapshotWorkspace::save_cursor(std::string_view, const Position&)
{
    assert(false);
}

bool SnapshotWorkspace::delete_cursor(std::string_view)
{
    assert(false);
    return false;
}

void SnapshotWorkspace::require_room(std::size_t)
{
    assert(false);
}

void SnapshotWorkspace::put(structures::BucketIndex, std::string_view, std::string_view)
{
    assert(false);
}

void SnapshotWorkspace::erase(structures::BucketIndex, std::string_view)
{
    assert(false);
}

void SnapshotWorkspace::drop(structures::BucketIndex, std::string_view)
{
    assert(false);
}

void SnapshotWorkspace::move_deadline(structures::BucketIndex, std::string_view,
                                      std::optional<Time>, std::optional<Time>)
{
    assert(false);
}

void SnapshotWorkspace::record(structures::BucketIndex, const Message&)
{
    assert(false);
}

}  // namespace keywatch::embedded
