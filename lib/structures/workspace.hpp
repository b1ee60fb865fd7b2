// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>
#include <keywatch/transaction.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keywatch::structures {

/// A bucket's place among those that a workspace has looked up.
using BucketIndex = std::uint32_t;

/// Walks over the keys of one bucket, in the order of their bytes.
class KeyIterator {
public:
    virtual ~KeyIterator() = default;

    virtual bool valid() const = 0;
    /// To the first key that is not less.
    virtual void seek(std::string_view key) = 0;
    /// To the last key that is less.
    virtual void seek_before(std::string_view key) = 0;
    virtual void first() = 0;
    virtual void last() = 0;
    // Of a valid one; the views last until it is moved.
    virtual void next() = 0;
    virtual void previous() = 0;
    virtual std::string_view key() const = 0;
    virtual std::string_view value() const = 0;
};

/// What a structure sees of a transaction: per bucket an ordered key space, and a place to tell
/// what it changed. Read-only ones throw logic errors from the functions that write.
///
/// Everything throws `Error::transaction_finished` once the transaction's function has returned,
/// and `Error::bucket_not_found` for a bucket that the transaction itself has deleted.
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

    /// When things expire that have a deadline: one time for the whole transaction.
    virtual Time now() const = 0;
    /// Whether a key of the bucket may have a deadline: false if none ever had.
    virtual bool has_deadlines(BucketIndex bucket) const = 0;

    virtual std::optional<std::string> get(BucketIndex bucket, std::string_view key) const = 0;
    virtual std::shared_ptr<KeyIterator> iterate(BucketIndex bucket) const = 0;

    virtual void create_bucket(Structure structure, std::string_view name) = 0;
    virtual void delete_bucket(Structure structure, std::string_view name) = 0;
    virtual void set_origin(std::string_view origin) = 0;
    virtual void save_cursor(std::string_view name, const Position& position) = 0;
    virtual bool delete_cursor(std::string_view name) = 0;
    /// Throws `Error::transaction_too_large` unless that much can still be written. For values that
    /// are made here, before they are; `put` and `record` look for themselves.
    virtual void require_room(std::size_t bytes) = 0;
    virtual void put(BucketIndex bucket, std::string_view key, std::string_view value) = 0;
    virtual void erase(BucketIndex bucket, std::string_view key) = 0;
    /// Erases all keys that begin with `prefix`, in the background: they may still be seen. Nothing
    /// may be written there again.
    virtual void drop(BucketIndex bucket, std::string_view prefix) = 0;
    /// A user's key has got the deadline `after` instead of `before`; nothing: none.
    virtual void move_deadline(BucketIndex bucket, std::string_view key, std::optional<Time> before,
                               std::optional<Time> after) = 0;
    /// Whether messages are to tell what they replaced also where that takes a read.
    virtual bool records_previous() const = 0;
    /// One message; of its fields the structure, revision, index, bucket, time and origin are
    /// filled in here.
    virtual void record(BucketIndex bucket, const Message& message) = 0;
};

}  // namespace keywatch::structures
