// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>
#include <keywatch/position.hpp>
#include <keywatch/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// The keys of everything in the store: one byte for the area, then what doc/storage.md says.
/// Numbers in keys are big-endian, so that they sort.
namespace keywatch::storage {

/// Never used again, also after the bucket is gone.
using BucketId = std::uint32_t;

inline constexpr char bucket_area = 'b';
inline constexpr char cursor_area = 'c';
inline constexpr char data_area = 'd';
inline constexpr char deadline_area = 'e';
inline constexpr char history_area = 'h';
inline constexpr char meta_area = 'm';
inline constexpr char orphan_area = 'o';

/// The newest revision, kept in every batch while no history is. See Store::open.
inline constexpr std::string_view head_key = "mhead";
/// Behind all keys of deadline_area, once there was one: whoever looks for the first of them does
/// not come to what was trimmed from the area behind.
inline constexpr std::string_view deadline_end_key = "e\xff\xff\xff\xff\xff\xff\xff\xff\xff";
/// 16 random bytes.
inline constexpr std::string_view history_id_key = "mhistory_id";
/// The first bucket id that was never used.
inline constexpr std::string_view next_bucket_key = "mnext_bucket";
/// The oldest revision that history has.
inline constexpr std::string_view oldest_key = "moldest";
/// The time of the database, where no history record has it. See Store::latest_time_at_open.
inline constexpr std::string_view time_key = "mtime";

std::string bucket_key(Structure structure, std::string_view name);
/// Reads what bucket_key made; nothing if it is not one.
std::optional<std::pair<Structure, std::string_view>> parse_bucket_key(std::string_view key);

/// What the catalogue says of a bucket.
struct CatalogueEntry {
    BucketId id;
    bool deadlines;  ///< whether a key of it has ever had one

    friend bool operator==(const CatalogueEntry&, const CatalogueEntry&) = default;
};
std::string encode_bucket(const CatalogueEntry& entry);
std::optional<CatalogueEntry> decode_bucket(std::string_view value);

std::string cursor_key(std::string_view name);
/// Reads what cursor_key made; nothing if it is not one.
std::optional<std::string_view> parse_cursor_key(std::string_view key);

/// What is stored of a cursor: everything up to `position` was dealt with, and so many messages of
/// the commit after it, at `saved`.
struct CursorEntry {
    Revision position;
    Time saved;
    std::uint32_t seen_of_next = 0;

    friend bool operator==(const CursorEntry&, const CursorEntry&) = default;
};
std::string encode_cursor(const CursorEntry& entry);
std::optional<CursorEntry> decode_cursor(std::string_view value);

/// What every data key of this bucket begins with.
std::string data_prefix(BucketId id);
/// Of a data key, or of the beginning of one.
BucketId bucket_of(std::string_view data_key);

/// A history record longer than max_part_bytes is stored in parts 0, 1, …
std::string history_key(Revision revision, std::uint16_t part);
std::optional<std::pair<Revision, std::uint16_t>> parse_history_key(std::string_view key);

/// Of data that is to be erased: all that begins with `prefix`, which begins with a data_prefix.
std::string orphan_key(std::string_view prefix);
std::optional<std::string> parse_orphan_key(std::string_view key);

/// When a key is to be looked at, because it may have expired.
struct Deadline {
    Time time;
    BucketId bucket;
    std::string_view key;  ///< the user's
};
/// `data_key`: the bucket's data_prefix and the user's key. They sort by time.
std::string deadline_key(Time deadline, std::string_view data_key);
/// The first key that one of this time could have.
std::string deadline_keys_from(Time time);
std::optional<Deadline> parse_deadline_key(std::string_view key);

/// Times as values: microseconds since 1970, as a number. Nothing if it is out of range.
std::string encode_time(Time time);
std::optional<Time> decode_time(std::string_view bytes);

/// Numbers as values: 8 bytes, big-endian.
std::string encode_number(std::uint64_t number);
std::optional<std::uint64_t> decode_number(std::string_view bytes);

}  // namespace keywatch::storage
