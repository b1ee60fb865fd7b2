// SPDX-License-Identifier: BSL-1.0
#include "bytes/prefix_end.hpp"
#include "storage/format/layout.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

using namespace keywatch;
using namespace keywatch::storage;
using keywatch::Time;
using keywatch::bytes::prefix_end;
using namespace std::string_view_literals;

// The encoding of keys and of the entries beside the data.
BOOST_AUTO_TEST_SUITE(test_layout)

BOOST_AUTO_TEST_CASE(history_keys_are_these_bytes)
{
    BOOST_TEST(history_key(0x0102030405060708, 0x090a) ==
               "h\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"sv);
    BOOST_TEST(data_prefix(0x01020304) == "d\x01\x02\x03\x04"sv);
    BOOST_TEST(orphan_key(data_prefix(0xfffefdfc)) == "o\xff\xfe\xfd\xfc"sv);
    BOOST_TEST(bucket_key(Structure::set, "ab") ==
               "b\x03"
               "ab"sv);
    BOOST_TEST(encode_number(1) == "\0\0\0\0\0\0\0\1"sv);
}

BOOST_AUTO_TEST_CASE(history_keys_sort_by_revision_then_part)
{
    const std::vector<Revision> revisions{0,     1,          127,        128,        255,       256,
                                          65535, 1ULL << 31, 1ULL << 32, 1ULL << 63, UINT64_MAX};
    std::string last;
    for (const Revision revision : revisions) {
        for (const std::uint16_t part :
             std::initializer_list<std::uint16_t>{0, 1, 255, 256, 65535}) {
            const std::string key = history_key(revision, part);
            BOOST_TEST((last < key));  // BOOST_TEST would compare signed characters
            const auto parsed = parse_history_key(key);
            BOOST_REQUIRE(parsed);
            BOOST_TEST(parsed->first == revision);
            BOOST_TEST(parsed->second == part);
            last = key;
        }
    }
}

BOOST_AUTO_TEST_CASE(bucket_keys_return_structure_and_any_name)
{
    for (const auto name : {"a"sv, "\0"sv, "\xff\xff"sv, "with \0 inside"sv}) {
        const std::string key = bucket_key(Structure::sorted_set, name);
        const auto parsed = parse_bucket_key(key);
        BOOST_REQUIRE(parsed);
        BOOST_TEST(parsed->first == Structure::sorted_set);
        BOOST_TEST(parsed->second == name);
    }
}

BOOST_AUTO_TEST_CASE(cursors_are_these_bytes)
{
    BOOST_TEST(cursor_key("ab") == "cab");
    const CursorEntry entry{0x0102030405060708, Time{std::chrono::microseconds{-2}}};
    BOOST_TEST(encode_cursor(entry) ==
               "\x01\x02\x03\x04\x05\x06\x07\x08\xff\xff\xff\xff\xff\xff\xff\xfe"sv);
    BOOST_TEST(decode_cursor(encode_cursor(entry)) == entry);
    for (const auto name : {"a"sv, "\0"sv, "\xff\xff"sv, "with \0 inside"sv}) {
        BOOST_TEST(parse_cursor_key(cursor_key(name)) == name);
    }
    BOOST_CHECK(!parse_cursor_key("c"));
    BOOST_CHECK(!parse_cursor_key("b\x01name"));
    BOOST_CHECK(!decode_cursor(encode_cursor({1, Time::max()})));
    BOOST_CHECK(!decode_cursor("123456789012345"));
    BOOST_CHECK(!decode_cursor("12345678901234567"));
}

BOOST_AUTO_TEST_CASE(a_cursor_within_a_commit_has_four_bytes_more)
{
    const CursorEntry entry{7, Time{std::chrono::microseconds{9}}, 0x01020304};
    const std::string bytes = encode_cursor(entry);
    BOOST_TEST(bytes.size() == 20U);
    BOOST_TEST(bytes.substr(16) == "\x01\x02\x03\x04");
    BOOST_TEST(decode_cursor(bytes) == entry);
    // Each position has exactly one encoding.
    BOOST_CHECK(!decode_cursor(bytes.substr(0, 16) + std::string(4, '\0')));
    BOOST_CHECK(!decode_cursor(bytes + 'x'));
    BOOST_CHECK(!decode_cursor(bytes.substr(0, 19)));
}

BOOST_AUTO_TEST_CASE(keys_of_another_area_or_length_are_refused)
{
    BOOST_CHECK(!parse_bucket_key("b\x01"sv));
    BOOST_CHECK(!parse_bucket_key("b\x05name"sv));
    BOOST_CHECK(!parse_bucket_key(std::string_view("b\0name", 6)));
    BOOST_CHECK(!parse_bucket_key("d\x01name"sv));
    BOOST_CHECK(!parse_bucket_key(""));
    BOOST_CHECK(!parse_history_key(history_key(1, 0) + "x"));
    BOOST_CHECK(!parse_history_key(history_key(1, 0).substr(0, 10)));
    BOOST_CHECK(!parse_history_key("x0123456789"));
    BOOST_CHECK(!parse_orphan_key("o123"));
    BOOST_CHECK(!parse_orphan_key("d1234"));
    BOOST_CHECK(!decode_number("1234567"));
    BOOST_CHECK(!decode_number("123456789"));
}

BOOST_AUTO_TEST_CASE(numbers_survive)
{
    for (const std::uint64_t number : {0ULL, 1ULL, 255ULL, 256ULL, 1ULL << 40, ~0ULL}) {
        BOOST_TEST(decode_number(encode_number(number)) == number);
    }
    BOOST_TEST(parse_orphan_key(orphan_key(data_prefix(77) + "e5")) == data_prefix(77) + "e5");
}

// A scan of [prefix, prefix_end) must see every key with the prefix and no other.
BOOST_AUTO_TEST_CASE(prefix_end_is_directly_after_the_prefix)
{
    for (const auto prefix : {"a"sv, "a\xff"sv, "\xfe\xff\xff"sv, "\0"sv, "az"sv}) {
        const auto end = prefix_end(prefix);
        BOOST_REQUIRE(end);
        const std::string inside = std::string(prefix) + "\xff\xff\xff\xff";
        BOOST_TEST((prefix < *end));
        BOOST_TEST((inside < *end));
        BOOST_CHECK(!end->starts_with(prefix));
    }
    BOOST_TEST(*prefix_end("ab") == "ac");
    BOOST_TEST(*prefix_end("a\xff\xff") == "b");
    BOOST_CHECK(!prefix_end(""));
    BOOST_CHECK(!prefix_end("\xff\xff"));
}

BOOST_AUTO_TEST_CASE(buckets_with_neighbouring_ids_do_not_touch)
{
    const std::string last_of_255 = data_prefix(255) + std::string(20, '\xff');
    BOOST_TEST((last_of_255 < *prefix_end(data_prefix(255))));
    BOOST_TEST((*prefix_end(data_prefix(255)) <= data_prefix(256)));
}

BOOST_AUTO_TEST_CASE(areas_and_meta_keys_are_distinct)
{
    const std::set<char> areas{bucket_area,  data_area, deadline_area,
                               history_area, meta_area, orphan_area};
    BOOST_TEST(areas.size() == 6U);
    const std::set<std::string_view> keys{head_key, history_id_key, next_bucket_key, oldest_key,
                                          time_key};
    BOOST_TEST(keys.size() == 5U);
    for (const std::string_view key : keys) {
        BOOST_TEST(key.front() == meta_area);
    }
}

BOOST_AUTO_TEST_CASE(deadlines_of_a_time_are_between_the_beginnings_of_two)
{
    using namespace std::chrono_literals;
    for (const Time time : {Time::min() + 1us, Time{-1us}, Time{}, Time{1us}, Time{1h}}) {
        for (const std::string& data_key : {data_prefix(0), data_prefix(UINT32_MAX) + "\xff"}) {
            const std::string key = deadline_key(time, data_key);
            BOOST_TEST((deadline_keys_from(time) <= key));
            BOOST_TEST((deadline_keys_from(time - 1us) < key));
            BOOST_TEST((deadline_keys_from(time + 1us) > key));
            BOOST_TEST((deadline_end_key > key));
            BOOST_TEST(parse_deadline_key(key)->time == time);
        }
    }
    BOOST_TEST(!parse_deadline_key(deadline_end_key));
    BOOST_TEST((deadline_end_key < history_key(0, 0)));
}

BOOST_AUTO_TEST_SUITE_END()
