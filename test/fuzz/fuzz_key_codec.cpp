// SPDX-License-Identifier: BSL-1.0
// Decodes arbitrary bytes as keys and ends of values. They are read or refused, what was read is
// written as the same bytes, and keys sort like the values that they were made from.
#include "fuzz/require.hpp"
#include "storage/format/layout.hpp"
#include "structures/stamp.hpp"

#include "bytes/numbers.hpp"

#include <keywatch/error.hpp>

#include <compare>
#include <utility>

using namespace keywatch;
using namespace keywatch::storage;
using keywatch::test::require;

namespace {

void check_keys(std::string_view key)
{
    if (const auto bucket = parse_bucket_key(key)) {
        require(bucket_key(bucket->first, bucket->second) == key, "the key of a bucket");
    }
    if (const auto cursor = parse_cursor_key(key)) {
        require(cursor_key(*cursor) == key, "the key of a cursor");
    }
    if (const auto record = parse_history_key(key)) {
        require(history_key(record->first, record->second) == key, "the key of a record");
    }
    if (const auto prefix = parse_orphan_key(key)) {
        require(prefix->starts_with(data_prefix(bucket_of(*prefix))), "what is erased is data");
        require(orphan_key(*prefix) == key, "the key of an orphan");
    }
    if (const auto deadline = parse_deadline_key(key)) {
        const std::string data_key = data_prefix(deadline->bucket) + std::string(deadline->key);
        require(bucket_of(data_key) == deadline->bucket, "the bucket of a data key");
        require(deadline_key(deadline->time, data_key) == key, "the key of a deadline");
    }
}

void check_values(std::string_view value)
{
    if (const auto entry = decode_bucket(value)) {
        require(encode_bucket(*entry) == value, "what the catalogue says of a bucket");
    }
    if (const auto cursor = decode_cursor(value)) {
        require(encode_cursor(*cursor) == value, "what is stored of a cursor");
    }
    if (const auto number = decode_number(value)) {
        require(encode_number(*number) == value, "a number");
    }
    try {
        const structures::Stamped stamped = structures::read_stamp(value);
        std::string again(stamped.content);
        structures::append_stamp(again, stamped.deadline);
        require(again == value, "a value with its stamp");
    } catch (const boost::system::system_error& error) {
        require(error.code() == make_error_code(Error::damaged), "a stamp is read or is damaged");
    }
}

/// Two keys of each kind, made from numbers.
struct Numbers {
    std::uint64_t first;
    std::uint64_t second;
};

Time time_of(std::uint64_t number)
{
    return Time{std::chrono::microseconds{static_cast<std::int64_t>(number)}};
}

void check_order(Numbers a, Numbers b)
{
    const auto part = [](Numbers numbers) { return static_cast<std::uint16_t>(numbers.second); };
    const auto bucket = [](Numbers numbers) { return static_cast<BucketId>(numbers.second); };
    const auto deadline = [&](Numbers numbers) {
        return deadline_key(time_of(numbers.first), data_prefix(bucket(numbers)));
    };
    require((history_key(a.first, part(a)) <=> history_key(b.first, part(b))) ==
                (std::pair(a.first, part(a)) <=> std::pair(b.first, part(b))),
            "records sort by revision and part");
    require((data_prefix(bucket(a)) <=> data_prefix(bucket(b))) == (bucket(a) <=> bucket(b)),
            "data sorts by bucket");
    require((deadline(a) <=> deadline(b)) ==
                (std::pair(time_of(a.first), bucket(a)) <=> std::pair(time_of(b.first), bucket(b))),
            "deadlines sort by time and bucket");
    require((encode_number(a.first) <=> encode_number(b.first)) == (a.first <=> b.first),
            "numbers sort");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    check_keys(bytes);
    check_values(bytes);
    bytes::ByteReader in(bytes);
    const auto number = [&] { return in.fixed<std::uint64_t>(); };
    const Numbers a{number(), number()};
    const Numbers b{number(), number()};
    check_order(a, b);
    check_order(a, {a.first, b.second});
    return 0;
}
