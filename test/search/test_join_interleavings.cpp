// SPDX-License-Identifier: BSL-1.0
#include "support/join/join_scenarios.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <string>
#include <vector>

using namespace keywatch::test;

namespace {

const std::vector<std::string> histories{"mmm", "mxM", "xoxm", "xmDm", "mDDm", "oDx"};
/// For when there are more to come in between.
const std::vector<std::string> short_histories{"mm", "xMm", "mDm", "xx"};

/// The longer ones with KEYWATCH_ALL: with sanitizers they take minutes.
std::vector<std::string> fewer(std::vector<std::string> some, std::vector<std::string> all)
{
    return std::getenv("KEYWATCH_ALL") != nullptr ? all : some;
}

void check_all(const std::vector<std::string>& commits, const JoinScenario& kind = {})
{
    const Total total = search_all(commits, kind);
    BOOST_TEST(total.failure == "");
    BOOST_TEST(total.ends > 0U);
    BOOST_TEST_MESSAGE(total.states << " states, " << total.ends << " ends");
}

bool is_caught(Fault fault, const JoinScenario& kind = {})
{
    const std::string failure = search_all(short_histories, kind, fault).failure;
    BOOST_TEST_MESSAGE(failure);
    return !failure.empty();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_join_interleavings)

// W1, W2, W3, W7, W11, on every path.
BOOST_AUTO_TEST_CASE(every_interleaving_delivers_each_matching_commit_once_in_order)
{
    check_all(histories);
}

BOOST_AUTO_TEST_CASE(a_stop_at_any_point_ends_the_watch_at_what_was_delivered)
{
    check_all(fewer({"mm", "xM", "mD"}, short_histories), {.stop = true});
}

// W13
BOOST_AUTO_TEST_CASE(a_close_at_any_point_ends_the_watch_after_everything)
{
    check_all(fewer({"mm", "xM", "mD"}, short_histories), {.close = true});
}

BOOST_AUTO_TEST_CASE(a_stop_and_a_close_together_still_end_it)
{
    BOOST_TEST(search_all(fewer({"m", "D"}, {"m", "xD"}), {.stop = true, .close = true}).failure ==
               "");
}

// The feed was roused: R is at the present, and older commits are still on their way.
BOOST_AUTO_TEST_CASE(commits_from_before_a_watch_came_take_nothing_from_it)
{
    check_all({"mmm", "xmDm", "mDDm"}, {.on_their_way = 4});
    check_all({"mDm"}, {.on_their_way = 4, .close = true});
}

// W2 W3: it has ended with its bucket in a commit that makes the bucket anew, and is resumed there.
BOOST_AUTO_TEST_CASE(what_follows_the_end_of_a_bucket_in_its_commit_is_delivered_on_resuming)
{
    check_all({"xRm", "mRR"});
    check_all({"xRm", "RmD", "RR"}, {.seen = 1});
    check_all({"xR", "mM"}, {.seen = 1, .close = true});
}

// That the search can fail: each rule of the protocol, broken, is found out.

// Trap 13
BOOST_AUTO_TEST_CASE(reading_routed_after_the_inbox_is_caught)
{
    BOOST_TEST(is_caught(Fault::routed_read_after_take));
}

BOOST_AUTO_TEST_CASE(announcing_a_commit_before_it_is_pushed_is_caught)
{
    BOOST_TEST(is_caught(Fault::routed_before_push));
}

BOOST_AUTO_TEST_CASE(joining_in_two_steps_is_caught)
{
    BOOST_TEST(is_caught(Fault::join_not_atomic));
}

BOOST_AUTO_TEST_CASE(joining_between_two_slices_of_a_commit_is_caught)
{
    BOOST_TEST(is_caught(Fault::joins_mid_commit));
}

BOOST_AUTO_TEST_CASE(taking_an_overflow_for_nothing_new_is_caught)
{
    BOOST_TEST(is_caught(Fault::overflow_ignored));
}

BOOST_AUTO_TEST_CASE(joining_before_the_start_is_caught)
{
    BOOST_TEST(is_caught(Fault::joins_before_start));
}

BOOST_AUTO_TEST_CASE(sleeping_over_an_end_is_caught)
{
    BOOST_TEST(is_caught(Fault::end_not_looked_at));
    BOOST_TEST(is_caught(Fault::end_not_looked_at, {.close = true}));
}

BOOST_AUTO_TEST_CASE(routing_what_was_there_before_the_watch_is_caught)
{
    BOOST_TEST(is_caught(Fault::routes_the_past, {.on_their_way = 4}));
}

BOOST_AUTO_TEST_CASE(joining_before_the_commit_that_it_starts_within_is_caught)
{
    BOOST_TEST(!search_all({"xR", "Rm"}, {.seen = 1}, Fault::joins_within).failure.empty());
}

BOOST_AUTO_TEST_CASE(claiming_what_was_only_taken_is_caught)
{
    BOOST_TEST(is_caught(Fault::leftovers_forgotten, {.stop = true}));
}

BOOST_AUTO_TEST_SUITE_END()
