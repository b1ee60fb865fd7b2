// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"

#include <keywatch/json.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using namespace keywatch;
using nlohmann::json;

namespace {

WatcherInfo example()
{
    WatcherInfo info;
    info.id = 7;
    info.name = "cache \xff";
    info.selectors = {in("b", prefix("k\0")), whole_database()};
    info.overflow = Overflow::latest;
    info.pulled = true;
    info.state = WatcherState::ended;
    info.end = EndReason::bucket_deleted;
    info.error = "no more paper";
    info.position.revision = 9;
    info.position.history.bytes.fill(3);
    info.lag = {1, 2, 3, std::chrono::microseconds(4)};
    info.queued_messages = 5;
    info.queued_bytes = 6;
    info.commits = 7;
    info.messages = UINT64_MAX;
    info.fell_behind = 8;
    info.overflowed = true;
    info.coalesced = 9;
    info.gaps = 10;
    info.skipped = 11;
    info.callback_time = std::chrono::nanoseconds(12);
    info.longest_callback = std::chrono::nanoseconds(13);
    return info;
}

/// Returns the error of reading this as a WatcherInfo; nothing if there is none.
std::string complaint(const json& from)
{
    try {
        static_cast<void>(from.get<WatcherInfo>());
    } catch (const json::type_error& error) {
        return error.what();
    }
    return "";
}

}  // namespace

// JSON of `WatcherInfo`.
BOOST_AUTO_TEST_SUITE(test_json_info)

BOOST_AUTO_TEST_CASE(all_information_about_a_watcher_survives)
{
    const json written = json::parse(json(example()).dump());
    const auto read = written.get<WatcherInfo>();
    BOOST_TEST(read.id == 7U);
    BOOST_TEST(read.name == "cache \xff");
    BOOST_TEST(read.selectors == example().selectors);
    BOOST_TEST(read.overflow == Overflow::latest);
    BOOST_TEST(read.pulled);
    BOOST_TEST(read.state == WatcherState::ended);
    BOOST_TEST(read.end == EndReason::bucket_deleted);
    BOOST_TEST(read.error == "no more paper");
    BOOST_TEST(read.position == example().position);
    BOOST_TEST(read.lag == example().lag);
    BOOST_TEST(read.queued_messages == 5U);
    BOOST_TEST(read.queued_bytes == 6U);
    BOOST_TEST(read.commits == 7U);
    BOOST_TEST(read.messages == UINT64_MAX);
    BOOST_TEST(read.fell_behind == 8U);
    BOOST_TEST(read.overflowed);
    BOOST_TEST(read.coalesced == 9U);
    BOOST_TEST(read.gaps == 10U);
    BOOST_TEST(read.skipped == 11U);
    BOOST_TEST(read.callback_time == std::chrono::nanoseconds(12));
    BOOST_TEST(read.longest_callback == std::chrono::nanoseconds(13));
    BOOST_TEST(json(read) == written);
}

BOOST_AUTO_TEST_CASE(a_watcher_that_has_not_ended_has_no_end)
{
    const json written = WatcherInfo();
    BOOST_TEST(!written.contains("end"));
    BOOST_CHECK(!written.get<WatcherInfo>().end);
    BOOST_TEST(written["state"] == "created");
    BOOST_TEST(written["selectors"].empty());
}

BOOST_AUTO_TEST_CASE(errors_name_the_missing_or_wrong_field)
{
    const json whole = example();
    for (const auto& [name, value] : whole.items()) {
        json without = whole;
        without.erase(name);
        if (name != "end") {
            BOOST_TEST(complaint(without).find(name) != std::string::npos, name);
        }
        json wrong = example();
        wrong[name] = json::array({1});
        BOOST_TEST(!complaint(wrong).empty(), name);
    }
    BOOST_TEST(!complaint(json("no object")).empty());
}

BOOST_AUTO_TEST_SUITE_END()
