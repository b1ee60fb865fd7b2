// SPDX-License-Identifier: BSL-1.0
#include "structures/stamp.hpp"

#include "embedded/transaction/transaction_workspace.hpp"
#include "support/loop/event_loop.hpp"
#include "support/loop/hand_clock.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>

using namespace keywatch;
using namespace keywatch::structures;
using namespace std::chrono_literals;
using keywatch::test::code;
using keywatch::test::failure_of;

namespace {

/// A workspace whose time is used.
struct AtSomeTime {
    test::HandClock clock;
    std::unique_ptr<storage::Store> store = storage::Store::open(Options("memory:"));
    embedded::WriterState executed;
    embedded::MonotonicClock monotonic{clock.clock()};
    embedded::TransactionWorkspace workspace{*store, executed, {1000, false, false}, monotonic};
};

std::string stamped(std::string content, std::optional<Time> deadline)
{
    append_stamp(content, deadline);
    return content;
}

}  // namespace

// Stamps, which store the deadline of a value, and times to live.
BOOST_FIXTURE_TEST_SUITE(test_stamp, AtSomeTime)

BOOST_AUTO_TEST_CASE(what_was_appended_is_read)
{
    for (const std::string content : {"", "v", "ends in \1", "longer than a deadline"}) {
        for (const std::optional<Time> deadline :
             {std::optional<Time>(), std::optional(Time{}), std::optional(Time{-1us}),
              std::optional(Time::min()), std::optional(Time::max())}) {
            const std::string stored = stamped(content, deadline);
            const Stamped read = read_stamp(stored);
            BOOST_TEST(read.content == content);
            BOOST_TEST(read.deadline == deadline);
        }
    }
    BOOST_TEST(stamped("v", std::nullopt) == std::string("v\0", 2));
    BOOST_TEST(stamped("v", Time{258us}) == std::string("v\0\0\0\0\0\0\1\2\1", 10));
}

BOOST_AUTO_TEST_CASE(what_is_none_is_damaged)
{
    for (const std::string& stored : {std::string(), std::string("v"), std::string("v\2"),
                                      std::string("\xff"), std::string("1234567\1")}) {
        BOOST_TEST(failure_of([&] { read_stamp(stored); }) == code(Error::damaged));
    }
}

BOOST_AUTO_TEST_CASE(it_has_expired_from_the_deadline_on)
{
    const Time now = clock.now();
    BOOST_TEST(!(Stamped{"", std::nullopt}.expired(workspace)));
    BOOST_TEST(!(Stamped{"", now + 1us}.expired(workspace)));
    BOOST_TEST((Stamped{"", now}.expired(workspace)));
}

BOOST_AUTO_TEST_CASE(a_time_to_live_is_positive_and_at_most_a_thousand_years)
{
    const auto longest = std::chrono::hours{24} * 365'250;
    BOOST_TEST(deadline_after(workspace, 1ms) == clock.now() + 1ms);
    BOOST_TEST(deadline_after(workspace, longest) == clock.now() + longest);
    for (const std::chrono::milliseconds ttl :
         {0ms, -1ms, std::chrono::milliseconds(longest) + 1ms, std::chrono::milliseconds::min(),
          std::chrono::milliseconds::max()}) {
        BOOST_TEST(failure_of([&] { deadline_after(workspace, ttl); }) == code(Error::invalid_ttl));
    }
}

BOOST_AUTO_TEST_CASE(the_time_left_is_rounded_up_so_that_it_is_never_zero)
{
    const Time now = clock.now();
    BOOST_TEST(time_left(workspace, now + 1us) == 1ms);
    BOOST_TEST(time_left(workspace, now + 1ms) == 1ms);
    BOOST_TEST(time_left(workspace, now + 1001us) == 2ms);
}

BOOST_AUTO_TEST_SUITE_END()
