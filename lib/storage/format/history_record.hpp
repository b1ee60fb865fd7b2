// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "values/shared_commit.hpp"

#include <keywatch/message.hpp>

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

/// History records: the messages of one commit as bytes. doc/storage.md describes the format byte
/// by byte.
///
/// A record is a header (format, parts, previous revision, time, running totals, origin), a table
/// of bucket names, and the messages. A message is length-prefixed and begins with a mask of its
/// fields, so that a reader skips what a later version adds at its end.
namespace keywatch::storage {

inline constexpr std::size_t max_part_bytes = std::size_t{1} << 20;

/// Returns the number of parts in which a record of this size is stored.
constexpr std::size_t record_parts(std::size_t bytes) noexcept
{
    return (bytes + max_part_bytes - 1) / max_part_bytes;
}

/// Running totals over all of history up to and including a record. Sizes and lags are differences
/// of totals.
struct Totals {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;

    friend bool operator==(const Totals&, const Totals&) = default;
};

struct RecordHeader {
    std::uint16_t parts = 1;
    Revision previous = 0;
    Time time{};
    Totals totals;
};

/// Collects the encoded messages of a transaction.
class RecordWriter {
public:
    /// Returns the index of a name in the record's table. Adds the name if necessary.
    std::uint32_t bucket(std::string_view name);

    /// Adds a message. Its revision, index, time, origin and last_in_commit are not read; `bucket`
    /// is the index in the table of names.
    void add(std::uint32_t bucket, const Message& message);

    void set_origin(std::string_view origin) { origin_ = origin; }

    std::uint32_t messages() const noexcept { return messages_; }
    /// Returns the size of the record so far.
    std::size_t bytes() const noexcept;

    /// Returns the whole record. `totals`: the totals through the previous record; updated to
    /// include this one.
    std::string finish(Revision previous, Time time, Totals& totals) const;

private:
    std::size_t table_bytes() const noexcept;

    boost::container::small_vector<std::string, 2> buckets_;
    std::size_t names_bytes_ = 0;  ///< encoded size of the names above
    /// Index of each name. Filled only if there are more than a few.
    std::unordered_map<std::string, std::uint32_t> places_;
    std::string origin_;
    std::string body_;
    std::uint32_t messages_ = 0;
};

/// Memory for many records that are created and released together: all of it is kept as long as one
/// of them is.
using Slab = std::pmr::monotonic_buffer_resource;

/// Returns null if the bytes are not a record (damaged, or of a newer format).
SharedCommit decode_record(Revision revision, std::string_view bytes);
/// Same as above for bytes in the slab. The record and everything it owns are also in the slab.
SharedCommit decode_record(Revision revision, std::pmr::string bytes,
                           const std::shared_ptr<Slab>& slab);

/// Returns the header, given the first part of a record, or nullopt if it is not one.
std::optional<RecordHeader> decode_header(std::string_view bytes);

}  // namespace keywatch::storage
