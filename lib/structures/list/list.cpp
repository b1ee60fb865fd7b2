// SPDX-License-Identifier: BSL-1.0
#include "list.hpp"

#include "list_index.hpp"
#include "list_row.hpp"

#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <optional>
#include <utility>

namespace keywatch::structures::list {

namespace {

void record(Workspace& workspace, BucketIndex bucket, Operation operation, std::string_view key,
            std::string_view value)
{
    Message message;
    message.operation = operation;
    message.key = key;
    message.value = value;
    workspace.record(bucket, message);
}

/// The elements of a part of a list. The size of the list is looked up when a walk starts.
class Elements final : public detail::Cursor<std::string_view> {
public:
    Elements(std::shared_ptr<Workspace> workspace, BucketIndex bucket, std::string_view key,
             std::int64_t first, std::int64_t last)
        : workspace_(std::move(workspace)), bucket_(bucket), key_(key), first_(first), last_(last)
    {
    }

    void start() override
    {
        const std::optional<Row> row = find(*workspace_, bucket_, key_);
        const Span span = resolve(first_, last_, row ? row->size() : 0);
        left_ = span.size();
        elements_.reset();
        if (left_ > 0) {
            elements_.emplace(*workspace_, bucket_, *row, span.begin,
                              ElementIterator::Direction::forward);
        }
    }
    bool valid() const override { return left_ > 0; }
    void next() override
    {
        if (--left_ > 0) {
            elements_->next();
        }
    }
    std::string_view current() const override { return elements_->value(); }

private:
    std::shared_ptr<Workspace> workspace_;
    BucketIndex bucket_;
    std::string key_;
    std::int64_t first_;
    std::int64_t last_;
    std::optional<ElementIterator> elements_;
    std::uint64_t left_ = 0;
};

/// Removes and returns the first or the last element.
std::optional<std::string> pop(Workspace& workspace, BucketIndex bucket, std::string_view key,
                               Operation operation)
{
    std::optional<Row> row = find_to_write(workspace, bucket, key);
    if (!row) {
        return std::nullopt;
    }
    const bool front = operation == Operation::pop_front;
    const std::uint64_t index = front ? 0 : row->size() - 1;
    std::string value = read(workspace, bucket, *row, index);
    workspace.erase(bucket, ElementKeys(*row).at(index));
    row->first += front ? 1 : 0;
    --row->header.size;
    save(workspace, bucket, key, *row);
    record(workspace, bucket, operation, key, value);
    return value;
}

/// Moves each element of a part by one index towards the front.
void move_forward(Workspace& workspace, BucketIndex bucket, const Row& row, Span span)
{
    ElementKeys keys(row);
    ElementIterator elements(workspace, bucket, row, span.begin,
                             ElementIterator::Direction::forward);
    for (std::uint64_t index = span.begin; index < span.end; ++index) {
        if (index > span.begin) {
            elements.next();
        }
        workspace.put(bucket, keys.at(index - 1), elements.value());
    }
}

/// Same as `move_forward`, towards the back.
void move_backward(Workspace& workspace, BucketIndex bucket, const Row& row, Span span)
{
    ElementKeys keys(row);
    ElementIterator elements(workspace, bucket, row, span.end - 1,
                             ElementIterator::Direction::backward);
    for (std::uint64_t index = span.end; index > span.begin; --index) {
        if (index < span.end) {
            elements.next();
        }
        workspace.put(bucket, keys.at(index), elements.value());
    }
}

}  // namespace

std::optional<std::string> at(const Workspace& workspace, BucketIndex bucket, std::string_view key,
                              std::int64_t index)
{
    const std::optional<Row> row = find(workspace, bucket, key);
    const auto resolved = resolve(index, row ? row->size() : 0);
    return resolved ? std::optional(read(workspace, bucket, *row, *resolved)) : std::nullopt;
}

Range<std::string_view> range(const std::shared_ptr<Workspace>& workspace, BucketIndex bucket,
                              std::string_view key, std::int64_t first, std::int64_t last)
{
    return Range<std::string_view>(std::make_shared<Elements>(workspace, bucket, key, first, last));
}

std::uint64_t push_front(Workspace& workspace, BucketIndex bucket, std::string_view key,
                         std::span<const std::string_view> values)
{
    if (values.empty()) {
        return collection::size(workspace, bucket, key);
    }
    Row row = find_or_create(workspace, bucket, key);
    ElementKeys keys(row);
    std::uint64_t index = 0;
    for (const std::string_view value : values) {
        workspace.put(bucket, keys.at(--index), value);
        record(workspace, bucket, Operation::push_front, key, value);
    }
    row.first -= values.size();
    row.header.size += values.size();
    save(workspace, bucket, key, row);
    return row.size();
}

std::uint64_t push_back(Workspace& workspace, BucketIndex bucket, std::string_view key,
                        std::span<const std::string_view> values)
{
    if (values.empty()) {
        return collection::size(workspace, bucket, key);
    }
    Row row = find_or_create(workspace, bucket, key);
    ElementKeys keys(row);
    for (const std::string_view value : values) {
        workspace.put(bucket, keys.at(row.header.size++), value);
        record(workspace, bucket, Operation::push_back, key, value);
    }
    save(workspace, bucket, key, row);
    return row.size();
}

std::optional<std::string> pop_front(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    return pop(workspace, bucket, key, Operation::pop_front);
}

std::optional<std::string> pop_back(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    return pop(workspace, bucket, key, Operation::pop_back);
}

void set(Workspace& workspace, BucketIndex bucket, std::string_view key, std::int64_t index,
         std::string_view value)
{
    const std::optional<Row> row = find_to_write(workspace, bucket, key);
    const auto resolved = resolve(index, row ? row->size() : 0);
    if (!resolved) {
        fail(Error::index_out_of_range);
    }
    const std::string previous = read(workspace, bucket, *row, *resolved);
    if (previous == value) {
        return;
    }
    workspace.put(bucket, ElementKeys(*row).at(*resolved), value);
    Message message;
    message.operation = Operation::set;
    message.key = key;
    message.value = value;
    message.previous = previous;
    message.list_index = resolved;
    workspace.record(bucket, message);
}

std::uint64_t insert(Workspace& workspace, BucketIndex bucket, std::string_view key,
                     std::int64_t index, std::string_view value)
{
    if (key.empty()) {
        fail(Error::empty_key);
    }
    std::optional<Row> row = find_to_write(workspace, bucket, key);
    const std::uint64_t size = row ? row->size() : 0;
    const bool appends = index >= 0 && magnitude(index) == size;
    const auto resolved = appends ? size : resolve(index, size);
    if (!resolved) {
        fail(Error::index_out_of_range);
    }
    if (!row) {
        row = find_or_create(workspace, bucket, key);
    }
    if (*resolved < size - *resolved) {
        if (*resolved > 0) {
            move_forward(workspace, bucket, *row, {0, *resolved});
        }
        --row->first;
    } else if (*resolved < size) {
        move_backward(workspace, bucket, *row, {*resolved, size});
    }
    ++row->header.size;
    workspace.put(bucket, ElementKeys(*row).at(*resolved), value);
    save(workspace, bucket, key, *row);
    Message message;
    message.operation = Operation::insert;
    message.key = key;
    message.value = value;
    message.list_index = resolved;
    workspace.record(bucket, message);
    return row->size();
}

}  // namespace keywatch::structures::list
