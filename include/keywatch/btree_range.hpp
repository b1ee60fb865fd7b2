// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/key_pattern.hpp>

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

/// The parameters of a scan.
struct Scan {
    /// Number of entries skipped at the beginning. They are stepped over one by one: for a page far
    /// inside a large bucket, a `range` that starts after the last key seen is faster.
    std::size_t offset = 0;
    /// Largest number of entries.
    std::size_t limit = std::numeric_limits<std::size_t>::max();
    /// True to scan from the last entry to the first.
    bool reverse = false;
    /// A pattern that selects entries by their whole key, prefix included. Only selected entries
    /// count for `offset` and `limit`. Entries that are not selected are stepped over.
    std::optional<KeyPattern> pattern{};
};

/// A bidirectional iterator over the entries of a BTree bucket, ordered by key, byte by byte.
///
/// Within a transaction it sees the transaction's own writes. Of the writes made while it is
/// positioned, it sees those ahead of its position. Moving past either end makes it invalid. A seek
/// makes it valid again.
///
/// Lifetime: valid until the transaction function has returned. After that, every use throws
/// `Error::transaction_finished`. Thread safety: none.
class BTreeIterator {
public:
    /// Moves from another iterator, which can afterwards only be destroyed or assigned to.
    BTreeIterator(BTreeIterator&&) noexcept;
    /// Same as the constructor.
    BTreeIterator& operator=(BTreeIterator&&) noexcept;
    ~BTreeIterator();

    /// Returns true if it is positioned on an entry.
    bool valid() const;

    /// Moves to the first entry whose key is not less than `key`.
    void seek(std::string_view key);
    /// Moves to the last entry whose key is less than `key`.
    void seek_before(std::string_view key);
    /// Moves to the first entry of the bucket.
    void first();
    /// Moves to the last entry of the bucket.
    void last();

    /// Moves to the next entry. Precondition of this and the following three: `valid()`.
    void next();
    /// Moves to the previous entry.
    void previous();
    /// Returns the key of the entry. The view is valid until the iterator moves.
    std::string_view key() const;
    /// Returns the value of the entry. The view is valid until the iterator moves.
    std::string_view value() const;

private:
    friend class BTreeView;
    BTreeIterator(std::shared_ptr<structures::Workspace> workspace, std::uint32_t bucket);

    std::shared_ptr<structures::Workspace> workspace_;
    std::shared_ptr<structures::KeyIterator> iterator_;
};

/// The entries of a part of a BTree bucket, in order: `for (auto [key, value] : range)`.
///
/// Single pass: `begin()` restarts the scan. Lifetime: that of a `BTreeIterator`; a key and value
/// are valid until the next step. Errors: those of the bucket and of `Scan::pattern`.
class BTreeRange {
public:
    /// A key and its value.
    using Entry = std::pair<std::string_view, std::string_view>;

    /// An input iterator for range-based `for`. All copies move together.
    class Iterator {
    public:
        /// @cond internal
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

    /// Starts the scan and returns an iterator to its first entry.
    Iterator begin()
    {
        start();
        return Iterator{this};
    }
    /// Returns the end of the scan.
    static std::default_sentinel_t end() { return {}; }

    /// Runs the whole scan and returns copies of its entries.
    std::vector<std::pair<std::string, std::string>> to_vector();
    /// Runs the whole scan and returns copies of its keys.
    std::vector<std::string> keys();
    /// Runs the whole scan and returns copies of its values.
    std::vector<std::string> values();

private:
    friend class BTreeView;
    BTreeRange(BTreeIterator iterator, std::string first, std::optional<std::string> last,
               Scan scan);

    void start();
    void advance();
    bool done() const;
    Entry current() const;
    void step();
    void pass_unselected();
    bool at_end() const;

    BTreeIterator iterator_;
    std::string first_;
    std::optional<std::string> last_;
    Scan scan_;
    std::size_t taken_ = 0;
};

}  // namespace keywatch
