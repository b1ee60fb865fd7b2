// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>
#include <keywatch/position.hpp>

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
inline constexpr char data_area = 'd';
inline constexpr char history_area = 'h';
inline constexpr char meta_area = 'm';
inline constexpr char orphan_area = 'o';

/// The newest revision, kept in every batch while no history is. See Store::open.
inline constexpr std::string_view head_key = "mhead";
/// 16 random bytes.
inline constexpr std::string_view history_id_key = "mhistory_id";
/// The first bucket id that was never used.
inline constexpr std::string_view next_bucket_key = "mnext_bucket";
/// The oldest revision that history has.
inline constexpr std::string_view oldest_key = "moldest";

std::string bucket_key(Structure structure, std::string_view name);
/// Reads what bucket_key made; nothing if it is not one.
std::optional<std::pair<Structure, std::string_view>> parse_bucket_key(std::string_view key);

/// What every data key of this bucket begins with.
std::string data_prefix(BucketId id);
/// The first key behind every key that begins with `prefix`; nothing if there is none.
std::optional<std::string> prefix_end(std::string_view prefix);

/// A history record longer than max_part_bytes is stored in parts 0, 1, …
std::string history_key(Revision revision, std::uint16_t part);
std::optional<std::pair<Revision, std::uint16_t>> parse_history_key(std::string_view key);

std::string orphan_key(BucketId id);
std::optional<BucketId> parse_orphan_key(std::string_view key);

/// Numbers as values: 8 bytes, big-endian.
std::string encode_number(std::uint64_t number);
std::optional<std::uint64_t> decode_number(std::string_view bytes);

}  // namespace keywatch::storage
