// SPDX-License-Identifier: BSL-1.0
// The removal of elements from the middle of a list, or from its ends.
#include "list.hpp"
#include "list_index.hpp"
#include "list_row.hpp"

#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <algorithm>
#include <limits>
#include <vector>

namespace keywatch::structures::list {

namespace {

/// Indexes in ascending order, without duplicates.
using Indexes = std::vector<std::uint64_t>;

void record_removal(Workspace& workspace, BucketIndex bucket, std::string_view key,
                    std::string_view value, std::uint64_t index)
{
    Message message;
    message.operation = Operation::remove;
    message.key = key;
    message.value = value;
    message.list_index = index;
    workspace.record(bucket, message);
}

/// Records a trim. If it leaves nothing, an erase is recorded: "keep 0 from 0 on" would look as if
/// all elements had been kept.
void record_trim(Workspace& workspace, BucketIndex bucket, std::string_view key, Span kept,
                 std::uint64_t dropped)
{
    Message message;
    message.key = key;
    if (kept.size() > 0) {
        message.operation = Operation::trim;
        message.list_index = kept.begin;
        message.count = kept.size();
    } else {
        message.operation = Operation::erase;
        message.count = dropped;
    }
    workspace.record(bucket, message);
}

void erase_elements(Workspace& workspace, BucketIndex bucket, const Row& row, Span span)
{
    ElementKeys keys(row);
    for (std::uint64_t index = span.begin; index < span.end; ++index) {
        workspace.erase(bucket, keys.at(index));
    }
}

/// A run of elements that stay, and the number of removed elements before it.
struct Run {
    Span elements;
    std::size_t removed_before = 0;
};

Run longest_run(const Indexes& removed, std::uint64_t size)
{
    Run longest{{0, removed.front()}, 0};
    for (std::size_t i = 1; i <= removed.size(); ++i) {
        const std::uint64_t end = i < removed.size() ? removed[i] : size;
        const Span elements{removed[i - 1] + 1, end};
        if (elements.size() > longest.elements.size()) {
            longest = {elements, i};
        }
    }
    return longest;
}

/// Moves the remaining elements before a run up to it, and erases the places that become free.
void close_up_before(Workspace& workspace, BucketIndex bucket, const Row& row,
                     const Indexes& removed, const Run& run)
{
    ElementKeys keys(row);
    std::uint64_t to = run.elements.begin;
    std::size_t removed_left = run.removed_before;
    ElementIterator elements(workspace, bucket, row, to - 1, ElementIterator::Direction::backward);
    for (;;) {
        if (removed_left > 0 && removed[removed_left - 1] == elements.index()) {
            --removed_left;
        } else {
            workspace.put(bucket, keys.at(--to), elements.value());
        }
        if (elements.index() == 0) {
            break;
        }
        elements.next();
    }
    erase_elements(workspace, bucket, row, {0, to});
}

/// Same as `close_up_before`, for the remaining elements after the run.
void close_up_after(Workspace& workspace, BucketIndex bucket, const Row& row,
                    const Indexes& removed, const Run& run)
{
    ElementKeys keys(row);
    std::uint64_t to = run.elements.end;
    std::size_t next_removed = run.removed_before;
    ElementIterator elements(workspace, bucket, row, to, ElementIterator::Direction::forward);
    for (;;) {
        if (next_removed < removed.size() && removed[next_removed] == elements.index()) {
            ++next_removed;
        } else {
            workspace.put(bucket, keys.at(to++), elements.value());
        }
        if (elements.index() + 1 == row.size()) {
            break;
        }
        elements.next();
    }
    erase_elements(workspace, bucket, row, {to, row.size()});
}

/// Removes elements and closes the gaps. The longest run of remaining elements is not touched. All
/// other elements move towards it, each once.
void take_away(Workspace& workspace, BucketIndex bucket, std::string_view key, Row row,
               const Indexes& removed)
{
    const Run run = longest_run(removed, row.size());
    if (run.elements.begin > 0) {
        close_up_before(workspace, bucket, row, removed, run);
    }
    if (run.elements.end < row.size()) {
        close_up_after(workspace, bucket, row, removed, run);
    }
    row.first += run.removed_before;
    row.header.size -= removed.size();
    save(workspace, bucket, key, row);
}

/// Returns the indexes of this value, at most `most`, in the order of the elements.
Indexes find_value(const Workspace& workspace, BucketIndex bucket, const Row& row,
                   std::string_view value, ElementIterator::Direction direction, std::uint64_t most)
{
    Indexes found;
    const bool forward = direction == ElementIterator::Direction::forward;
    ElementIterator elements(workspace, bucket, row, forward ? 0 : row.size() - 1, direction);
    for (std::uint64_t left = row.size();;) {
        if (elements.value() == value) {
            found.push_back(elements.index());
        }
        if (--left == 0 || found.size() == most) {
            return found;
        }
        elements.next();
    }
}

/// Resolves all indexes. Throws `Error::index_out_of_range`.
Indexes resolve_all(std::span<const std::int64_t> indexes, std::uint64_t size)
{
    Indexes resolved;
    resolved.reserve(indexes.size());
    for (const std::int64_t index : indexes) {
        const auto each = resolve(index, size);
        if (!each) {
            fail(Error::index_out_of_range);
        }
        resolved.push_back(*each);
    }
    std::ranges::sort(resolved);
    resolved.erase(std::ranges::unique(resolved).begin(), resolved.end());
    return resolved;
}

/// Copies the remaining elements to a new collection. Used if fewer elements stay than are removed.
Row copy(Workspace& workspace, BucketIndex bucket, const Row& row, Span kept)
{
    Row copy = renewed(workspace, bucket, row);
    ElementKeys keys(copy);
    ElementIterator elements(workspace, bucket, row, kept.begin,
                             ElementIterator::Direction::forward);
    for (;;) {
        workspace.put(bucket, keys.at(copy.header.size++), elements.value());
        if (copy.size() == kept.size()) {
            return copy;
        }
        elements.next();
    }
}

}  // namespace

std::uint64_t remove(Workspace& workspace, BucketIndex bucket, std::string_view key,
                     std::string_view value, std::int64_t count)
{
    const std::optional<Row> row = find_to_write(workspace, bucket, key);
    if (!row) {
        return 0;
    }
    const std::uint64_t most =
        count == 0 ? std::numeric_limits<std::uint64_t>::max() : magnitude(count);
    Indexes found = find_value(
        workspace, bucket, *row, value,
        count < 0 ? ElementIterator::Direction::backward : ElementIterator::Direction::forward,
        most);
    if (found.empty()) {
        return 0;
    }
    for (std::uint64_t before = 0; const std::uint64_t index : found) {
        // From the back, nothing before this element has been removed yet.
        record_removal(workspace, bucket, key, value, count < 0 ? index : index - before++);
    }
    std::ranges::sort(found);
    take_away(workspace, bucket, key, *row, found);
    return found.size();
}

std::uint64_t remove_at(Workspace& workspace, BucketIndex bucket, std::string_view key,
                        std::span<const std::int64_t> indexes)
{
    const std::optional<Row> row = find_to_write(workspace, bucket, key);
    const Indexes removed = resolve_all(indexes, row ? row->size() : 0);
    if (removed.empty()) {
        return 0;
    }
    for (std::uint64_t before = 0; const std::uint64_t index : removed) {
        record_removal(workspace, bucket, key, read(workspace, bucket, *row, index),
                       index - before++);
    }
    take_away(workspace, bucket, key, *row, removed);
    return removed.size();
}

std::uint64_t trim(Workspace& workspace, BucketIndex bucket, std::string_view key,
                   std::int64_t first, std::int64_t last)
{
    std::optional<Row> row = find_to_write(workspace, bucket, key);
    const std::uint64_t size = row ? row->size() : 0;
    const Span kept = resolve(first, last, size);
    const std::uint64_t dropped = size - kept.size();
    if (dropped == 0) {
        return size;
    }
    if (kept.size() < dropped) {
        const collection::Header before = row->header;
        if (kept.size() > 0) {
            row = copy(workspace, bucket, *row, kept);
        }
        collection::drop_elements(workspace, bucket, before);
    } else {
        erase_elements(workspace, bucket, *row, {0, kept.begin});
        erase_elements(workspace, bucket, *row, {kept.end, size});
        row->first += kept.begin;
    }
    row->header.size = kept.size();
    save(workspace, bucket, key, *row);
    record_trim(workspace, bucket, key, kept, dropped);
    return kept.size();
}

}  // namespace keywatch::structures::list
