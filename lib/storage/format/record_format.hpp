// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

/// The constants of the record format that its writer and its reader share. See doc/storage.md.
namespace keywatch::storage {

inline constexpr std::uint8_t record_format = 1;

/// The size of the header: format 1, parts 2, previous 8, time 8, total messages 8, total bytes 8.
/// The fields have fixed offsets, so the first part of a record contains all of them.
inline constexpr std::size_t record_header_bytes = 35;

/// The bits of a message's mask: the fields that follow its key, in this order.
enum MessageField : std::uint64_t {
    field_value = 0x01,
    field_previous = 0x02,
    field_cause = 0x04,
    field_ends_bucket = 0x08,
    field_score = 0x10,
    field_previous_score = 0x20,
    field_list_index = 0x40,
    field_count = 0x80,
    field_deadline = 0x100,
};

/// One byte each: length, mask, structure, operation, bucket, length of the key.
inline constexpr std::size_t smallest_message_bytes = 6;

}  // namespace keywatch::storage
