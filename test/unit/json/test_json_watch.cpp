// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"

#include <keywatch/json.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace keywatch;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr auto most = std::numeric_limits<std::uint64_t>::max();

/// Converts to text and back, as for sending.
template <class Json = json, class Value>
Value there_and_back(const Value& value)
{
    return Json::parse(Json(value).dump()).template get<Value>();
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

template <class Value>
std::string complaint(const char* text)
{
    return complaint<Value>(json::parse(text));
}

bool contains(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

Filter full_filter()
{
    Filter filter;
    filter.structures = {Structure::list, Structure::sorted_set};
    filter.operations = {Operation::put, Operation::bucket_deleted};
    filter.causes = {Cause::expired};
    filter.origin = "me\xff";
    filter.except_origin = "";
    return filter;
}

}  // namespace

// JSON of selectors, filters and watch options.
BOOST_AUTO_TEST_SUITE(test_json_watch)

// doc/json.md shows these texts. A change here is a change of the format.
BOOST_AUTO_TEST_CASE(selectors_are_these_texts)
{
    const Selectors selectors{in("users", prefix("4")), in("\xff", range("a", "")),
                              whole_database()};
    BOOST_TEST(
        ordered_json(selectors).dump() ==
        R"([{"whole_database":false,"bucket":"users","selector":{"kind":"prefix","key":"4"}},)"
        R"({"whole_database":false,"bucket":{"hex":"ff"},)"
        R"("selector":{"kind":"range","key":"a","end":""}},{"whole_database":true}])");
    BOOST_TEST(ordered_json(full_filter()).dump() ==
               R"({"structures":["list","sorted_set"],"operations":["put","bucket_deleted"],)"
               R"("causes":["expired"],"origin":{"hex":"6d65ff"},"except_origin":""})");
    BOOST_TEST(ordered_json(Filter()).dump() == R"({"structures":[],"operations":[],"causes":[]})");
}

BOOST_AUTO_TEST_CASE(selectors_survive)
{
    for (const Selector& one : {key("\xff"), all(), prefix(""), prefix("p"), range("a", "b\xfe"),
                                range("", ""), glob("user[0-9]*")}) {
        BOOST_TEST(there_and_back(one) == one);
        BOOST_TEST(there_and_back<ordered_json>(one) == one);
        BOOST_TEST(there_and_back(in("b\xff", one)) == in("b\xff", one));
    }
    BOOST_TEST(there_and_back(whole_database()) == whole_database());
    const Selectors several{in("a", key("k")), whole_database(), in("b", all())};
    BOOST_TEST(there_and_back(several) == several);
    BOOST_TEST(there_and_back<ordered_json>(several) == several);
    // The conversion accepts an empty list; watch() refuses it.
    const Selectors none{std::vector<BucketSelector>()};
    BOOST_TEST(there_and_back(none) == none);
}

BOOST_AUTO_TEST_CASE(filters_survive_except_their_predicate)
{
    Filter filter = full_filter();
    filter.predicate = [](const Message&) { return false; };
    const Filter back = there_and_back(filter);
    BOOST_TEST(back.structures == filter.structures);
    BOOST_TEST(back.operations == filter.operations);
    BOOST_TEST(back.causes == filter.causes);
    BOOST_TEST(back.origin == filter.origin);
    BOOST_TEST(back.except_origin == filter.except_origin);
    BOOST_TEST(!back.predicate);
    const Filter plain = there_and_back(Filter());
    BOOST_TEST(plain.structures.empty());
    BOOST_TEST(!plain.origin.has_value());
    BOOST_TEST(!plain.except_origin.has_value());
}

BOOST_AUTO_TEST_CASE(starts_survive)
{
    Position position;
    position.history.bytes[3] = 7;
    position.revision = most;
    BOOST_TEST(there_and_back(From::now()).kind() == From::Kind::now);
    BOOST_TEST(there_and_back(From::oldest()).kind() == From::Kind::oldest);
    BOOST_TEST(there_and_back(From::snapshot()).kind() == From::Kind::snapshot);
    const From revision = there_and_back(From::revision(most));
    BOOST_TEST(revision.kind() == From::Kind::revision);
    BOOST_TEST(revision.position().revision == most);
    const From after = there_and_back(From::after(position));
    BOOST_TEST(after.kind() == From::Kind::after);
    BOOST_TEST(after.position() == position);
    const From cursor = there_and_back(From::cursor("c\xff"));
    BOOST_TEST(cursor.kind() == From::Kind::cursor);
    BOOST_TEST(cursor.cursor() == "c\xff");
}

BOOST_AUTO_TEST_CASE(overflow_policies_are_their_names)
{
    const std::vector<std::pair<Overflow, const char*>> names{{Overflow::catch_up, "catch_up"},
                                                              {Overflow::latest, "latest"},
                                                              {Overflow::skip, "skip"},
                                                              {Overflow::stop, "stop"}};
    for (const auto& [overflow, name] : names) {
        BOOST_TEST(json(overflow) == json(name));
        BOOST_TEST(json(name).get<Overflow>() == overflow);
    }
    BOOST_TEST(contains(complaint<Overflow>(json("drop")), "\"drop\""));
    BOOST_TEST(contains(complaint<Overflow>(json("unknown")), "\"unknown\""));
    BOOST_TEST(contains(complaint<Overflow>(json(1)), "must be a string"));
}

BOOST_AUTO_TEST_CASE(a_field_of_another_type_is_refused)
{
    for (const json& wrong : {json(nullptr), json(json::array()), json("text"), json(1)}) {
        BOOST_TEST(contains(complaint<Selector>(wrong), "a selector must be an object"));
        BOOST_TEST(contains(complaint<BucketSelector>(wrong), "must be an object"));
        BOOST_TEST(contains(complaint<From>(wrong), "must be an object"));
        BOOST_TEST(contains(complaint<Filter>(wrong), "a filter must be an object"));
    }
    BOOST_TEST(contains(complaint<Selectors>(json::object()), "selectors must be an array"));
    BOOST_TEST(contains(complaint<Selectors>("[{}]"), "whole_database is missing"));
}

BOOST_AUTO_TEST_CASE(a_field_that_is_missing_or_wrong_is_named)
{
    BOOST_TEST(contains(complaint<From>(R"({"kind": "later"})"), "\"later\""));
    BOOST_TEST(contains(complaint<Selector>(R"({"kind": "key"})"), "key is missing"));
    BOOST_TEST(contains(complaint<Selector>(R"({"kind": "range", "key": ""})"), "end is missing"));
    BOOST_TEST(contains(complaint<BucketSelector>(R"({"whole_database": 1})"), "true or false"));
    BOOST_TEST(
        contains(complaint<BucketSelector>(R"({"whole_database": false})"), "bucket is missing"));
    BOOST_TEST(contains(complaint<BucketSelector>(R"({"whole_database": false, "bucket": "b"})"),
                        "selector is missing"));
    BOOST_TEST(contains(
        complaint<BucketSelector>(R"({"whole_database": false, "bucket": "b", "selector": []})"),
        "a selector must be an object"));
    const json filter = full_filter();
    for (const auto& [name, value] : filter.items()) {
        json wrong = filter;
        wrong[name] = json(1);
        BOOST_TEST(contains(complaint<Filter>(wrong), "keywatch: " + name), name);
    }
    BOOST_TEST(contains(complaint<Filter>(R"({"structures": []})"), "operations is missing"));
    BOOST_TEST(contains(
        complaint<Filter>(R"({"structures": [], "operations": ["explode"], "causes": []})"),
        "operations has the unknown name \"explode\""));
}

BOOST_AUTO_TEST_SUITE_END()
