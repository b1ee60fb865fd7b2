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

/// The keys of the store: one byte for the area, then the bytes described in doc/storage.md.
/// Numbers in keys are big-endian, so that they sort.
namespace keywatch::storage {

/// The id of a bucket. Never reused, even after the bucket was deleted.
using BucketId = std::uint32_t;

inline constexpr char bucket_area = 'b';
inline constexpr char cursor_area = 'c';
inline constexpr char data_area = 'd';
inline constexpr char deadline_area = 'e';
inline constexpr char history_area = 'h';
inline constexpr char meta_area = 'm';
inline constexpr char orphan_area = 'o';

/// The newest revision, stored by every batch while no history is kept. See Store::open.
inline constexpr std::string_view head_key = "mhead";
/// The last key of deadline_area, stored once a key has had a deadline. A search for the first
/// deadline stops at it and so does not step over keys that were trimmed from the next area.
inline constexpr std::string_view deadline_end_key = "e\xff\xff\xff\xff\xff\xff\xff\xff\xff";
/// 16 random bytes.
inline constexpr std::string_view history_id_key = "mhistory_id";
/// The first bucket id that was never used.
inline constexpr std::string_view next_bucket_key = "mnext_bucket";
/// The oldest revision in history.
inline constexpr std::string_view oldest_key = "moldest";
/// The time of the database, if no history record has it. See Store::latest_time_at_open.
inline constexpr std::string_view time_key = "mtime";

std::string bucket_key(Structure structure, std::string_view name);
/// Parses a key made by bucket_key. Returns nullopt if it is not one.
std::optional<std::pair<Structure, std::string_view>> parse_bucket_key(std::string_view key);

/// The catalogue entry of a bucket.
struct CatalogueEntry {
    BucketId id;
    bool deadlines;  ///< true if a key of it has ever had one

    friend bool operator==(const CatalogueEntry&, const CatalogueEntry&) = default;
};
std::string encode_bucket(const CatalogueEntry& entry);
std::optional<CatalogueEntry> decode_bucket(std::string_view value);

std::string cursor_key(std::string_view name);
/// Parses a key made by cursor_key. Returns nullopt if it is not one.
std::optional<std::string_view> parse_cursor_key(std::string_view key);

/// The stored form of a cursor: at the time `saved`, everything up to `position` had been
/// processed, and `seen_of_next` messages of the commit after it.
struct CursorEntry {
    Revision position;
    Time saved;
    std::uint32_t seen_of_next = 0;

    friend bool operator==(const CursorEntry&, const CursorEntry&) = default;
};
std::string encode_cursor(const CursorEntry& entry);
std::optional<CursorEntry> decode_cursor(std::string_view value);

/// Returns the prefix of all data keys of this bucket.
std::string data_prefix(BucketId id);
/// Returns the bucket of a data key, or of the beginning of one.
BucketId bucket_of(std::string_view data_key);

/// Returns the key of one part of a record. A history record longer than max_part_bytes is stored
/// in parts 0, 1, …
std::string history_key(Revision revision, std::uint16_t part);
std::optional<std::pair<Revision, std::uint16_t>> parse_history_key(std::string_view key);

/// Returns the key that marks all data with `prefix` for erasure. The prefix begins with a
/// data_prefix.
std::string orphan_key(std::string_view prefix);
std::optional<std::string> parse_orphan_key(std::string_view key);

/// The time at which a key must be examined because it may have expired.
struct Deadline {
    Time time;
    BucketId bucket;
    std::string_view key;  ///< the user's key
};
/// Returns the key of a deadline. These keys sort by time. `data_key`: the bucket's data_prefix and
/// the user's key.
std::string deadline_key(Time deadline, std::string_view data_key);
/// Returns the first key that a deadline at this time could have.
std::string deadline_keys_from(Time time);
std::optional<Deadline> parse_deadline_key(std::string_view key);

/// Times as values: microseconds since 1970, as a number. decode_time returns nullopt if the time
/// is out of range.
std::string encode_time(Time time);
std::optional<Time> decode_time(std::string_view bytes);

/// Numbers as values: 8 bytes, big-endian.
std::string encode_number(std::uint64_t number);
std::optional<std::uint64_t> decode_number(std::string_view bytes);

}  // namespace keywatch::storage
