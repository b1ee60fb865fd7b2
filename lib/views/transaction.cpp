// SPDX-License-Identifier: BSL-1.0
#include <keywatch/transaction.hpp>

#include "bytes/glob.hpp"
#include "structures/workspace.hpp"

#include <utility>

namespace [[gnu::visibility("default")]] keywatch {

Snapshot::Snapshot(std::shared_ptr<structures::Workspace> workspace)
    : workspace_(std::move(workspace))
{
}

BTreeView Snapshot::btree(std::string_view bucket) const
{
    return {workspace_, workspace_->bucket(Structure::btree, bucket)};
}

ListView Snapshot::list(std::string_view bucket) const
{
    return {workspace_, workspace_->bucket(Structure::list, bucket)};
}

SetView Snapshot::set(std::string_view bucket) const
{
    return {workspace_, workspace_->bucket(Structure::set, bucket)};
}

SortedSetView Snapshot::sorted_set(std::string_view bucket) const
{
    return {workspace_, workspace_->bucket(Structure::sorted_set, bucket)};
}

bool Snapshot::has_bucket(Structure structure, std::string_view name) const
{
    return workspace_->has_bucket(structure, name);
}

std::vector<Bucket> Snapshot::buckets() const
{
    return workspace_->buckets();
}

std::vector<Bucket> Snapshot::buckets(std::string_view pattern) const
{
    const bytes::Glob glob(pattern);
    std::vector<Bucket> buckets = workspace_->buckets();
    std::erase_if(buckets, [&](const Bucket& each) { return !glob.matches(each.name); });
    return buckets;
}

std::optional<Cursor> Snapshot::cursor(std::string_view name) const
{
    return workspace_->cursor(name);
}

std::vector<Cursor> Snapshot::cursors() const
{
    return workspace_->cursors();
}

Revision Snapshot::revision() const
{
    return workspace_->revision();
}

BTree Transaction::btree(std::string_view bucket)
{
    return {workspace_, workspace_->bucket(Structure::btree, bucket)};
}

List Transaction::list(std::string_view bucket)
{
    return {workspace_, workspace_->bucket(Structure::list, bucket)};
}

Set Transaction::set(std::string_view bucket)
{
    return {workspace_, workspace_->bucket(Structure::set, bucket)};
}

SortedSet Transaction::sorted_set(std::string_view bucket)
{
    return {workspace_, workspace_->bucket(Structure::sorted_set, bucket)};
}

void Transaction::create_bucket(Structure structure, std::string_view name)
{
    workspace_->create_bucket(structure, name);
}

void Transaction::delete_bucket(Structure structure, std::string_view name)
{
    workspace_->delete_bucket(structure, name);
}

void Transaction::set_origin(std::string_view origin)
{
    workspace_->set_origin(origin);
}

void Transaction::save_cursor(std::string_view name, const Position& position)
{
    workspace_->save_cursor(name, position);
}

void Transaction::save_cursor(std::string_view name, Revision revision)
{
    workspace_->save_cursor(name, {workspace_->history_id(), revision});
}

void Transaction::save_cursor(std::string_view name, const Commit& commit)
{
    workspace_->save_cursor(name, commit.position(workspace_->history_id()));
}

bool Transaction::delete_cursor(std::string_view name)
{
    return workspace_->delete_cursor(name);
}

}  // namespace keywatch
