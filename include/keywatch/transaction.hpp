// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/btree.hpp>
#include <keywatch/cursor.hpp>
#include <keywatch/list.hpp>
#include <keywatch/message.hpp>
#include <keywatch/set.hpp>
#include <keywatch/sorted_set.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::structures {
class Workspace;
}

namespace [[gnu::visibility("default")]] keywatch {

/// A bucket, as `buckets()` lists it.
struct Bucket {
    /// Its kind.
    Structure structure;
    /// Its name, unique among those of its kind.
    std::string name;

    /// Whether both are the same bucket.
    friend bool operator==(const Bucket&, const Bucket&) = default;
};

/// What a function given to `view()` reads from: the database at one durable revision.
///
/// Lifetime: until the function has returned. Thread safety: none.
class Snapshot {
public:
    /// @cond no part of the interface
    explicit Snapshot(std::shared_ptr<structures::Workspace> workspace);
    /// @endcond

    /// `Error::bucket_not_found` if there is no BTree bucket of that name. This and everything
    /// below throws `Error::damaged` if the storage cannot be read.
    BTreeView btree(std::string_view bucket) const;
    /// The same of a bucket of lists.
    ListView list(std::string_view bucket) const;
    /// The same of a bucket of sets.
    SetView set(std::string_view bucket) const;
    /// The same of a bucket of sorted sets.
    SortedSetView sorted_set(std::string_view bucket) const;

    /// Whether there is such a bucket.
    bool has_bucket(Structure structure, std::string_view name) const;

    /// All buckets, by structure, then by name.
    std::vector<Bucket> buckets() const;

    /// Those whose whole name matches a pattern, byte by byte: `*` stands for any bytes (also none,
    /// also slashes and dots), `?` for one, `[abc]` and `[a-z]` for one of these, `[!a-z]` for one
    /// of the others; a backslash takes the meaning from what follows, in brackets too.
    /// `Error::invalid_pattern` for an open or empty bracket, a range that goes backwards, and a
    /// backslash at the end.
    std::vector<Bucket> buckets(std::string_view pattern) const;

    /// The cursor of this name, if there is one.
    std::optional<Cursor> cursor(std::string_view name) const;

    /// All cursors, by name. How far they are behind tells `Database::cursors`.
    std::vector<Cursor> cursors() const;

    /// The revision of what is seen; in a transaction, of what it builds on. Of a view it may be
    /// ahead of `Database::head_revision()` for the moment in which a commit is being published.
    Revision revision() const;

protected:
    /// @cond no part of the interface
    std::shared_ptr<structures::Workspace> workspace_;
    /// @endcond
};

/// What a function given to `update()` works on. It reads its own writes, and everything that
/// earlier transactions have written, durable or not.
///
/// Its changes become one commit when the function returns, and nothing at all when it throws.
class Transaction : public Snapshot {
public:
    /// @cond no part of the interface
    using Snapshot::Snapshot;
    /// @endcond

    /// As in `Snapshot`, to be written to as well.
    BTree btree(std::string_view bucket);
    /// The same of a bucket of lists.
    List list(std::string_view bucket);
    /// The same of a bucket of sets.
    Set set(std::string_view bucket);
    /// The same of a bucket of sorted sets.
    SortedSet sorted_set(std::string_view bucket);

    /// `Error::bucket_exists` if it does; `Error::invalid_name` for an empty name or one longer
    /// than 65535 bytes. One `bucket_created` message.
    void create_bucket(Structure structure, std::string_view name);

    /// Deletes a bucket and all it holds; `Error::bucket_not_found` if there is none. However large
    /// the bucket, this is one small commit with one `bucket_deleted` message; its space comes back
    /// in the background. Views of it are of no use any more (`Error::bucket_not_found`), also if
    /// it is created again.
    void delete_bucket(Structure structure, std::string_view name);

    /// A tag that the commit's messages carry, so that a consumer can tell whose change it is. At
    /// most 65535 bytes (`Error::invalid_name`).
    void set_origin(std::string_view origin);

    /// Moves the cursor of this name to a position, and makes it if there is none: everything up to
    /// there has been dealt with. It is stored with the rest of the transaction or not at all, so a
    /// consumer that saves its cursor in the transaction that writes what it made of a commit, and
    /// starts with `From::cursor`, has dealt with each commit exactly once, whenever it was
    /// stopped.
    ///
    /// History behind the position is kept from now on, beyond the limits of `HistoryLimits` but
    /// for `hard_bytes`, until the cursor is moved or deleted. It may be moved backwards as long as
    /// that history is there. It makes no message, but a commit; unless it is there already, then
    /// nothing has changed, also not the time.
    ///
    /// Errors, of which each leaves it as it was: `invalid_name` (empty, or longer than 65535
    /// bytes); `watch_disabled`, as no history is kept that it could stand in; `foreign_position`;
    /// `position_ahead` of `revision()`, or within a commit after it; `Compacted`, if history
    /// behind the position has been trimmed: start that consumer anew.
    void save_cursor(std::string_view name, const Position& position);
    /// The same, of a revision of this database: everything up to that commit, and all of it.
    void save_cursor(std::string_view name, Revision revision);
    /// The same, of a commit that a watch of this database has given: see `Commit::position`.
    void save_cursor(std::string_view name, const Commit& commit);

    /// Removes a cursor, and tells whether it was there. History is not kept for it any more; a
    /// watch that began there goes on.
    bool delete_cursor(std::string_view name);
};

}  // namespace keywatch
