// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "structures/collection.hpp"
#include "structures/workspace.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// How a list lies in its bucket (doc/storage.md): the element at an index has the sequence number
/// `first + index`, without gaps, so it is found by arithmetic, and both ends can grow.
namespace keywatch::structures::list {

struct Row {
    collection::Header header;
    /// The sequence number of the first element.
    std::uint64_t first;

    std::uint64_t size() const noexcept { return header.size; }
};

/// As in `collection`.
std::optional<Row> find(const Workspace& workspace, BucketIndex bucket, std::string_view key);
std::optional<Row> find_to_write(Workspace& workspace, BucketIndex bucket, std::string_view key);
Row find_or_create(Workspace& workspace, BucketIndex bucket, std::string_view key);
void save(Workspace& workspace, BucketIndex bucket, std::string_view key, Row row);
/// An empty one under a new id, with the same deadline. The elements of the old one are to be
/// dropped.
Row renewed(Workspace& workspace, BucketIndex bucket, const Row& row);

/// Makes the keys of a list's elements. They may lie beside the row, where it is to grow.
class ElementKeys {
public:
    explicit ElementKeys(const Row& row);

    /// Of the element at an index; before the first one that is a huge number: minus one, and so
    /// on. Valid until the next call.
    std::string_view at(std::uint64_t index);

private:
    std::string key_;
    std::uint64_t first_;
};

/// Walks over elements one by one; reads none that it is not moved to. It sees what is written
/// ahead of it. Throws `Error::damaged` where there is none.
class Walk {
public:
    enum class Direction { forward, backward };

    Walk(const Workspace& workspace, BucketIndex bucket, const Row& row, std::uint64_t index,
         Direction direction);

    std::uint64_t index() const noexcept { return index_; }
    /// Valid until it is moved.
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

/// The element at an index; throws `Error::damaged` if it is not there.
std::string read(const Workspace& workspace, BucketIndex bucket, const Row& row,
                 std::uint64_t index);

}  // namespace keywatch::structures::list
