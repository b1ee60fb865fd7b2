// SPDX-License-Identifier: BSL-1.0
#include <keywatch/json.hpp>

#include "support/printing.hpp"
#include "support/watch/commits.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::literals;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr auto most = std::numeric_limits<std::uint64_t>::max();
constexpr double infinity = std::numeric_limits<double>::infinity();

Time at(std::int64_t microseconds)
{
    return Time{std::chrono::microseconds{microseconds}};
}

Position example_position()
{
    Position position;
    for (std::size_t i = 0; i < position.history.bytes.size(); ++i) {
        position.history.bytes[i] = static_cast<std::uint8_t>(i * 17);
    }
    position.revision = most;
    return position;
}

/// Returns a message with every field set to something other than its default.
Message full_message()
{
    Message message;
    message.revision = most;
    message.first_revision = most - 2;
    message.snapshot = true;
    message.index = std::numeric_limits<std::uint32_t>::max();
    message.structure = Structure::sorted_set;
    message.operation = Operation::rescore;
    message.cause = Cause::expired;
    message.ends_bucket = true;
    message.last_in_commit = true;
    message.bucket =
        "b\xc3\xbc"
        "cket";
    message.key = "\xff\0"sv;
    message.value = "a \"quoted\" \n\0 value"sv;
    message.previous = "\x80";
    message.score = -infinity;
    message.previous_score = 0.1;
    message.list_index = most;
    message.count = most - 1;
    message.deadline = at(-1);
    message.time = at(std::numeric_limits<std::int64_t>::max());
    message.origin = "me";
    return message;
}

void check_same(const Message& message, const Message& expected)
{
    BOOST_TEST(message.revision == expected.revision);
    BOOST_TEST(message.first_revision == expected.first_revision);
    BOOST_TEST(message.snapshot == expected.snapshot);
    BOOST_TEST(message.index == expected.index);
    BOOST_TEST(message.structure == expected.structure);
    BOOST_TEST(message.operation == expected.operation);
    BOOST_TEST(message.cause == expected.cause);
    BOOST_TEST(message.ends_bucket == expected.ends_bucket);
    BOOST_TEST(message.last_in_commit == expected.last_in_commit);
    BOOST_TEST(message.bucket == expected.bucket);
    BOOST_TEST(message.key == expected.key);
    BOOST_TEST(message.value == expected.value);
    BOOST_TEST(message.previous == expected.previous);
    BOOST_TEST(message.score == expected.score);
    BOOST_TEST(message.previous_score == expected.previous_score);
    BOOST_TEST(message.list_index == expected.list_index);
    BOOST_TEST(message.count == expected.count);
    BOOST_TEST(message.deadline == expected.deadline);
    BOOST_TEST(message.time == expected.time);
    BOOST_TEST(message.origin == expected.origin);
}

/// Converts to text and back, as for sending.
template <class Json = json, class Value>
Value there_and_back(const Value& value)
{
    return Json::parse(Json(value).dump()).template get<Value>();
}

json key_as_json(std::string_view key)
{
    Message message;
    message.key = key;
    return json(message)["key"];
}

/// Returns the error of reading this as a value of that type; nothing if there is none.
template <class Value>
std::string complaint(const json& from)
{
    try {
        static_cast<void>(from.get<Value>());
    } catch (const json::type_error& error) {
        return error.what();
    }
    return "";
}

/// Returns the error if this field of a message is replaced by another value.
std::string complaint_of_field(const char* name, json value)
{
    json message = full_message();
    message[name] = std::move(value);
    return complaint<OwnedMessage>(message);
}

bool contains(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

template <class Enumerator>
void check_names(std::initializer_list<std::pair<Enumerator, const char*>> names)
{
    for (const auto& [enumerator, name] : names) {
        BOOST_TEST(json(enumerator) == json(name));
        BOOST_TEST(json(name).get<Enumerator>() == enumerator);
    }
    for (const json& wrong : {json("unknown"), json(""), json("no such"), json(1), json(nullptr)}) {
        BOOST_TEST(!complaint<Enumerator>(wrong).empty(), wrong);
    }
    BOOST_TEST(contains(complaint<Enumerator>("no such"), "\"no such\""));
}

}  // namespace

// JSON of messages, commits, positions and statistics.
BOOST_AUTO_TEST_SUITE(test_json)

// doc/json.md shows this message. A change here is a change of the format.
BOOST_AUTO_TEST_CASE(a_message_is_this_text)
{
    Message message;
    message.revision = 7;
    message.first_revision = 7;
    message.operation = Operation::put;
    message.bucket = "users";
    message.key = "42";
    message.value = "\x01\xff";
    message.previous = "alice";
    message.last_in_commit = true;
    message.time = at(1'700'000'000'123'456);
    BOOST_TEST(
        ordered_json(message).dump() ==
        R"({"revision":7,"first_revision":7,"index":0,"structure":"btree","operation":"put",)"
        R"("cause":"user","ends_bucket":false,"last_in_commit":true,"snapshot":false,)"
        R"("bucket":"users","key":"42",)"
        R"("value":{"hex":"01ff"},"previous":"alice","time":1700000000123456,"origin":""})");
}

BOOST_AUTO_TEST_CASE(every_field_of_a_message_survives)
{
    const OwnedMessage message(full_message());
    check_same(*there_and_back(message), *message);
    check_same(*there_and_back<ordered_json>(message), *message);
    check_same(*json(full_message()).get<OwnedMessage>(), *message);
    check_same(*there_and_back(OwnedMessage(Message())), Message());
}

BOOST_AUTO_TEST_CASE(fields_that_are_not_set_are_omitted)
{
    const json plain = Message();
    for (const char* name :
         {"previous", "score", "previous_score", "list_index", "count", "deadline"}) {
        BOOST_TEST(!plain.contains(name), name);
        BOOST_TEST(json(full_message()).contains(name), name);
    }
    Message known_empty;
    known_empty.previous = "";
    BOOST_TEST(json(known_empty)["previous"] == json(""));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_utf8_are_a_string_and_others_are_hexadecimal)
{
    for (const auto text : {""sv, "plain"sv, "\0"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv,
                            "\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv, "\xee\x80\x80"sv, "\xef\xbf\xbf"sv,
                            "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv, "{\"hex\": \"00\"}"sv}) {
        BOOST_TEST(key_as_json(text).is_string(), json(std::string(text)));
        BOOST_TEST(json::parse(key_as_json(text).dump()) == json(std::string(text)));
    }
    for (const auto bytes :
         {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xc2"sv, "\xc2\x41"sv, "\xc2\xc0"sv,
          "\xe0\x9f\xbf"sv, "\xe1\x80"sv, "\xe1\x80\x41"sv, "\xed\xa0\x80"sv, "\xf0\x8f\xbf\xbf"sv,
          "\xf1\x80\x80"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv, "good\xfe"sv}) {
        BOOST_TEST(key_as_json(bytes).is_object(), key_as_json(bytes));
    }
    BOOST_TEST(key_as_json("\xff\0\x1a"sv) == json({{"hex", "ff001a"}}));
}

// Every string can be dumped and read back: our definition of valid UTF-8 is that of the JSON
// library.
BOOST_AUTO_TEST_CASE(all_short_keys_survive)
{
    for (unsigned first = 0; first < 256; ++first) {
        for (unsigned second = 0; second < 256; ++second) {
            for (const unsigned third : {0x41U, 0xbfU, 0xc3U}) {
                const std::string key{static_cast<char>(first), static_cast<char>(second),
                                      static_cast<char>(third), '\x80'};
                Message message;
                message.key = key;
                message.value = std::string_view(key).substr(0, 3);
                message.bucket = std::string_view(key).substr(0, 2);
                const OwnedMessage back = there_and_back(OwnedMessage(message));
                BOOST_TEST_REQUIRE(back->key == key);
                BOOST_TEST_REQUIRE(back->value == message.value);
                BOOST_TEST_REQUIRE(back->bucket == message.bucket);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(scores_are_exact)
{
    for (const double score : {0.0, -0.0, 0.1, 1.0 / 3, -5e-324, std::numeric_limits<double>::max(),
                               infinity, -infinity}) {
        Message message;
        message.score = score;
        const OwnedMessage back = there_and_back(OwnedMessage(message));
        BOOST_TEST(back->score.value() == score);
        BOOST_TEST(std::signbit(back->score.value()) == std::signbit(score));
    }
    json message = full_message();
    message["score"] = 3;
    BOOST_TEST(message.get<OwnedMessage>()->score.value() == 3.0);
    BOOST_TEST(json(full_message())["score"] == json("-inf"));
}

BOOST_AUTO_TEST_CASE(a_commit_has_its_selected_messages)
{
    const auto record = make_commit(3, {put_of("a"), put_of("b"), put_of("c")});
    const std::vector<std::uint32_t> selected{0, 2};
    const json commit = Commit(*record, &selected);
    BOOST_TEST(commit["revision"] == json(3));
    BOOST_TEST(commit["previous"] == json(2));
    BOOST_TEST(commit["origin"] == json(""));
    BOOST_TEST(commit.size() == 5U);
    BOOST_TEST_REQUIRE(commit["messages"].size() == 2U);
    BOOST_TEST(commit["messages"][0]["key"] == json("a"));
    const auto last = commit["messages"][1].get<OwnedMessage>();
    BOOST_TEST(last->key == "c");
    BOOST_TEST(last->last_in_commit);
    BOOST_TEST(json(PulledCommit(record, {0, 2}, {})) == commit);
    BOOST_TEST(ordered_json(PulledCommit(record, {0, 2}, {})).dump() ==
               ordered_json(Commit(*record, &selected)).dump());
}

BOOST_AUTO_TEST_CASE(enumerators_are_their_names)
{
    check_names<Structure>({{Structure::btree, "btree"},
                            {Structure::list, "list"},
                            {Structure::set, "set"},
                            {Structure::sorted_set, "sorted_set"}});
    check_names<Operation>({{Operation::put, "put"}, {Operation::ttl, "ttl"}});
    check_names<Cause>({{Cause::user, "user"}, {Cause::bucket_deleted, "bucket_deleted"}});
    check_names<EndReason>({{EndReason::stopped, "stopped"}, {EndReason::drained, "drained"}});
    check_names<Durability>({{Durability::sync, "sync"}, {Durability::buffered, "buffered"}});
}

BOOST_AUTO_TEST_CASE(positions_buckets_ends_and_times_survive)
{
    const Position position = example_position();
    BOOST_TEST(json(position) == json("00112233445566778899aabbccddeeff:18446744073709551615"));
    BOOST_TEST(there_and_back(position) == position);
    BOOST_TEST(json(position.history) == json("00112233445566778899aabbccddeeff"));
    BOOST_TEST(there_and_back(position.history) == position.history);
    const Bucket bucket{Structure::list, "\xfe"};
    BOOST_TEST(there_and_back(bucket) == bucket);
    const WatchEnd end = there_and_back(WatchEnd{EndReason::database_closed, position});
    BOOST_TEST(end.reason == EndReason::database_closed);
    BOOST_TEST(end.position == position);
    BOOST_TEST(there_and_back(at(-5)) == at(-5));
}

BOOST_AUTO_TEST_CASE(all_figures_survive)
{
    // Every figure has a different value, and none is missing: each has eight bytes.
    json figures = Stats();
    std::int64_t next = 1;
    for (json& part : figures) {
        for (json& figure : part) {
            figure = next++;
        }
    }
    BOOST_TEST(static_cast<std::size_t>(next - 1) == sizeof(Stats) / sizeof(std::uint64_t));
    figures["engine"]["commits"] = most;
    const auto stats = figures.get<Stats>();
    BOOST_TEST(json(stats) == figures);
    BOOST_TEST(stats.engine.commits == most);
    BOOST_TEST(json(stats.engine.flush_time.count()) == figures["engine"]["flush_time"]);
    BOOST_TEST(json(stats.engine.clock_lead.count()) == figures["engine"]["clock_lead"]);
    BOOST_TEST(json(stats.watchers.made) == figures["watchers"]["made"]);
}

BOOST_AUTO_TEST_CASE(a_message_without_one_of_its_fields_is_refused)
{
    const json message = Message();
    for (const auto& [name, value] : message.items()) {
        json without = message;
        without.erase(name);
        BOOST_TEST(contains(complaint<OwnedMessage>(without), name + " is missing"), name);
    }
}

BOOST_AUTO_TEST_CASE(a_field_of_another_type_is_refused_by_name)
{
    const json message = full_message();
    for (const auto& [name, value] : message.items()) {
        for (const json& wrong : {json(nullptr), json(json::array()), json({{"a", 1}})}) {
            BOOST_TEST(contains(complaint_of_field(name.c_str(), wrong), "keywatch: " + name),
                       name << " " << wrong);
        }
    }
    for (const json& wrong : {json(nullptr), json(json::array()), json("text"), json(1)}) {
        BOOST_TEST(contains(complaint<OwnedMessage>(wrong), "a message must be an object"));
        BOOST_TEST(contains(complaint<Bucket>(wrong), "must be an object"));
        BOOST_TEST(contains(complaint<WatchEnd>(wrong), "must be an object"));
        BOOST_TEST(contains(complaint<Position>(wrong), "must be a position"));
        BOOST_TEST(contains(complaint<HistoryId>(wrong), "must be 32 hexadecimal digits"));
    }
}

BOOST_AUTO_TEST_CASE(numbers_are_whole_and_fit)
{
    for (const char* name : {"revision", "index", "list_index", "count"}) {
        for (const char* wrong : {"-1", "1.0", "1e3", "18446744073709551616", "\"1\"", "true"}) {
            BOOST_TEST(contains(complaint_of_field(name, json::parse(wrong)), name),
                       name << " " << wrong);
        }
    }
    BOOST_TEST(contains(complaint_of_field("index", 4294967296), "32 bits"));
    BOOST_TEST(contains(complaint_of_field("time", most), "63 bits and a sign"));
    BOOST_TEST(contains(complaint_of_field("ends_bucket", 1), "true or false"));
    BOOST_TEST(contains(complaint<Stats>(json({{"engine", 1}})), "engine must be an object"));
    for (const json& wrong : {json("nan"), json(std::numeric_limits<double>::quiet_NaN())}) {
        BOOST_TEST(contains(complaint_of_field("score", wrong), "must be a number"));
    }
    BOOST_TEST(complaint_of_field("revision", 5) == "");  // the JSON number is a signed int here
}

BOOST_AUTO_TEST_CASE(hexadecimal_digits_are_read_strictly)
{
    for (const char* wrong :
         {R"({"hex": "0"})", R"({"hex": "0g"})", R"({"hex": 12})", R"({"hex": "00", "x": 1})",
          R"({"HEX": "00"})", "{}", R"({"hex": ["00"]})", R"({"hex": "0x00"})"}) {
        BOOST_TEST(contains(complaint_of_field("key", json::parse(wrong)), "key"), wrong);
    }
    json message = full_message();
    message["key"] = {{"hex", "00fF"}};
    BOOST_TEST(message.get<OwnedMessage>()->key == "\0\xff"sv);
    message["key"] = {{"hex", ""}};
    BOOST_TEST(message.get<OwnedMessage>()->key.empty());
}

BOOST_AUTO_TEST_CASE(an_unknown_name_is_reported_in_part)
{
    BOOST_TEST(contains(complaint_of_field("operation", "explode"),
                        "operation has the unknown name \"explode\""));
    BOOST_TEST(complaint_of_field("operation", std::string(1'000'000, 'x')).size() < 300U);
}

BOOST_AUTO_TEST_CASE(fields_that_are_not_known_are_ignored)
{
    json message = full_message();
    message["of_a_later_version"] = {1, 2, 3};
    check_same(*message.get<OwnedMessage>(), full_message());
}

BOOST_AUTO_TEST_SUITE_END()
