// SPDX-License-Identifier: BSL-1.0
#include "btree.hpp"

#include "bits.hpp"
#include "btree_entry.hpp"
#include "counter.hpp"

#include "values/failure.hpp"

#include <keywatch/error.hpp>

#include <algorithm>
#include <memory>

namespace keywatch::structures::btree {

namespace {

std::optional<std::string> current_key(const KeyIterator& iterator)
{
    return iterator.valid() ? std::optional<std::string>(iterator.key()) : std::nullopt;
}

/// Returns the number that a key contains, or 0 if the key is absent.
std::int64_t number_in(const std::optional<Entry>& entry)
{
    const auto number = entry ? parse_number(entry->value) : 0;
    if (!number) {
        fail(Error::not_a_number);
    }
    return *number;
}

/// Stores another value with the same deadline.
void change(Workspace& workspace, BucketIndex bucket, std::string_view key, std::string_view value,
            const std::optional<Entry>& before)
{
    write(workspace, bucket, key, value, before, before ? before->deadline : std::nullopt);
}

/// Changes a number. `calculate` returns the new number for the old one, or nothing if it does not
/// fit.
template <class Calculate>
std::int64_t change_number(Workspace& workspace, BucketIndex bucket, std::string_view key,
                           Calculate calculate)
{
    require_key(key);
    const std::optional<Entry> entry = find_to_write(workspace, bucket, key);
    const std::int64_t before = number_in(entry);
    const std::optional<std::int64_t> after = calculate(before);
    if (!after) {
        fail(Error::number_overflow);
    }
    if (!entry || *after != before) {
        change(workspace, bucket, key, std::to_string(*after), entry);
    }
    return *after;
}

}  // namespace

std::optional<std::string> get(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<Entry> entry = find(workspace, bucket, key);
    return entry ? std::optional(std::move(entry->value)) : std::nullopt;
}

bool contains(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    return find(workspace, bucket, key).has_value();
}

void put(Workspace& workspace, BucketIndex bucket, std::string_view key, std::string_view value)
{
    require_key(key);
    overwrite(workspace, bucket, key, value, std::nullopt);
}

bool erase(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    const std::optional<Entry> entry = find_to_write(workspace, bucket, key);
    if (entry) {
        remove(workspace, bucket, key, *entry, Cause::user);
    }
    return entry.has_value();
}

std::optional<std::string> substring(const Workspace& workspace, BucketIndex bucket,
                                     std::string_view key, std::size_t offset, std::size_t length)
{
    std::optional<std::string> value = get(workspace, bucket, key);
    if (value) {
        value = value->substr(std::min(offset, value->size()), length);
    }
    return value;
}

bool get_bit(const Workspace& workspace, BucketIndex bucket, std::string_view key,
             std::uint64_t offset)
{
    return bit_at(get(workspace, bucket, key).value_or(""), offset);
}

std::optional<std::string> first_key(const Workspace& workspace, BucketIndex bucket)
{
    const std::shared_ptr<KeyIterator> iterator = workspace.iterate(bucket);
    iterator->first();
    pass_expired(workspace, *iterator, true);
    return current_key(*iterator);
}

std::optional<std::string> last_key(const Workspace& workspace, BucketIndex bucket)
{
    const std::shared_ptr<KeyIterator> iterator = workspace.iterate(bucket);
    iterator->last();
    pass_expired(workspace, *iterator, false);
    return current_key(*iterator);
}

bool put_if_absent(Workspace& workspace, BucketIndex bucket, std::string_view key,
                   std::string_view value)
{
    require_key(key);
    const bool absent = !find_to_write(workspace, bucket, key);
    if (absent) {
        write(workspace, bucket, key, value, std::nullopt, std::nullopt);
    }
    return absent;
}

bool put_if_present(Workspace& workspace, BucketIndex bucket, std::string_view key,
                    std::string_view value)
{
    require_key(key);
    const std::optional<Entry> entry = find_to_write(workspace, bucket, key);
    if (entry) {
        write(workspace, bucket, key, value, entry, std::nullopt);
    }
    return entry.has_value();
}

std::optional<std::string> exchange(Workspace& workspace, BucketIndex bucket, std::string_view key,
                                    std::string_view value)
{
    require_key(key);
    std::optional<Entry> entry = find_to_write(workspace, bucket, key);
    write(workspace, bucket, key, value, entry, std::nullopt);
    return entry ? std::optional(std::move(entry->value)) : std::nullopt;
}

std::int64_t increment(Workspace& workspace, BucketIndex bucket, std::string_view key,
                       std::int64_t by)
{
    return change_number(workspace, bucket, key,
                         [by](std::int64_t before) { return sum(before, by); });
}

std::int64_t decrement(Workspace& workspace, BucketIndex bucket, std::string_view key,
                       std::int64_t by)
{
    return change_number(workspace, bucket, key,
                         [by](std::int64_t before) { return difference(before, by); });
}

std::size_t append(Workspace& workspace, BucketIndex bucket, std::string_view key,
                   std::string_view suffix)
{
    require_key(key);
    const std::optional<Entry> entry = find_to_write(workspace, bucket, key);
    std::string value = entry ? entry->value : std::string();
    if (!suffix.empty()) {
        value += suffix;
        change(workspace, bucket, key, value, entry);
    }
    return value.size();
}

bool set_bit(Workspace& workspace, BucketIndex bucket, std::string_view key, std::uint64_t offset,
             bool bit)
{
    require_key(key);
    const std::optional<Entry> entry = find_to_write(workspace, bucket, key);
    std::string value = entry ? entry->value : std::string();
    const bool previous = bit_at(value, offset);
    if (previous != bit) {
        // Checked before memory is allocated, which may be more than there is.
        workspace.require_room(std::max<std::uint64_t>(bytes_with_bit(offset), value.size()));
        change(workspace, bucket, key, with_bit(std::move(value), offset, bit), entry);
    }
    return previous;
}

}  // namespace keywatch::structures::btree
