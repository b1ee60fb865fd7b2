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

/// Reads a BTree bucket: keys in order, each with one value; both are bytes.
///
/// A key that is empty, or whose time is over, is never there: the latter from its deadline on, by
/// the database's clock, though it is removed a little later. All of a transaction or a view is at
/// one time. Lifetime: until the transaction function has returned; after
/// that every use throws `Error::transaction_finished`, and `Error::bucket_not_found` once the
/// transaction has deleted the bucket. Thread safety: none. Any member may throw `Error::damaged`.
class BTreeView {
public:
    /// The value, if the key is there.
    std::optional<std::string> get(std::string_view key) const;

    /// The values of several keys (a range of what a `std::string_view` can be made of), in the
    /// order of the keys.
    template <class Keys>
    std::vector<std::optional<std::string>> get_many(Keys&& keys) const
    {
        std::vector<std::optional<std::string>> values;
        for (auto&& key : keys) {
            values.push_back(get(key));
        }
        return values;
    }
    /// The same, of a list in braces.
    std::vector<std::optional<std::string>> get_many(
        std::initializer_list<std::string_view> keys) const
    {
        return get_many<>(keys);
    }

    /// Whether the key is there.
    bool contains(std::string_view key) const;

    // These three read the whole value, and give a part of what `get` would.

    /// How many bytes the value has, if the key is there.
    std::optional<std::size_t> value_length(std::string_view key) const;

    /// The bytes of the value from `offset` on, at most `length`: fewer, or none, where it ends
    /// earlier. Nothing if the key is not there.
    std::optional<std::string> substring(std::string_view key, std::size_t offset,
                                         std::size_t length = std::string::npos) const;

    /// A bit of the value: 0 is the most significant one of the first byte, 8 that of the second.
    /// False beyond the end of the value, and if the key is not there.
    bool get_bit(std::string_view key, std::uint64_t offset) const;

    /// The time that the key still has; nothing if it is not there or has no deadline.
    std::optional<std::chrono::milliseconds> ttl(std::string_view key) const;

    /// The smallest key, if there is any.
    std::optional<std::string> first_key() const;
    /// The largest key, if there is any.
    std::optional<std::string> last_key() const;

    /// Entries with first <= key < last.
    BTreeRange range(std::string_view first, std::string_view last, Scan scan = {}) const;

    /// Entries whose key begins with `prefix`; all of them if it is empty.
    BTreeRange prefix(std::string_view prefix, Scan scan = {}) const;

    /// All entries.
    BTreeRange scan(Scan scan = {}) const;

    /// An iterator that stands nowhere yet.
    BTreeIterator iterator() const;

protected:
    /// @cond no part of the interface
    friend class Snapshot;
    BTreeView(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket);

    std::shared_ptr<structures::Workspace> workspace_;
    std::uint32_t bucket_;
    /// @endcond
};

/// Reads and writes a BTree bucket.
///
/// What changes a value makes one `put` message with the whole new value. What changes nothing (an
/// `increment` by 0, an `append` of nothing, a bit that is as it should be, a `put_if_...` that
/// does not apply) writes nothing, makes no message, and does not create the key. The message also
/// has the value that was replaced, as `previous`, where it was read anyway: all but those of `put`
/// and `put_many`, which need `Options::previous_values` for that.
///
/// A key may have a deadline. What gives it a value anew (`put`, `put_if_...`, `exchange`) clears
/// it, unless that is given a time to live; what changes the value (`increment`, `append`,
/// `set_bit`) keeps it. Within a second of its deadline the key is removed, while the event loop of
/// the database runs: one `erase` message with the cause `expired` and the value it had. Who writes
/// to it before that removes it first, with the same message, and finds it not there.
///
/// Errors: `Error::empty_key`, but of `erase` and the two for deadlines; `Error::invalid_ttl` of a
/// time to live that is not positive, or of more than 1000 years; `Error::transaction_too_large`,
/// by which the transaction is lost even if its function goes on. After any other error the value
/// is as it was.
class BTree : public BTreeView {
public:
    /// Sets the value of a key: always one message, also if the value is the same.
    void put(std::string_view key, std::string_view value);
    /// The same, and the key has this time to live from now on, to the millisecond.
    void put(std::string_view key, std::string_view value, std::chrono::milliseconds ttl);

    /// Sets the values of several keys (a range of pairs), one after the other. If it throws, those
    /// before are set, and are committed if the function goes on.
    template <class Entries>
    void put_many(Entries&& entries)
    {
        for (auto&& [key, value] : entries) {
            put(key, value);
        }
    }
    /// The same, of a list in braces.
    void put_many(std::initializer_list<std::pair<std::string_view, std::string_view>> entries)
    {
        put_many<>(entries);
    }
    /// The same, each with this time to live.
    template <class Entries>
    void put_many(Entries&& entries, std::chrono::milliseconds ttl)
    {
        for (auto&& [key, value] : entries) {
            put(key, value, ttl);
        }
    }
    /// The same, of a list in braces.
    void put_many(std::initializer_list<std::pair<std::string_view, std::string_view>> entries,
                  std::chrono::milliseconds ttl)
    {
        put_many<>(entries, ttl);
    }

    /// Sets the value if the key is not there, and tells whether that was so.
    bool put_if_absent(std::string_view key, std::string_view value);
    /// The same, with this time to live: a lock that comes free by itself.
    bool put_if_absent(std::string_view key, std::string_view value, std::chrono::milliseconds ttl);
    /// Sets the value if the key is there, and tells whether that was so.
    bool put_if_present(std::string_view key, std::string_view value);

    /// As `put`, and gives the value that was there before, if any.
    std::optional<std::string> exchange(std::string_view key, std::string_view value);

    /// Adds to the number that the value is, 0 if the key is not there, and gives the result. It is
    /// stored as decimal text, as `std::to_string` writes it.
    ///
    /// Errors: `Error::not_a_number` for any other text, so for `+1`, `01`, `-0`, ` 1`, and for an
    /// empty value; `Error::number_overflow`.
    std::int64_t increment(std::string_view key, std::int64_t by = 1);
    /// The same with the difference.
    std::int64_t decrement(std::string_view key, std::int64_t by = 1);

    /// Adds to the end of the value, an empty one if the key is not there, and gives its new
    /// length. The whole value is written, and with its message the old one: each call costs about
    /// what a `put` of both would.
    std::size_t append(std::string_view key, std::string_view suffix);

    /// Sets a bit, numbered as for `get_bit`, and gives what it was. Setting one beyond the end
    /// makes the value longer, with zero bytes. The whole value is written, as by `append`.
    bool set_bit(std::string_view key, std::uint64_t offset, bool bit);

    /// Removes a key, and tells whether it was there: then one `erase` message, with the value it
    /// had as `previous`.
    bool erase(std::string_view key);

    /// From now on the key has this time to live, to the millisecond; tells whether it is there.
    /// One `ttl` message with the deadline, unless it is what it was.
    bool set_ttl(std::string_view key, std::chrono::milliseconds ttl);
    /// The key lives for ever; tells whether it is there and had a deadline: then one `ttl` message
    /// without one.
    bool clear_ttl(std::string_view key);

private:
    friend class Transaction;
    BTree(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket)
        : BTreeView(std::move(workspace), bucket)
    {
    }
};

}  // namespace keywatch
