// SPDX-License-Identifier: BSL-1.0
#include "layout.hpp"

#include "bytes/numbers.hpp"
#include "bytes/time_range.hpp"

namespace keywatch::storage {

using namespace bytes;

namespace {

constexpr std::size_t history_key_bytes = 1 + 8 + 2;
constexpr std::size_t deadline_prefix_bytes = 1 + 8;
constexpr std::size_t data_prefix_bytes = 1 + 4;
constexpr std::size_t cursor_entry_bytes = 8 + 8;
/// The size of an entry whose position is within a commit.
constexpr std::size_t long_cursor_entry_bytes = cursor_entry_bytes + 4;
constexpr std::uint64_t has_deadlines = std::uint64_t{1} << 32;
constexpr std::uint64_t sign = std::uint64_t{1} << 63;

bool is_structure(char byte)
{
    return byte >= static_cast<char>(Structure::btree) &&
           byte <= static_cast<char>(Structure::sorted_set);
}

}  // namespace

std::string bucket_key(Structure structure, std::string_view name)
{
    std::string key;
    key.reserve(2 + name.size());
    key += bucket_area;
    key += static_cast<char>(structure);
    key += name;
    return key;
}

std::optional<std::pair<Structure, std::string_view>> parse_bucket_key(std::string_view key)
{
    if (key.size() < 3 || key[0] != bucket_area || !is_structure(key[1])) {
        return std::nullopt;
    }
    return std::pair{static_cast<Structure>(key[1]), key.substr(2)};
}

std::string data_prefix(BucketId id)
{
    std::string key(1, data_area);
    append_fixed(key, id);
    return key;
}

BucketId bucket_of(std::string_view data_key)
{
    return load_fixed<BucketId>(data_key.data() + 1);
}

std::string encode_bucket(const CatalogueEntry& entry)
{
    return encode_number(entry.id | (entry.deadlines ? has_deadlines : 0));
}

std::optional<CatalogueEntry> decode_bucket(std::string_view value)
{
    const auto number = decode_number(value);
    if (!number || *number >= 2 * has_deadlines) {
        return std::nullopt;
    }
    return CatalogueEntry{static_cast<BucketId>(*number % has_deadlines), *number >= has_deadlines};
}

std::string cursor_key(std::string_view name)
{
    std::string key(1, cursor_area);
    key += name;
    return key;
}

std::optional<std::string_view> parse_cursor_key(std::string_view key)
{
    return key.size() > 1 && key[0] == cursor_area ? std::optional(key.substr(1)) : std::nullopt;
}

std::string encode_cursor(const CursorEntry& entry)
{
    std::string bytes;
    append_fixed(bytes, entry.position);
    bytes += encode_time(entry.saved);
    if (entry.seen_of_next != 0) {
        append_fixed(bytes, entry.seen_of_next);
    }
    return bytes;
}

std::optional<CursorEntry> decode_cursor(std::string_view value)
{
    const bool within = value.size() == long_cursor_entry_bytes;
    if (!within && value.size() != cursor_entry_bytes) {
        return std::nullopt;
    }
    const std::optional<Time> saved =
        decode_time(value.substr(sizeof(Revision), sizeof(std::uint64_t)));
    const auto seen = within ? load_fixed<std::uint32_t>(value.data() + cursor_entry_bytes) : 0;
    if (!saved || (within && seen == 0)) {
        return std::nullopt;
    }
    return CursorEntry{load_fixed<Revision>(value.data()), *saved, seen};
}

std::string history_key(Revision revision, std::uint16_t part)
{
    std::string key;
    key.reserve(history_key_bytes);
    key += history_area;
    append_fixed(key, revision);
    append_fixed(key, part);
    return key;
}

std::optional<std::pair<Revision, std::uint16_t>> parse_history_key(std::string_view key)
{
    if (key.size() != history_key_bytes || key[0] != history_area) {
        return std::nullopt;
    }
    return std::pair{load_fixed<Revision>(key.data() + 1),
                     load_fixed<std::uint16_t>(key.data() + 9)};
}

std::string orphan_key(std::string_view prefix)
{
    std::string key(prefix);
    key[0] = orphan_area;
    return key;
}

std::optional<std::string> parse_orphan_key(std::string_view key)
{
    if (key.size() < data_prefix_bytes || key[0] != orphan_area) {
        return std::nullopt;
    }
    std::string prefix(key);
    prefix[0] = data_area;
    return prefix;
}

std::string deadline_key(Time deadline, std::string_view data_key)
{
    std::string key;
    key.reserve(8 + data_key.size());
    key += deadline_area;
    append_fixed(key, static_cast<std::uint64_t>(deadline.time_since_epoch().count()) ^ sign);
    key += data_key.substr(1);
    return key;
}

std::string deadline_keys_from(Time time)
{
    return deadline_key(time, std::string_view(&data_area, 1));
}

std::optional<Deadline> parse_deadline_key(std::string_view key)
{
    if (key.size() < deadline_prefix_bytes + 4 || key[0] != deadline_area) {
        return std::nullopt;
    }
    const std::uint64_t time = load_fixed<std::uint64_t>(key.data() + 1) ^ sign;
    const char* const id = key.data() + deadline_prefix_bytes;
    return Deadline{Time{std::chrono::microseconds{static_cast<std::int64_t>(time)}},
                    load_fixed<BucketId>(id), key.substr(deadline_prefix_bytes + 4)};
}

std::string encode_time(Time time)
{
    return encode_number(static_cast<std::uint64_t>(time.time_since_epoch().count()));
}

std::optional<Time> decode_time(std::string_view bytes)
{
    const auto number = decode_number(bytes);
    if (!number) {
        return std::nullopt;
    }
    const Time time{std::chrono::microseconds{static_cast<std::int64_t>(*number)}};
    return is_storable(time) ? std::optional(time) : std::nullopt;
}

std::string encode_number(std::uint64_t number)
{
    std::string bytes;
    append_fixed(bytes, number);
    return bytes;
}

std::optional<std::uint64_t> decode_number(std::string_view bytes)
{
    if (bytes.size() != sizeof(std::uint64_t)) {
        return std::nullopt;
    }
    return load_fixed<std::uint64_t>(bytes.data());
}

}  // namespace keywatch::storage
