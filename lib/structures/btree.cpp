// SPDX-License-Identifier: BSL-1.0
#include "btree.hpp"

#include "bits.hpp"
#include "counter.hpp"

#include <keywatch/error.hpp>

#include <algorithm>
#include <memory>

namespace keywatch::structures::btree {

namespace {

constexpr char plain = 0;

[[noreturn]] void fail(Error error)
{
    throw boost::system::system_error(make_error_code(error));
}

void require_key(std::string_view key)
{
    if (key.empty()) {
        fail(Error::empty_key);
    }
}

std::optional<std::string> current_key(const KeyIterator& iterator)
{
    return iterator.valid() ? std::optional<std::string>(iterator.key()) : std::nullopt;
}

/// One `put`, with the value that it replaces where that is known.
void put_over(Workspace& workspace, BucketIndex bucket, std::string_view key,
              std::string_view value, const std::optional<std::string>& previous)
{
    require_key(key);
    std::string stored;
    stored.reserve(value.size() + 1);
    stored += value;
    stored += plain;
    workspace.put(bucket, key, stored);
    Message message;
    message.operation = Operation::put;
    message.key = key;
    message.value = value;
    message.previous = previous;
    workspace.record(bucket, message);
}

/// The number that a key has; 0 if it is not there.
std::int64_t number_in(const std::optional<std::string>& value)
{
    const auto number = value ? parse_number(*value) : 0;
    if (!number) {
        fail(Error::not_a_number);
    }
    return *number;
}

/// `change` gives the new number for the old one, or nothing if it does not fit.
template <class Change>
std::int64_t change_number(Workspace& workspace, BucketIndex bucket, std::string_view key,
                           Change change)
{
    require_key(key);
    const std::optional<std::string> value = get(workspace, bucket, key);
    const std::int64_t before = number_in(value);
    const std::optional<std::int64_t> after = change(before);
    if (!after) {
        fail(Error::number_overflow);
    }
    if (!value || *after != before) {
        put_over(workspace, bucket, key, std::to_string(*after), value);
    }
    return *after;
}

}  // namespace

std::string_view user_value(std::string_view stored)
{
    if (stored.empty() || stored.back() != plain) {
        throw boost::system::system_error(make_error_code(Error::damaged),
                                          "a value of a BTree bucket");
    }
    stored.remove_suffix(1);
    return stored;
}

std::optional<std::string> get(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    std::optional<std::string> stored = workspace.get(bucket, key);
    if (stored) {
        stored->resize(user_value(*stored).size());
    }
    return stored;
}

bool contains(const Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    return workspace.get(bucket, key).has_value();
}

void put(Workspace& workspace, BucketIndex bucket, std::string_view key, std::string_view value)
{
    put_over(workspace, bucket, key, value,
             workspace.records_previous() ? get(workspace, bucket, key) : std::nullopt);
}

bool erase(Workspace& workspace, BucketIndex bucket, std::string_view key)
{
    const std::optional<std::string> previous = get(workspace, bucket, key);
    if (!previous) {
        return false;
    }
    workspace.erase(bucket, key);
    Message message;
    message.operation = Operation::erase;
    message.key = key;
    message.previous = *previous;
    workspace.record(bucket, message);
    return true;
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
    return current_key(*iterator);
}

std::optional<std::string> last_key(const Workspace& workspace, BucketIndex bucket)
{
    const std::shared_ptr<KeyIterator> iterator = workspace.iterate(bucket);
    iterator->last();
    return current_key(*iterator);
}

bool put_if_absent(Workspace& workspace, BucketIndex bucket, std::string_view key,
                   std::string_view value)
{
    require_key(key);
    const bool absent = !contains(workspace, bucket, key);
    if (absent) {
        put_over(workspace, bucket, key, value, std::nullopt);
    }
    return absent;
}

bool put_if_present(Workspace& workspace, BucketIndex bucket, std::string_view key,
                    std::string_view value)
{
    require_key(key);
    const std::optional<std::string> previous = get(workspace, bucket, key);
    if (previous) {
        put_over(workspace, bucket, key, value, previous);
    }
    return previous.has_value();
}

std::optional<std::string> exchange(Workspace& workspace, BucketIndex bucket, std::string_view key,
                                    std::string_view value)
{
    require_key(key);
    std::optional<std::string> previous = get(workspace, bucket, key);
    put_over(workspace, bucket, key, value, previous);
    return previous;
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
    const std::optional<std::string> previous = get(workspace, bucket, key);
    std::string value = previous.value_or("");
    if (!suffix.empty()) {
        value += suffix;
        put_over(workspace, bucket, key, value, previous);
    }
    return value.size();
}

bool set_bit(Workspace& workspace, BucketIndex bucket, std::string_view key, std::uint64_t offset,
             bool bit)
{
    require_key(key);
    const std::optional<std::string> value = get(workspace, bucket, key);
    const std::string_view bytes = value ? std::string_view(*value) : std::string_view();
    const bool previous = bit_at(bytes, offset);
    if (previous != bit) {
        // Before memory is asked for, of which there is not that much.
        workspace.require_room(std::max<std::uint64_t>(bytes_with_bit(offset), bytes.size()));
        put_over(workspace, bucket, key, with_bit(std::string(bytes), offset, bit), value);
    }
    return previous;
}

}  // namespace keywatch::structures::btree
