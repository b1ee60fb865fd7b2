// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"

#include <keywatch/json.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <limits>
#include <string>

using namespace keywatch;
using namespace std::literals;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr auto most = std::numeric_limits<std::uint64_t>::max();

Cursor example()
{
    Cursor cursor{std::string("a\0\xff", 3), {}, Time{-5us}};
    cursor.position.history.bytes[15] = 0x2a;
    cursor.position.revision = most;
    return cursor;
}

CursorLag example_lag()
{
    return {example(), std::chrono::microseconds::max(), most, most - 1, most - 2, true};
}

template <class Value>
std::string complaint(const json& from)
{
    try {
        from.get<Value>();
    } catch (const json::type_error& error) {
        BOOST_TEST(error.id == 302);
        return error.what();
    }
    return "nothing";
}

}  // namespace

// JSON of cursors.
BOOST_AUTO_TEST_SUITE(test_json_cursor)

BOOST_AUTO_TEST_CASE(cursors_have_the_documented_fields_in_order)
{
    Cursor cursor = example();
    cursor.name = "reader";
    cursor.position.revision = 7;
    const std::string text =
        R"({"name":"reader","position":"0000000000000000000000000000002a:7","saved":-5})";
    BOOST_TEST(ordered_json(cursor).dump() == text);
    BOOST_TEST(ordered_json(CursorLag{cursor, 3us, 4, 5, 6, false}).dump() ==
               R"({"cursor":)" + text +
                   R"(,"age":3,"revisions":4,"messages":5,"bytes":6,"compacted":false})");
}

BOOST_AUTO_TEST_CASE(cursors_survive)
{
    BOOST_TEST(json::parse(json(example()).dump()).get<Cursor>() == example());
    BOOST_TEST(json::parse(json(example_lag()).dump()).get<CursorLag>() == example_lag());
    BOOST_TEST(json(example())["name"] == (json{{"hex", "6100ff"}}));
}

BOOST_AUTO_TEST_CASE(errors_name_the_missing_field_or_that_of_another_kind)
{
    for (const json& whole : {json(example_lag()), json(example())}) {
        for (const auto& [name, value] : whole.items()) {
            json without = whole;
            without.erase(name);
            json with = whole;
            with[name] = json::array();
            const bool lag = whole.contains("cursor");
            for (const json& each : {without, with}) {
                const std::string said = lag ? complaint<CursorLag>(each) : complaint<Cursor>(each);
                BOOST_TEST(said.find(name) != std::string::npos, said);
            }
        }
    }
    json lag = example_lag();
    lag["messages"] = -1;
    BOOST_TEST(complaint<CursorLag>(lag).find("messages") != std::string::npos);
    lag = example_lag();
    lag["cursor"]["saved"] = 1.5;
    BOOST_TEST(complaint<CursorLag>(lag).find("saved") != std::string::npos);
    lag = example_lag();
    lag["cursor"]["later"] = 1;
    BOOST_TEST(lag.get<CursorLag>() == example_lag());
}

BOOST_AUTO_TEST_SUITE_END()
