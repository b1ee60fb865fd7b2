// SPDX-License-Identifier: BSL-1.0
#include "history_record.hpp"

#include "record_format.hpp"

#include "bytes/numbers.hpp"
#include "bytes/time_range.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <stdexcept>

namespace keywatch::storage {

using namespace bytes;

namespace {

/// The number of names up to which they are searched one by one.
constexpr std::size_t few_names = 8;

/// Returns a time as it is stored. Throws if the time could not be read back, so that the
/// transaction fails.
std::uint64_t checked_time(Time time)
{
    if (!is_storable(time)) {
        throw std::out_of_range("a time cannot be stored in a history record");
    }
    return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

/// Returns the mask of the fields that most messages do not have.
std::uint64_t fields_of_structures(const Message& message)
{
    const auto field = [](bool there, std::uint64_t bit) { return there ? bit : 0; };
    return field(message.score.has_value(), field_score) |
           field(message.previous_score.has_value(), field_previous_score) |
           field(message.list_index.has_value(), field_list_index) |
           field(message.count.has_value(), field_count) |
           field(message.deadline.has_value(), field_deadline);
}

constexpr std::uint64_t structure_fields =
    field_score | field_previous_score | field_list_index | field_count | field_deadline;

std::size_t structure_bytes(const Message& message)
{
    return (message.score ? 8U : 0U) + (message.previous_score ? 8U : 0U) +
           (message.list_index ? varint_bytes(*message.list_index) : 0U) +
           (message.count ? varint_bytes(*message.count) : 0U) + (message.deadline ? 8U : 0U);
}

void append_structure_fields(std::string& out, const Message& message)
{
    if (message.score) {
        append_fixed(out, std::bit_cast<std::uint64_t>(*message.score));
    }
    if (message.previous_score) {
        append_fixed(out, std::bit_cast<std::uint64_t>(*message.previous_score));
    }
    if (message.list_index) {
        append_varint(out, *message.list_index);
    }
    if (message.count) {
        append_varint(out, *message.count);
    }
    if (message.deadline) {
        append_fixed(out, checked_time(*message.deadline));
    }
}

std::uint64_t fields_of(const Message& message)
{
    std::uint64_t fields = 0;
    if (message.operation == Operation::put || !message.value.empty()) {
        fields |= field_value;
    }
    if (message.previous) {
        fields |= field_previous;
    }
    if (message.cause != Cause::user) {
        fields |= field_cause;
    }
    if (message.ends_bucket) {
        fields |= field_ends_bucket;
    }
    return fields | fields_of_structures(message);
}

std::size_t message_bytes(std::uint32_t bucket, std::uint64_t fields, const Message& message)
{
    std::size_t size = varint_bytes(fields) + 2 + varint_bytes(bucket) + string_bytes(message.key);
    if (fields & field_value) {
        size += string_bytes(message.value);
    }
    if (fields & field_previous) {
        size += string_bytes(*message.previous);
    }
    if (fields & field_cause) {
        size += 1;
    }
    return size + ((fields & structure_fields) != 0 ? structure_bytes(message) : 0);
}

std::uint16_t checked_parts(std::size_t bytes)
{
    const std::size_t parts = record_parts(bytes);
    if (parts > std::numeric_limits<std::uint16_t>::max()) {
        throw std::length_error("a history record is too long");
    }
    return static_cast<std::uint16_t>(parts);
}

}  // namespace

std::uint32_t RecordWriter::bucket(std::string_view name)
{
    if (buckets_.size() <= few_names) {
        for (std::size_t place = buckets_.size(); place-- > 0;) {
            if (buckets_[place] == name) {
                return static_cast<std::uint32_t>(place);
            }
        }
    } else if (buckets_.back() == name) {
        return static_cast<std::uint32_t>(buckets_.size() - 1);
    } else if (const auto found = places_.find(std::string(name)); found != places_.end()) {
        return found->second;
    }
    buckets_.emplace_back(name);
    names_bytes_ += string_bytes(name);
    if (buckets_.size() > few_names) {
        for (std::size_t place = places_.size(); place < buckets_.size(); ++place) {
            places_.emplace(buckets_[place], static_cast<std::uint32_t>(place));
        }
    }
    return static_cast<std::uint32_t>(buckets_.size() - 1);
}

void RecordWriter::add(std::uint32_t bucket, const Message& message)
{
    const std::uint64_t fields = fields_of(message);
    const std::size_t size = message_bytes(bucket, fields, message);
    if (message.deadline) {
        checked_time(*message.deadline);  // throws before anything is added
    }
    if (const std::size_t need = body_.size() + varint_bytes(size) + size;
        need > body_.capacity()) {
        body_.reserve(std::max(need, 2 * body_.capacity()));  // one allocation, not many
    }
    append_varint(body_, size);
    append_varint(body_, fields);
    body_ += static_cast<char>(message.structure);
    body_ += static_cast<char>(message.operation);
    append_varint(body_, bucket);
    append_string(body_, message.key);
    if (fields & field_value) {
        append_string(body_, message.value);
    }
    if (fields & field_previous) {
        append_string(body_, *message.previous);
    }
    if (fields & field_cause) {
        body_ += static_cast<char>(message.cause);
    }
    if (fields & structure_fields) {
        append_structure_fields(body_, message);
    }
    ++messages_;
}

std::size_t RecordWriter::table_bytes() const noexcept
{
    return varint_bytes(buckets_.size()) + names_bytes_;
}

std::size_t RecordWriter::bytes() const noexcept
{
    return record_header_bytes + 1 + string_bytes(origin_) + table_bytes() +
           varint_bytes(messages_) + body_.size();
}

std::string RecordWriter::finish(Revision previous, Time time, Totals& totals) const
{
    const std::size_t size = bytes();
    const std::uint16_t parts = checked_parts(size);
    totals.messages += messages_;
    totals.bytes += size;

    char header[record_header_bytes];
    header[0] = static_cast<char>(record_format);
    store_fixed(header + 1, parts);
    store_fixed(header + 3, previous);
    store_fixed(header + 11, checked_time(time));
    store_fixed(header + 19, totals.messages);
    store_fixed(header + 27, totals.bytes);

    std::string record;
    record.reserve(size);
    record.append(header, sizeof header);
    append_string(record, {});  // reserved for further header fields
    append_string(record, origin_);
    append_varint(record, buckets_.size());
    for (const std::string& name : buckets_) {
        append_string(record, name);
    }
    append_varint(record, messages_);
    record += body_;
    return record;
}

}  // namespace keywatch::storage
