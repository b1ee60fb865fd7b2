// SPDX-License-Identifier: BSL-1.0
#include "storage/format/history_record.hpp"

#include "bytes/time_range.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <stdexcept>

using namespace keywatch;
using namespace keywatch::storage;
using namespace std::literals;

namespace {

constexpr Time some_time{std::chrono::microseconds{1'700'000'000'123'456}};

Message put(std::string_view key, std::string_view value)
{
    Message message;
    message.key = key;
    message.value = value;
    return message;
}

std::string one_put(std::string_view value = "alice", Revision previous = 41)
{
    RecordWriter writer;
    writer.add(writer.bucket("users"), put("42", value));
    Totals totals{10, 1000};
    return writer.finish(previous, some_time, totals);
}

void check_views_point_into(const CommitRecord& record)
{
    const auto inside = [&](std::string_view view) {
        return view.empty() ||
               (view.data() >= record.bytes.data() &&
                view.data() + view.size() <= record.bytes.data() + record.bytes.size());
    };
    for (const Message& message : record.messages) {
        BOOST_CHECK(inside(message.bucket) && inside(message.key) && inside(message.value) &&
                    inside(message.previous.value_or("")) && inside(message.origin));
    }
}

}  // namespace

// The encoding of history records, and records that are not valid.
BOOST_AUTO_TEST_SUITE(test_history_record)

// doc/storage.md shows this record. A change here is a change of the format.
BOOST_AUTO_TEST_CASE(a_record_is_these_bytes)
{
    RecordWriter writer;
    writer.set_origin("me");
    Message message = put("k", "v");
    message.previous = "old";
    writer.add(writer.bucket("b"), message);
    Totals totals{1, 100};
    const std::string expected = std::string("\x01\0\x01"sv)  // format, parts
                                 + "\0\0\0\0\0\0\0\x07"s      // previous
                                 + "\0\0\0\0\0\0\0\x09"s      // time
                                 + "\0\0\0\0\0\0\0\x02"s      // messages so far
                                 + "\0\0\0\0\0\0\0\x9c"s      // bytes so far
                                 + "\0"s + "\x02me"s +
                                 "\x01\x01"
                                 "b"s       // more header, origin, names
                                 + "\x01"s  // messages
                                 + "\x0c\x03\x01\x01\0\x01k\x01v\x03old"s;
    BOOST_TEST(writer.finish(7, Time{std::chrono::microseconds{9}}, totals) == expected);
}

BOOST_AUTO_TEST_CASE(what_was_written_is_read)
{
    RecordWriter writer;
    writer.set_origin("importer");
    const std::uint32_t users = writer.bucket("users");
    const std::uint32_t jobs = writer.bucket("jobs");
    Message erased;
    erased.operation = Operation::erase;
    erased.structure = Structure::sorted_set;
    erased.cause = Cause::expired;
    erased.key = "gone";
    erased.previous = "";
    Message dropped;
    dropped.operation = Operation::bucket_deleted;
    dropped.structure = Structure::list;
    dropped.cause = Cause::bucket_deleted;
    dropped.ends_bucket = true;
    writer.add(users, put("42", "alice"));
    writer.add(jobs, erased);
    writer.add(users, dropped);
    Totals totals{5, 500};
    const std::string bytes = writer.finish(41, some_time, totals);
    BOOST_TEST(totals.messages == 8U);
    BOOST_TEST(totals.bytes == 500 + bytes.size());
    BOOST_TEST(writer.bytes() == bytes.size());

    const auto record = decode_record(50, bytes);
    BOOST_REQUIRE(record);
    BOOST_TEST(record->revision == 50U);
    BOOST_TEST(record->previous == 41U);
    BOOST_TEST(record->time == some_time);
    BOOST_TEST(record->origin == "importer");
    BOOST_TEST_REQUIRE(record->messages.size() == 3U);
    for (std::uint32_t index = 0; index < 3; ++index) {
        const Message& message = record->messages[index];
        BOOST_TEST(message.revision == 50U);
        BOOST_TEST(message.index == index);
        BOOST_TEST(message.time == some_time);
        BOOST_TEST(message.origin == "importer");
        BOOST_TEST(!message.last_in_commit);
    }
    BOOST_TEST(record->messages[0].bucket == "users");
    BOOST_TEST(record->messages[0].operation == Operation::put);
    BOOST_TEST(record->messages[0].key == "42");
    BOOST_TEST(record->messages[0].value == "alice");
    BOOST_CHECK(!record->messages[0].previous);
    BOOST_CHECK(!record->messages[0].ends_bucket);
    BOOST_TEST(record->messages[1].bucket == "jobs");
    BOOST_TEST(record->messages[1].structure == Structure::sorted_set);
    BOOST_TEST(record->messages[1].operation == Operation::erase);
    BOOST_TEST(record->messages[1].cause == Cause::expired);
    BOOST_TEST(record->messages[1].previous == ""sv);
    BOOST_TEST(record->messages[2].operation == Operation::bucket_deleted);
    BOOST_TEST(record->messages[2].cause == Cause::bucket_deleted);
    BOOST_TEST(record->messages[2].ends_bucket);
    check_views_point_into(*record);
}

// Short strings live inside their object, so moving them would invalidate views.
BOOST_AUTO_TEST_CASE(views_point_into_the_record_itself)
{
    for (const std::size_t size : {0, 1, 300, 70'000}) {
        const auto record = decode_record(50, one_put(std::string(size, 'x')));
        BOOST_REQUIRE(record);
        BOOST_TEST(record->messages[0].value == std::string(size, 'x'));
        check_views_point_into(*record);
    }
}

BOOST_AUTO_TEST_CASE(any_bytes_survive_in_keys_and_values)
{
    RecordWriter writer;
    writer.add(writer.bucket(std::string_view("\0\xff", 2)), put("\0"sv, "\xff\0\x80"sv));
    Totals totals;
    const auto record = decode_record(1, writer.finish(0, Time{}, totals));
    BOOST_REQUIRE(record);
    BOOST_TEST(record->messages[0].bucket == "\0\xff"sv);
    BOOST_TEST(record->messages[0].key == "\0"sv);
    BOOST_TEST(record->messages[0].value == "\xff\0\x80"sv);
}

BOOST_AUTO_TEST_CASE(bucket_names_are_stored_once)
{
    RecordWriter writer;
    std::vector<std::uint32_t> places;
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 50; ++i) {
            const std::uint32_t place = writer.bucket("bucket " + std::to_string(i));
            BOOST_TEST(place == static_cast<std::uint32_t>(i));
            writer.add(place, put(std::to_string(i), ""));
        }
    }
    Totals totals;
    const auto record = decode_record(1, writer.finish(0, Time{}, totals));
    BOOST_REQUIRE(record);
    BOOST_TEST_REQUIRE(record->messages.size() == 100U);
    for (int i = 0; i < 100; ++i) {
        const Message& message = record->messages[static_cast<std::size_t>(i)];
        BOOST_TEST(message.bucket == "bucket " + std::string(message.key));
    }
}

BOOST_AUTO_TEST_CASE(the_header_is_read_from_the_first_part_alone)
{
    RecordWriter writer;
    const std::string value(max_part_bytes, 'v');
    writer.add(writer.bucket("users"), put("a", value));
    writer.add(writer.bucket("users"), put("b", value));
    Totals totals{3, 300};
    const std::string bytes = writer.finish(8, some_time, totals);
    const auto header = decode_header(std::string_view(bytes).substr(0, max_part_bytes));
    BOOST_REQUIRE(header);
    BOOST_TEST(header->parts == 3);
    BOOST_TEST(header->previous == 8U);
    BOOST_TEST(header->time == some_time);
    BOOST_TEST(header->totals == (Totals{5, 300 + bytes.size()}));
    const auto record = decode_record(9, bytes);
    BOOST_REQUIRE(record);
    BOOST_TEST(record->messages[1].value.size() == value.size());
    BOOST_CHECK(!decode_record(9, bytes.substr(0, max_part_bytes)));
}

BOOST_AUTO_TEST_CASE(a_record_that_just_fills_a_part_has_one)
{
    const std::size_t overhead =
        one_put(std::string(max_part_bytes / 2, 'v')).size() - max_part_bytes / 2;
    for (const std::size_t more : {0, 1}) {
        const std::string bytes = one_put(std::string(max_part_bytes - overhead + more, 'v'));
        BOOST_TEST(bytes.size() == max_part_bytes + more);
        BOOST_TEST(decode_header(bytes)->parts == 1 + more);
        BOOST_CHECK(decode_record(50, bytes));
    }
}

// Fields that later versions add at the ends of a message and of the header must be ignored.
BOOST_AUTO_TEST_CASE(fields_of_later_versions_are_skipped)
{
    RecordWriter writer;
    writer.add(writer.bucket("b"), put("k", "v"));
    Totals totals{0, 1000};
    std::string bytes = writer.finish(7, some_time, totals);
    const std::size_t message = bytes.size() - 9;  // length 8, mask, 2, bucket, key, value
    BOOST_TEST_REQUIRE(bytes[message] == 8);
    bytes.replace(message, 2, "\x11\x81\x04"sv);  // 0x201: a field of 8 bytes
    bytes += "01234567";
    bytes[message] = 17;
    bytes.replace(35, 1, "\x03xyz"sv);  // more of a header
    const auto record = decode_record(8, bytes);
    BOOST_REQUIRE(record);
    BOOST_TEST(record->messages[0].value == "v");
}

BOOST_AUTO_TEST_CASE(a_newer_format_is_not_read)
{
    std::string bytes = one_put();
    bytes[0] = 2;
    BOOST_CHECK(!decode_header(bytes));
    BOOST_CHECK(!decode_record(50, bytes));
}

BOOST_AUTO_TEST_CASE(a_record_that_contradicts_itself_is_not_read)
{
    BOOST_CHECK(decode_record(42, one_put("x", 41)));
    BOOST_CHECK(!decode_record(41, one_put("x", 41)));  // its previous revision would be its own
    BOOST_CHECK(!decode_record(50, one_put() + "x"));
    std::string parts = one_put();
    parts[2] = 2;
    BOOST_CHECK(!decode_record(50, parts));
    parts[2] = 0;
    BOOST_CHECK(!decode_header(parts));
    std::string operation = one_put();
    operation[operation.size() - 12] = 99;
    BOOST_CHECK(!decode_record(50, operation));
}

BOOST_AUTO_TEST_CASE(no_beginning_of_a_record_is_a_record)
{
    const std::string bytes = one_put();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        BOOST_CHECK(!decode_record(50, bytes.substr(0, size)));
    }
    BOOST_CHECK(decode_record(50, bytes));
}

BOOST_AUTO_TEST_CASE(every_field_of_every_structure_survives)
{
    Message message;
    message.structure = Structure::sorted_set;
    message.operation = Operation::rescore;
    message.key = "k";
    message.value = "member";
    message.previous = "";
    message.score = -0.5;
    message.previous_score = std::numeric_limits<double>::infinity();
    message.list_index = std::uint64_t{1} << 40;
    message.count = 300;
    message.deadline = some_time + std::chrono::hours{1};
    RecordWriter writer;
    writer.add(writer.bucket("b"), message);
    Totals totals;
    const std::string bytes = writer.finish(7, some_time, totals);
    BOOST_TEST(writer.bytes() == bytes.size());
    const auto record = decode_record(8, bytes);
    BOOST_REQUIRE(record);
    const Message& read = record->messages[0];
    BOOST_TEST(read.operation == Operation::rescore);
    BOOST_TEST(read.value == "member");
    BOOST_TEST(read.previous == "");
    BOOST_TEST(read.score == message.score);
    BOOST_TEST(read.previous_score == message.previous_score);
    BOOST_TEST(read.list_index == message.list_index);
    BOOST_TEST(read.count == message.count);
    BOOST_TEST(read.deadline == message.deadline);
}

// A record that a reader would call damaged must not be acknowledged.
BOOST_AUTO_TEST_CASE(times_that_could_not_be_read_are_not_written)
{
    constexpr Time last{bytes::storable_range};
    constexpr Time first{-bytes::storable_range};
    for (const Time time : {first, last, Time{}, Time{-1us}}) {
        RecordWriter writer;
        Message message = put("k", "v");
        message.deadline = time;
        writer.add(writer.bucket("b"), message);
        Totals totals;
        const auto record = decode_record(1, writer.finish(0, time, totals));
        BOOST_REQUIRE(record);
        BOOST_TEST(record->time == time);
        BOOST_TEST(record->messages.at(0).deadline == time);
    }
    for (const Time time : {first - 1us, last + 1us, Time::min(), Time::max()}) {
        RecordWriter writer;
        Message message = put("k", "v");
        message.deadline = time;
        BOOST_CHECK_THROW(writer.add(writer.bucket("b"), message), std::out_of_range);
        BOOST_TEST(writer.messages() == 0U);
        Totals totals;
        BOOST_CHECK_THROW(writer.finish(0, time, totals), std::out_of_range);
    }
}

// Counts and lengths close to 2^64 must neither overflow nor be allocated.
BOOST_AUTO_TEST_CASE(huge_counts_and_lengths_are_refused)
{
    const std::string huge = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    const std::string header = one_put().substr(0, 35);
    for (const std::string& rest : {huge, "\0"s + huge, "\0\0"s + huge,
                                    "\0\0\x01\x01"
                                    "b"s +
                                        huge,
                                    "\0\0\x01\x01"
                                    "b\x01"s +
                                        huge,
                                    "\0\0\x01\x01"
                                    "b\x01\x0f\x01\x01\x01\0"s +
                                        huge}) {
        BOOST_CHECK(!decode_record(50, header + rest + std::string(100, '\0')));
    }
    const std::string overlong = "\0\0\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"s;
    BOOST_CHECK(!decode_record(50, header + overlong));
}

// For the sanitizers: no input may cause a read beyond its bytes, whatever it decodes to.
BOOST_AUTO_TEST_CASE(damaged_bytes_never_crash)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    RecordWriter writer;
    writer.set_origin("me");
    Message message = put("key", "value");
    message.previous = "old";
    message.cause = Cause::expired;
    for (int i = 0; i < 10; ++i) {
        writer.add(writer.bucket("bucket " + std::to_string(i % 3)), message);
    }
    Totals totals;
    const std::string good = writer.finish(7, some_time, totals);
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = good;
        for (auto hits = 1 + random() % 3; hits > 0; --hits) {
            bytes[35 + random() % (bytes.size() - 35)] = static_cast<char>(random());
        }
        bytes.resize(bytes.size() - random() % 2 * (random() % 20));
        if (const auto record = decode_record(8, bytes)) {
            check_views_point_into(*record);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
