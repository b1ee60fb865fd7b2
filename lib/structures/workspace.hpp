// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/bucket.hpp>
#include <keywatch/cursor.hpp>
#include <keywatch/message.hpp>
#include <keywatch/position.hpp>
#include <keywatch/time.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::structures {

/// The index of a bucket among those that a workspace has looked up.
using BucketIndex = std::uint32_t;

/// An iterator over the keys of one bucket, in the order of their bytes.
class KeyIterator {
public:
    virtual ~KeyIterator() = default;

    virtual bool valid() const = 0;
    /// Moves to the first key that is not less.
    virtual void seek(std::string_view key) = 0;
    /// Moves to the last key that is less.
    virtual void seek_before(std::string_view key) = 0;
    virtual void first() = 0;
    virtual void last() = 0;
    // Precondition of the following: `valid()`. The returned views are valid until the iterator
    // moves.
    virtual void next() = 0;
    virtual void previous() = 0;
    virtual std::string_view key() const = 0;
    virtual std::string_view value() const = 0;
};

/// The interface through which a structure uses a transaction: per bucket an ordered key space, and
/// a record of the changes. The functions that write are never called on read-only workspaces,
/// which assert that.
///
/// Every function throws `Error::transaction_finished` once the transaction's function has
/// returned, and `Error::bucket_not_found` for a bucket that the transaction itself has deleted.
class Workspace {
public:
    virtual ~Workspace() = default;

    virtual const HistoryId& history_id() const = 0;
    virtual Revision revision() const = 0;
    virtual BucketIndex bucket(Structure structure, std::string_view name) = 0;
    virtual bool has_bucket(Structure structure, std::string_view name) const = 0;
    virtual std::vector<Bucket> buckets() const = 0;
    virtual std::optional<Cursor> cursor(std::string_view name) const = 0;
    virtual std::vector<Cursor> cursors() const = 0;

    /// Returns the time by which deadlines have passed: one time for the whole transaction.
    virtual Time now() const = 0;
    /// Returns true if a key of the bucket may have a deadline: false if none ever had.
    virtual bool has_deadlines(BucketIndex bucket) const = 0;

    virtual std::optional<std::string> get(BucketIndex bucket, std::string_view key) const = 0;
    virtual std::shared_ptr<KeyIterator> iterate(BucketIndex bucket) const = 0;

    virtual void create_bucket(Structure structure, std::string_view name) = 0;
    virtual void delete_bucket(Structure structure, std::string_view name) = 0;
    virtual void set_origin(std::string_view origin) = 0;
    virtual void save_cursor(std::string_view name, const Position& position) = 0;
    virtual bool delete_cursor(std::string_view name) = 0;
    /// Throws `Error::transaction_too_large` unless that much can still be written. Called before a
    /// large value is built. `put` and `record` check by themselves.
    virtual void require_room(std::size_t bytes) = 0;
    virtual void put(BucketIndex bucket, std::string_view key, std::string_view value) = 0;
    virtual void erase(BucketIndex bucket, std::string_view key) = 0;
    /// Erases all keys that begin with `prefix`, in the background: they may still be visible.
    /// Nothing may be written there again.
    virtual void drop(BucketIndex bucket, std::string_view prefix) = 0;
    /// Notes that a user's key has the deadline `after` instead of `before`. An empty one means
    /// none.
    virtual void move_deadline(BucketIndex bucket, std::string_view key, std::optional<Time> before,
                               std::optional<Time> after) = 0;
    /// Returns true if messages must contain what they replaced even where that takes a read.
    virtual bool records_previous() const = 0;
    /// Records one message. Its structure, revision, index, bucket, time and origin are filled in
    /// here.
    virtual void record(BucketIndex bucket, const Message& message) = 0;
};

}  // namespace keywatch::structures
