// SPDX-License-Identifier: BSL-1.0
#include "history_record.hpp"
#include "record_format.hpp"

#include "bytes/numbers.hpp"
#include "bytes/time_range.hpp"

#include <boost/container/small_vector.hpp>

#include <bit>
#include <new>
#include <utility>

namespace keywatch::storage {

using namespace bytes;

namespace {

using Names = boost::container::small_vector<std::string_view, 8>;

// The switches have no default, so that the compiler warns about operations that are added later.

bool known(Structure structure)
{
    switch (structure) {
    case Structure::btree:
    case Structure::list:
    case Structure::set:
    case Structure::sorted_set:
        return true;
    }
    return false;
}

bool known(Operation operation)
{
    switch (operation) {
    case Operation::put:
    case Operation::erase:
    case Operation::bucket_created:
    case Operation::bucket_deleted:
    case Operation::push_front:
    case Operation::push_back:
    case Operation::pop_front:
    case Operation::pop_back:
    case Operation::insert:
    case Operation::set:
    case Operation::remove:
    case Operation::trim:
    case Operation::add:
    case Operation::rescore:
    case Operation::ttl:
        return true;
    case Operation::gap:
    case Operation::synced:
    case Operation::progress:
        break;  // never part of a commit
    }
    return false;
}

bool known(Cause cause)
{
    switch (cause) {
    case Cause::user:
    case Cause::expired:
    case Cause::bucket_deleted:
        return true;
    }
    return false;
}

/// Reads the table of names. A count that the bytes cannot hold fails before anything is allocated.
bool read_names(ByteReader& in, Names& names)
{
    const std::uint64_t count = in.varint();
    if (count > in.left()) {
        return false;
    }
    names.resize(static_cast<std::size_t>(count));
    for (std::string_view& name : names) {
        name = in.string();
    }
    return !in.failed();
}

void read_structure_fields(ByteReader& in, std::uint64_t fields, Message& message)
{
    if (fields & field_score) {
        message.score = std::bit_cast<double>(in.fixed<std::uint64_t>());
    }
    if (fields & field_previous_score) {
        message.previous_score = std::bit_cast<double>(in.fixed<std::uint64_t>());
    }
    if (fields & field_list_index) {
        message.list_index = in.varint();
    }
    if (fields & field_count) {
        message.count = in.varint();
    }
    if (fields & field_deadline) {
        const auto time = static_cast<std::int64_t>(in.fixed<std::uint64_t>());
        message.deadline = Time{std::chrono::microseconds{time}};
    }
}

/// Reads a message. Bytes after the fields that this version knows come from a later version and
/// are skipped.
bool read_message(std::string_view bytes, const Names& names, Message& message)
{
    ByteReader in(bytes);
    const std::uint64_t fields = in.varint();
    message.structure = static_cast<Structure>(in.byte());
    message.operation = static_cast<Operation>(in.byte());
    const std::uint64_t bucket = in.varint();
    message.key = in.string();
    if (fields & field_value) {
        message.value = in.string();
    }
    if (fields & field_previous) {
        message.previous = in.string();
    }
    if (fields & field_cause) {
        message.cause = static_cast<Cause>(in.byte());
    }
    message.ends_bucket = (fields & field_ends_bucket) != 0;
    if (fields & ~std::uint64_t{field_score - 1}) {
        read_structure_fields(in, fields, message);
    }
    if (message.deadline && !is_storable(*message.deadline)) {
        return false;
    }
    if (in.failed() || bucket >= names.size() || !known(message.structure) ||
        !known(message.operation) || !known(message.cause)) {
        return false;
    }
    message.bucket = names[static_cast<std::size_t>(bucket)];
    return true;
}

bool read_messages(ByteReader& in, const Names& names, CommitRecord& record)
{
    const std::uint64_t count = in.varint();
    if (count > in.left() / smallest_message_bytes) {
        return false;
    }
    record.messages.resize(static_cast<std::size_t>(count));
    std::uint32_t index = 0;
    for (Message& message : record.messages) {
        message.revision = record.revision;
        message.index = index++;
        message.time = record.time;
        message.origin = record.origin;
        if (!read_message(in.string(), names, message)) {
            return false;
        }
    }
    return !in.failed() && in.left() == 0;
}

bool read_record(CommitRecord& record)
{
    const auto header = decode_header(record.bytes);
    if (!header || header->parts != record_parts(record.bytes.size()) ||
        header->previous >= record.revision || header->totals.bytes < record.bytes.size()) {
        return false;
    }
    record.previous = header->previous;
    record.time = header->time;
    ByteReader in(std::string_view(record.bytes).substr(record_header_bytes));
    in.string();  // header fields of a later version
    record.origin = in.string();
    Names names;
    return read_names(in, names) && read_messages(in, names, record) &&
           header->totals.messages >= record.messages.size();
}

}  // namespace

std::optional<RecordHeader> decode_header(std::string_view bytes)
{
    if (bytes.size() < record_header_bytes ||
        static_cast<std::uint8_t>(bytes.front()) != record_format) {
        return std::nullopt;
    }
    const char* at = bytes.data();
    RecordHeader header;
    header.parts = load_fixed<std::uint16_t>(at + 1);
    header.previous = load_fixed<Revision>(at + 3);
    const auto time = static_cast<std::int64_t>(load_fixed<std::uint64_t>(at + 11));
    header.time = Time{std::chrono::microseconds{time}};
    header.totals.messages = load_fixed<std::uint64_t>(at + 19);
    header.totals.bytes = load_fixed<std::uint64_t>(at + 27);
    if (header.parts == 0 || !is_storable(header.time)) {
        return std::nullopt;
    }
    return header;
}

SharedCommit decode_record(Revision revision, std::string_view bytes)
{
    auto record = std::make_shared<CommitRecord>();
    record->revision = revision;
    record->bytes = bytes;  // first, since the views point into it
    return read_record(*record) ? record : nullptr;
}

SharedCommit decode_record(Revision revision, std::pmr::string bytes,
                           const std::shared_ptr<Slab>& slab)
{
    // The record is never destroyed: everything it owns is released with the slab, and every
    // pointer to the record shares ownership of the slab.
    void* const place = slab->allocate(sizeof(CommitRecord), alignof(CommitRecord));
    auto* const record = new (place) CommitRecord(slab.get());
    record->revision = revision;
    record->bytes = std::move(bytes);
    return read_record(*record) ? SharedCommit(slab, record) : nullptr;
}

}  // namespace keywatch::storage
