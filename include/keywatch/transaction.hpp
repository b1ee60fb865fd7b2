// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/btree.hpp>
#include <keywatch/bucket.hpp>
#include <keywatch/cursor.hpp>
#include <keywatch/list.hpp>
#include <keywatch/message.hpp>
#include <keywatch/set.hpp>
#include <keywatch/sorted_set.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace keywatch::structures {
class Workspace;
}

namespace [[gnu::visibility("default")]] keywatch {

/// A read-only view of the database at one durable revision, passed to the function of `view()`.
///
/// Lifetime: valid until the function has returned. Thread safety: none.
class Snapshot {
public:
    /// @cond internal
    explicit Snapshot(std::shared_ptr<structures::Workspace> workspace);
    /// @endcond

    /// Returns a BTree bucket. Throws `Error::bucket_not_found` if there is no BTree bucket of that
    /// name. This and all following members throw `Error::damaged` if the storage cannot be read.
    BTreeView btree(std::string_view bucket) const;
    /// Same as `btree`, for a bucket of lists.
    ListView list(std::string_view bucket) const;
    /// Same as `btree`, for a bucket of sets.
    SetView set(std::string_view bucket) const;
    /// Same as `btree`, for a bucket of sorted sets.
    SortedSetView sorted_set(std::string_view bucket) const;

    /// Returns true if there is a bucket of this structure and name.
    bool has_bucket(Structure structure, std::string_view name) const;

    /// Returns all buckets, ordered by structure, then by name.
    std::vector<Bucket> buckets() const;

    /// Returns the buckets whose whole name matches a pattern, byte by byte: `*` matches any
    /// sequence of bytes (including none, slashes and dots), `?` one byte, `[abc]` and `[a-z]` one
    /// of these bytes, `[!a-z]` one of the other bytes. A backslash removes the special meaning of
    /// the next character, also in brackets. Throws `Error::invalid_pattern` for an open or empty
    /// bracket, a range that goes backwards, and a backslash at the end.
    std::vector<Bucket> buckets(std::string_view pattern) const;

    /// Returns the cursor of this name, or nothing if there is none.
    std::optional<Cursor> cursor(std::string_view name) const;

    /// Returns all cursors, ordered by name. `Database::cursors` also returns their lags.
    std::vector<Cursor> cursors() const;

    /// Returns the revision of the state that is read; in a transaction, the revision that it
    /// builds on. In a view, it may briefly be ahead of `Database::head_revision()` while a commit
    /// is being published.
    Revision revision() const;

protected:
    /// @cond internal
    std::shared_ptr<structures::Workspace> workspace_;
    /// @endcond
};

/// A read-write view of the database, passed to the function of `update()`. It reads its own writes
/// and everything that earlier transactions have written, durable or not.
///
/// Its changes become one commit when the function returns. If the function throws, they are
/// discarded.
class Transaction : public Snapshot {
public:
    /// @cond internal
    using Snapshot::Snapshot;
    /// @endcond

    /// Same as in `Snapshot`, for reading and writing.
    BTree btree(std::string_view bucket);
    /// Same as `btree`, for a bucket of lists.
    List list(std::string_view bucket);
    /// Same as `btree`, for a bucket of sets.
    Set set(std::string_view bucket);
    /// Same as `btree`, for a bucket of sorted sets.
    SortedSet sorted_set(std::string_view bucket);

    /// Creates a bucket. Throws `Error::bucket_exists` if it exists, and `Error::invalid_name` if
    /// the name is empty or longer than 65535 bytes. One `bucket_created` message.
    void create_bucket(Structure structure, std::string_view name);

    /// Deletes a bucket and everything in it. Throws `Error::bucket_not_found` if there is none.
    /// This is one small commit with one `bucket_deleted` message, however large the bucket is; the
    /// space is reclaimed in the background. Existing views of the bucket can no longer be used
    /// (`Error::bucket_not_found`), even if it is created again.
    void delete_bucket(Structure structure, std::string_view name);

    /// Sets a tag that the messages of the commit carry, so that a consumer can tell the source of
    /// a change. At most 65535 bytes (otherwise `Error::invalid_name`).
    void set_origin(std::string_view origin);

    /// Moves the cursor of this name to a position, up to which the consumer has processed
    /// everything. Creates the cursor if it does not exist. The cursor is stored together with the
    /// rest of the transaction or not at all. So if a consumer saves its cursor in the transaction
    /// that writes the results of a commit, and starts with `From::cursor`, each commit takes
    /// effect exactly once, whenever the consumer was stopped.
    ///
    /// From now on, all history after the position is retained, regardless of `HistoryLimits`
    /// (except `hard_bytes`), until the cursor is moved or deleted. A cursor may be moved backwards
    /// as long as that history exists. Saving a cursor produces a commit, but no message. If the
    /// cursor is already at this position, nothing changes, including its time.
    ///
    /// Errors, each of which leaves the cursor unchanged: `invalid_name` (empty, or longer than
    /// 65535 bytes); `watch_disabled`, because without history there are no positions;
    /// `foreign_position`; `position_ahead` if the position is after `revision()`, or within a
    /// commit after it; `Compacted` if history after the position has been trimmed (restart that
    /// consumer from scratch).
    void save_cursor(std::string_view name, const Position& position);
    /// Same as above, for the position at the end of the commit with this revision of this
    /// database.
    void save_cursor(std::string_view name, Revision revision);
    /// Same as above, for a commit received from a watch of this database: see `Commit::position`.
    void save_cursor(std::string_view name, const Commit& commit);

    /// Removes a cursor. Returns true if it existed. History is no longer retained for it. A watch
    /// that started there continues.
    bool delete_cursor(std::string_view name);
};

}  // namespace keywatch
