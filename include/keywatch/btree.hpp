// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/btree_range.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace [[gnu::visibility("default")]] keywatch {

/// A read-only view of a BTree bucket: an ordered map from keys to values. Keys and values are
/// bytes.
///
/// An empty key never exists. A key with a deadline no longer exists from its deadline on, by the
/// clock of the database, although it is removed a little later. A transaction or view uses the
/// same time throughout.
///
/// Lifetime: valid until the transaction function has returned. After that, every use throws
/// `Error::transaction_finished`. Once the transaction has deleted the bucket, every use throws
/// `Error::bucket_not_found`. Thread safety: none. Any member may throw `Error::damaged`.
class BTreeView {
public:
    /// Returns the value, or nothing if the key does not exist.
    std::optional<std::string> get(std::string_view key) const;

    /// Returns the values of several keys (a range of anything convertible to `std::string_view`),
    /// in the order of the keys.
    template <class Keys>
    std::vector<std::optional<std::string>> get_many(Keys&& keys) const
    {
        std::vector<std::optional<std::string>> values;
        for (auto&& key : keys) {
            values.push_back(get(key));
        }
        return values;
    }
    /// Same as above, for a braced list.
    std::vector<std::optional<std::string>> get_many(
        std::initializer_list<std::string_view> keys) const
    {
        return get_many<>(keys);
    }

    /// Returns true if the key exists.
    bool contains(std::string_view key) const;

    // The following three read the whole value and return a part of what `get` would return.

    /// Returns the length of the value in bytes, or nothing if the key does not exist.
    std::optional<std::size_t> value_length(std::string_view key) const;

    /// Returns at most `length` bytes of the value, starting at `offset`. If the value ends
    /// earlier, the result is shorter or empty. Returns nothing if the key does not exist.
    std::optional<std::string> substring(std::string_view key, std::size_t offset,
                                         std::size_t length = std::string::npos) const;

    /// Returns a bit of the value. Bit 0 is the most significant bit of the first byte, bit 8 that
    /// of the second. Returns false beyond the end of the value and if the key does not exist.
    bool get_bit(std::string_view key, std::uint64_t offset) const;

    /// Returns the remaining time to live, or nothing if the key does not exist or has no deadline.
    std::optional<std::chrono::milliseconds> ttl(std::string_view key) const;

    /// Returns the smallest key, or nothing if the bucket is empty.
    std::optional<std::string> first_key() const;
    /// Returns the largest key, or nothing if the bucket is empty.
    std::optional<std::string> last_key() const;

    /// Returns the entries with first <= key < last.
    BTreeRange range(std::string_view first, std::string_view last, Scan scan = {}) const;

    /// Returns the entries whose key begins with `prefix`. An empty prefix selects all entries.
    BTreeRange prefix(std::string_view prefix, Scan scan = {}) const;

    /// Returns all entries.
    BTreeRange scan(Scan scan = {}) const;

    /// Returns an iterator that is not positioned yet.
    BTreeIterator iterator() const;

protected:
    /// @cond internal
    friend class Snapshot;
    BTreeView(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket);

    std::shared_ptr<structures::Workspace> workspace_;
    std::uint32_t bucket_;
    /// @endcond
};

/// A read-write view of a BTree bucket.
///
/// A member that changes a value produces one `put` message with the whole new value. A member that
/// changes nothing (an `increment` by 0, an `append` of nothing, a bit that already has the value,
/// a `put_if_...` that does not apply) writes nothing, produces no message and does not create the
/// key. If the replaced value was read anyway, the message carries it as `previous`. That holds for
/// all members except `put` and `put_many`, which need `Options::previous_values` for it.
///
/// A key may have a deadline. Members that write a new value (`put`, `put_if_...`, `exchange`)
/// clear it, unless they are passed a time to live. Members that modify the value (`increment`,
/// `append`, `set_bit`) keep it. While the event loop of the database runs, an expired key is
/// removed within a second of its deadline, with one `erase` message that has the cause `expired`
/// and the value as `previous`. If a transaction writes to an expired key before that, the key is
/// removed first, with the same message, and the write proceeds as if the key did not exist.
///
/// Errors: `Error::empty_key`, except from `erase`, `set_ttl` and `clear_ttl`; `Error::invalid_ttl`
/// if a time to live is not positive or exceeds 1000 years; `Error::transaction_too_large`, after
/// which the transaction fails even if its function catches the error. After any other error the
/// value is unchanged.
class BTree : public BTreeView {
public:
    /// Sets the value of a key. Always produces one message, even if the value is the same.
    void put(std::string_view key, std::string_view value);
    /// Same as above, and sets the time to live of the key, counted from now, to the millisecond.
    void put(std::string_view key, std::string_view value, std::chrono::milliseconds ttl);

    /// Sets the values of several keys (a range of pairs), one after the other. If this throws, the
    /// pairs before the failing one have been set, and are committed if the function catches the
    /// exception.
    template <class Entries>
    void put_many(Entries&& entries)
    {
        for (auto&& [key, value] : entries) {
            put(key, value);
        }
    }
    /// Same as above, for a braced list.
    void put_many(std::initializer_list<std::pair<std::string_view, std::string_view>> entries)
    {
        put_many<>(entries);
    }
    /// Same as above, with this time to live for each key.
    template <class Entries>
    void put_many(Entries&& entries, std::chrono::milliseconds ttl)
    {
        for (auto&& [key, value] : entries) {
            put(key, value, ttl);
        }
    }
    /// Same as above, for a braced list.
    void put_many(std::initializer_list<std::pair<std::string_view, std::string_view>> entries,
                  std::chrono::milliseconds ttl)
    {
        put_many<>(entries, ttl);
    }

    /// Sets the value if the key does not exist. Returns true if it did so.
    bool put_if_absent(std::string_view key, std::string_view value);
    /// Same as above, with this time to live. Useful for a lock that is released by itself.
    bool put_if_absent(std::string_view key, std::string_view value, std::chrono::milliseconds ttl);
    /// Sets the value if the key exists. Returns true if it did so.
    bool put_if_present(std::string_view key, std::string_view value);

    /// Same as `put`. Returns the value that was replaced, if any.
    std::optional<std::string> exchange(std::string_view key, std::string_view value);

    /// Adds `by` to the number stored as the value (0 if the key does not exist) and returns the
    /// result. Numbers are stored as decimal text, as `std::to_string` writes them.
    ///
    /// Errors: `Error::not_a_number` for any other text, such as `+1`, `01`, `-0` or ` 1`, and for
    /// an empty value; `Error::number_overflow`.
    std::int64_t increment(std::string_view key, std::int64_t by = 1);
    /// Same as `increment`, but subtracts `by`.
    std::int64_t decrement(std::string_view key, std::int64_t by = 1);

    /// Appends to the value (an empty one if the key does not exist) and returns its new length.
    /// Writes the whole value, and the old value with the message: a call costs about as much as a
    /// `put` of both.
    std::size_t append(std::string_view key, std::string_view suffix);

    /// Sets a bit, numbered as in `get_bit`, and returns its old value. Setting a bit beyond the
    /// end extends the value with zero bytes. Writes the whole value, as `append` does.
    bool set_bit(std::string_view key, std::uint64_t offset, bool bit);

    /// Removes a key. Returns true if it existed. If so, produces one `erase` message with the old
    /// value as `previous`.
    bool erase(std::string_view key);

    /// Sets the time to live of the key, counted from now, to the millisecond. Returns true if the
    /// key exists. Produces one `ttl` message with the deadline, unless the deadline is unchanged.
    bool set_ttl(std::string_view key, std::chrono::milliseconds ttl);
    /// Removes the deadline of the key. Returns true if the key exists and had a deadline. If so,
    /// produces one `ttl` message without a deadline.
    bool clear_ttl(std::string_view key);

private:
    friend class Transaction;
    BTree(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket)
        : BTreeView(std::move(workspace), bucket)
    {
    }
};

}  // namespace keywatch
