// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::structures {
class Workspace;
class KeyIterator;
}  // namespace keywatch::structures

namespace [[gnu::visibility("default")]] keywatch {

/// How a scan goes.
struct Scan {
    /// Largest number of entries.
    std::size_t limit = std::numeric_limits<std::size_t>::max();
    /// From the last entry to the first.
    bool reverse = false;
};

/// Walks over the entries of a BTree bucket in the order of their keys, byte by byte, both ways.
///
/// Within a transaction it sees the transaction's own writes; of those made while it stands
/// somewhere, it sees the ones that lie ahead of it. Moving beyond either end makes it invalid; a
/// `seek` makes it valid again.
///
/// Lifetime: until the transaction function has returned; after that every use throws
/// `Error::transaction_finished`. Thread safety: none, as the function it belongs to.
class BTreeIterator {
public:
    /// What is moved from can only be destroyed or assigned to.
    BTreeIterator(BTreeIterator&&) noexcept;
    /// As the constructor.
    BTreeIterator& operator=(BTreeIterator&&) noexcept;
    ~BTreeIterator();

    /// Whether it stands on an entry.
    bool valid() const;

    /// To the first entry whose key is not less than `key`.
    void seek(std::string_view key);
    /// To the last entry whose key is less than `key`.
    void seek_before(std::string_view key);
    /// To the first entry of the bucket.
    void first();
    /// To the last entry of the bucket.
    void last();

    /// To the entry behind. Precondition, as of the next three: valid().
    void next();
    /// To the entry before.
    void previous();
    /// The entry's key; the view is valid until the iterator is moved.
    std::string_view key() const;
    /// The entry's value; the view is valid until the iterator is moved.
    std::string_view value() const;

private:
    friend class BTreeView;
    BTreeIterator(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket);

    std::shared_ptr<structures::Workspace> workspace_;
    std::shared_ptr<structures::KeyIterator> iterator_;
};

/// The entries of a part of a BTree bucket, one after the other: `for (auto [key, value] : range)`.
///
/// Single pass: `begin()` starts the scan anew. Lifetime: as of `BTreeIterator`; a key and value
/// are valid until the next step.
class BTreeRange {
public:
    /// A key and its value.
    using Entry = std::pair<std::string_view, std::string_view>;

    /// An input iterator, as `for` needs it: all copies move together.
    class Iterator {
    public:
        /// @cond what iterators have
        using iterator_category = std::input_iterator_tag;
        using value_type = Entry;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = Entry;

        Entry operator*() const { return range_->current(); }
        Iterator& operator++()
        {
            range_->advance();
            return *this;
        }
        void operator++(int) { range_->advance(); }
        bool done() const { return range_->done(); }
        friend bool operator==(const Iterator& a, std::default_sentinel_t) { return a.done(); }
        /// @endcond

    private:
        friend class BTreeRange;
        explicit Iterator(BTreeRange* range) : range_(range) {}
        BTreeRange* range_;
    };

    /// Starts the scan, from its first entry.
    Iterator begin()
    {
        start();
        return Iterator{this};
    }
    /// Where the scan has passed its last entry.
    static std::default_sentinel_t end() { return {}; }

    /// Copies what is left of the scan; the range itself is used up.
    std::vector<std::pair<std::string, std::string>> to_vector();

private:
    friend class BTreeView;
    BTreeRange(BTreeIterator iterator, std::string first, std::optional<std::string> last,
               Scan scan);

    void start();
    void advance();
    bool done() const;
    Entry current() const;

    BTreeIterator iterator_;
    std::string first_;
    std::optional<std::string> last_;
    Scan scan_;
    std::size_t taken_ = 0;
};

/// Reads a BTree bucket: keys in order, each with one value; both are bytes.
///
/// Lifetime: until the transaction function has returned; after that every use throws
/// `Error::transaction_finished`, and `Error::bucket_not_found` once the transaction has deleted
/// the bucket. Thread safety: none. Any member may throw `Error::damaged`.
class BTreeView {
public:
    /// The value, if the key is there.
    std::optional<std::string> get(std::string_view key) const;

    /// Whether the key is there.
    bool contains(std::string_view key) const;

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
class BTree : public BTreeView {
public:
    /// Sets the value of a key: one `put` message, also if the value is the same. A key must not be
    /// empty (`Error::empty_key`). `Error::transaction_too_large`, as of `erase`; the transaction
    /// is then lost even if its function goes on.
    void put(std::string_view key, std::string_view value);

    /// Removes a key, and tells whether it was there: then one `erase` message, with the value it
    /// had as `previous`.
    bool erase(std::string_view key);

private:
    friend class Transaction;
    BTree(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket)
        : BTreeView(std::move(workspace), bucket)
    {
    }
};

}  // namespace keywatch
