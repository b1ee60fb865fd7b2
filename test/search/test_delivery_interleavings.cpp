// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/search/search_checks.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch::test;
using Ending = keywatch::watch::DeliveryFsm::Ending;

// The machine of a watch that leaves nothing out, and everything around it.
BOOST_AUTO_TEST_SUITE(test_delivery_interleavings)

// W1, W2, W3, W7, W11, on every path.
BOOST_AUTO_TEST_CASE(every_interleaving_delivers_each_matching_commit_once_in_order)
{
    const DeliverySearch found = check_all({"mmm", "mxM", "xoxm", "xmDm", "mDDm", "oDx"});
    BOOST_TEST(found.ended_as(Ending::bucket_deleted) > 0U);
    BOOST_TEST(found.ended_as(Ending::none) > 0U);
}

// The feed was resumed: R is at the present, and older commits are still on their way.
BOOST_AUTO_TEST_CASE(commits_from_before_a_watch_came_take_nothing_from_it)
{
    check_all(fewer({"mmm", "mDDm"}, {"mmm", "xmDm", "mDDm"}), {.on_their_way = 4});
    check_all({"mD"}, {.on_their_way = 4, .close = true});
}

// W2 W3: it has ended with its bucket in a commit that makes the bucket anew, and is resumed there.
BOOST_AUTO_TEST_CASE(what_follows_the_end_of_a_bucket_in_its_commit_is_delivered_on_resuming)
{
    check_all({"xRm", "mRR"});
    check_all({"xRm", "RmD", "RR"}, {.seen = 1});
    check_all({"xR", "mM"}, {.seen = 1, .close = true});
}

BOOST_AUTO_TEST_CASE(a_bucket_that_ends_takes_nothing_from_the_others)
{
    const DeliverySearch found = check_all({"mDp", "mDE", "DpCp", "DCmE"}, {.two = true});
    BOOST_TEST(found.ended_as(Ending::bucket_deleted) > 0U);
    check_all(fewer({"DE"}, {"DCE"}), {.two = true, .interrupt = Interrupt::stop});
}

BOOST_AUTO_TEST_CASE(a_commit_that_is_lost_on_its_way_is_read_from_history)
{
    check_all({"mmm", "mDm"}, {.gap = true});
}

// History up to the position that a watch shows is never read again.
BOOST_AUTO_TEST_CASE(history_up_to_the_position_is_not_needed_any_more)
{
    check_all(fewer({"mmm"}, {"mmm", "xxm"}), {.trim = true});
    check_all(fewer({"xm"}, {"xmm"}), {.gap = true, .trim = true});
}

BOOST_AUTO_TEST_CASE(a_snapshot_is_followed_by_what_came_after_it)
{
    check_all({"mm", "mD"}, {.from_state = true});
    const DeliverySearch closed = check_all({"m", ""}, {.from_state = true, .close = true});
    BOOST_TEST(closed.ended_as(Ending::database_closed) > 0U);
    const DeliverySearch drained = check_all({"m"}, {.from_state = true, .drain = true});
    BOOST_TEST(drained.ended_as(Ending::drained) > 0U);
    check_all({"m"}, {.from_state = true, .interrupt = Interrupt::stop});
}

BOOST_AUTO_TEST_CASE(a_predicate_that_throws_ends_the_watch_at_the_commit_before)
{
    const DeliverySearch found = check_all({"m!m", "x!", "mqm", "q!"});
    BOOST_TEST(found.ended_as(Ending::failed) > 0U);
    BOOST_TEST(found.ended_as(Ending::predicate_failed) > 0U);
}

BOOST_AUTO_TEST_CASE(a_callback_that_stops_the_watch_has_the_last_word)
{
    const DeliverySearch found = check_one_form({"mmm", "mD"}, {.callback_stops = true});
    BOOST_TEST(found.ended_as(Ending::stopped) > 0U);
    check_one_form({"mm"}, {.interrupt = Interrupt::cancel, .callback_stops = true});
}

BOOST_AUTO_TEST_SUITE_END()
