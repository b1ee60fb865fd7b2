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

/// How a scan goes.
struct Scan {
    /// Entries left out at its beginning. They are walked over: of a page far inside a large
    /// bucket, a `range` from the last key seen is faster.
    std::size_t offset = 0;
    /// Largest number of entries.
    std::size_t limit = std::numeric_limits<std::size_t>::max();
    /// From the last entry to the first.
    bool reverse = false;
    /// Only entries whose whole key, prefix included, is selected; only those count for `offset`
    /// and `limit`. The others are walked over.
    std::optional<KeyPattern> pattern{};
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
/// are valid until the next step. Errors: those of the bucket, and of `Scan::pattern`.
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

    /// Makes the whole scan, and copies its entries.
    std::vector<std::pair<std::string, std::string>> to_vector();
    /// Makes the whole scan, and copies its keys.
    std::vector<std::string> keys();
    /// Makes the whole scan, and copies its values.
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
