// SPDX-License-Identifier: BSL-1.0
#pragma once

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

/// History records: one commit's messages as bytes. doc/storage.md has the format byte by byte.
///
/// A record is a header (format, parts, previous revision, time, running totals, origin), a table
/// of bucket names, and the messages. A message is length-prefixed and begins with a mask of the
/// fields it has, so that a reader skips what a later version adds at its end.
namespace keywatch::storage {

inline constexpr std::size_t max_part_bytes = std::size_t{1} << 20;

/// How many parts a record of this size is stored in.
constexpr std::size_t record_parts(std::size_t bytes) noexcept
{
    return (bytes + max_part_bytes - 1) / max_part_bytes;
}

/// Running totals over all of history, this record included: sizes and lags are subtractions.
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

/// Collects a transaction's messages, already encoded.
class RecordWriter {
public:
    /// The place of a name in the record's table; adds it if it is not there.
    std::uint32_t bucket(std::string_view name);

    /// What a message carries. revision, index, time, origin and last_in_commit are not read;
    /// `bucket` is the place in the table.
    void add(std::uint32_t bucket, const Message& message);

    void set_origin(std::string_view origin) { origin_ = origin; }

    std::uint32_t messages() const noexcept { return messages_; }
    /// Bytes collected so far.
    std::size_t bytes() const noexcept;

    /// The whole record. `totals` are those of the record before; returned are the ones with this.
    std::string finish(Revision previous, Time time, Totals& totals) const;

private:
    std::size_t table_bytes() const noexcept;

    boost::container::small_vector<std::string, 2> buckets_;
    std::size_t names_bytes_ = 0;  ///< of the names above, encoded
    /// Where the names are; filled only once there are more than a few.
    std::unordered_map<std::string, std::uint32_t> places_;
    std::string origin_;
    std::string body_;
    std::uint32_t messages_ = 0;
};

/// Memory of many records that are made and let go together: it is all kept while one of them is.
using Slab = std::pmr::monotonic_buffer_resource;

/// Nothing if the bytes are not a record (damaged, or of a newer format).
std::shared_ptr<const CommitRecord> decode_record(Revision revision, std::string_view bytes);
/// The same, of bytes that lie in the slab: the record and all it owns does too.
std::shared_ptr<const CommitRecord> decode_record(Revision revision, std::pmr::string bytes,
                                                  const std::shared_ptr<Slab>& slab);

/// The header alone, from the first part of a record.
std::optional<RecordHeader> decode_header(std::string_view bytes);

}  // namespace keywatch::storage
