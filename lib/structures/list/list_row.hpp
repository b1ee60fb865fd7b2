// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "structures/collection.hpp"
#include "structures/workspace.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// The layout of a list in its bucket (doc/storage.md): the element at an index has the sequence
/// number `first + index`, without gaps. So it is found by arithmetic, and both ends can grow.
namespace keywatch::structures::list {

struct Row {
    collection::Header header;
    /// The sequence number of the first element.
    std::uint64_t first;

    std::uint64_t size() const noexcept { return header.size; }
};

/// Same as in `collection`.
std::optional<Row> find(const Workspace& workspace, BucketIndex bucket, std::string_view key);
std::optional<Row> find_to_write(Workspace& workspace, BucketIndex bucket, std::string_view key);
Row find_or_create(Workspace& workspace, BucketIndex bucket, std::string_view key);
void save(Workspace& workspace, BucketIndex bucket, std::string_view key, Row row);
/// Returns an empty row with a new id and the same deadline. The caller must drop the elements of
/// the old row.
Row renewed(Workspace& workspace, BucketIndex bucket, const Row& row);

/// A generator of the keys of a list's elements. The keys may be outside the row, where it will
/// grow.
class ElementKeys {
public:
    explicit ElementKeys(const Row& row);

    /// Returns the key of the element at an index. An index before the first element is a huge
    /// number: minus one, and so on. The result is valid until the next call.
    std::string_view at(std::uint64_t index);

private:
    std::string key_;
    std::uint64_t first_;
};

/// An iterator over elements, one by one. It reads only the elements it is moved to, and sees what
/// is written ahead of it. Throws `Error::damaged` if an element is missing.
class ElementIterator {
public:
    enum class Direction { forward, backward };

    ElementIterator(const Workspace& workspace, BucketIndex bucket, const Row& row,
                    std::uint64_t index, Direction direction);

    std::uint64_t index() const noexcept { return index_; }
    /// Returns the value, which is valid until the iterator moves.
    std::string_view value() const { return iterator_->value(); }
    /// Precondition: there is an element there.
    void next();

private:
    void check();

    ElementKeys keys_;
    std::shared_ptr<KeyIterator> iterator_;
    std::uint64_t index_;
    Direction direction_;
};

/// Returns the element at an index. Throws `Error::damaged` if it is missing.
std::string read(const Workspace& workspace, BucketIndex bucket, const Row& row,
                 std::uint64_t index);

}  // namespace keywatch::structures::list
