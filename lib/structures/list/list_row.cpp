// SPDX-License-Identifier: BSL-1.0
#include "list_row.hpp"

#include "bytes/numbers.hpp"
#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <utility>

namespace keywatch::structures::list {

namespace {

/// The sequence number of a new list's first element: in the middle, so that neither end is ever
/// reached.
constexpr std::uint64_t first_of_new = std::uint64_t{1} << 63;
constexpr std::size_t sequence_bytes = 8;

[[noreturn]] void fail_damaged(const char* what)
{
    fail(Error::damaged, what);
}

Row row_of(collection::Header header)
{
    if (header.content.size() != sequence_bytes) {
        fail_damaged("the header of a list");
    }
    const auto first = bytes::load_fixed<std::uint64_t>(header.content.data());
    return {std::move(header), first};
}

std::optional<Row> row_of(std::optional<collection::Header> header)
{
    return header ? std::optional(row_of(std::move(*header))) : std::nullopt;
}

}  // namespace

std::optional<Row> find(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    return row_of(collection::find(workspace, bucket, key));
}

std::optional<Row> find_to_write(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    return row_of(collection::find_to_write(workspace, bucket, key));
}

Row find_or_create(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    collection::Header header = collection::find_or_create(workspace, bucket, key);
    return header.size == 0 ? Row{std::move(header), first_of_new} : row_of(std::move(header));
}

void save(Workspace& workspace, BucketIndex bucket, std::string_view key, Row row)
{
    row.header.content.clear();
    bytes::append_fixed(row.header.content, row.first);
    collection::save(workspace, bucket, key, row.header);
}

Row renewed(Workspace& workspace, BucketIndex bucket, const Row& row)
{
    Row renewed{row.header, first_of_new};
    renewed.header.size = 0;
    collection::renew(workspace, bucket, renewed.header);
    return renewed;
}

ElementKeys::ElementKeys(const Row& row)
    : key_(collection::element_prefix(row.header.id)), first_(row.first)
{
    key_.append(sequence_bytes, '\0');
}

std::string_view ElementKeys::at(std::uint64_t index)
{
    bytes::store_fixed(key_.data() + key_.size() - sequence_bytes, first_ + index);
    return key_;
}

ElementIterator::ElementIterator(const Workspace& workspace, BucketIndex bucket, const Row& row,
                                 std::uint64_t index, Direction direction)
    : keys_(row), iterator_(workspace.iterate(bucket)), index_(index), direction_(direction)
{
    if (direction_ == Direction::forward) {
        iterator_->seek(keys_.at(index_));
    } else {
        iterator_->seek_before(std::string(keys_.at(index_)) + '\0');
    }
    check();
}

void ElementIterator::next()
{
    if (direction_ == Direction::forward) {
        ++index_;
        iterator_->next();
    } else {
        --index_;
        iterator_->previous();
    }
    check();
}

void ElementIterator::check()
{
    if (!iterator_->valid() || iterator_->key() != keys_.at(index_)) {
        fail_damaged("an element of a list is missing");
    }
}

std::string read(const Workspace& workspace, BucketIndex bucket, const Row& row,
                 std::uint64_t index)
{
    std::optional<std::string> element = workspace.get(bucket, ElementKeys(row).at(index));
    if (!element) {
        fail_damaged("an element of a list is missing");
    }
    return std::move(*element);
}

}  // namespace keywatch::structures::list
