// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/search/search_checks.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch::test;
using Ending = keywatch::watch::DeliveryFsm::Ending;

// Same as test_delivery_interleavings, for watches that end at any point.
BOOST_AUTO_TEST_SUITE(test_delivery_ends)

BOOST_AUTO_TEST_CASE(a_stop_ends_the_watch_at_what_was_delivered)
{
    const DeliverySearch found =
        check_all(fewer({"mm", "mD"}, {"mm", "xMm", "mDm", "xx"}), {.interrupt = Interrupt::stop});
    BOOST_TEST(found.ended_as(Ending::stopped) > 0U);
}

BOOST_AUTO_TEST_CASE(whatever_interrupts_a_watch_is_the_reason_of_its_end)
{
    const DeliverySearch cancelled =
        check_all(fewer({"m"}, {"mm", "mD"}), {.interrupt = Interrupt::cancel});
    BOOST_TEST(cancelled.ended_as(Ending::cancelled) > 0U);
    const DeliverySearch failed =
        check_all(fewer({"m"}, {"mm", "mD"}), {.interrupt = Interrupt::error});
    BOOST_TEST(failed.ended_as(Ending::pipeline_failed) > 0U);
    const DeliverySearch closed =
        check_all(fewer({"m"}, {"mm", "mD"}), {.interrupt = Interrupt::close_now});
    BOOST_TEST(closed.ended_as(Ending::database_closed) > 0U);
}

BOOST_AUTO_TEST_CASE(two_interruptions_end_it_once)
{
    check_all(fewer({"m"}, {"m", "D"}),
              {.interrupt = Interrupt::stop, .second = Interrupt::cancel});
    check_all({"m"}, {.interrupt = Interrupt::close_now, .second = Interrupt::error});
}

// W13
BOOST_AUTO_TEST_CASE(a_close_ends_the_watch_after_everything)
{
    const DeliverySearch found =
        check_all(fewer({"mm", "xM", "mD"}, {"mm", "xMm", "mDm", "xx"}), {.close = true});
    BOOST_TEST(found.ended_as(Ending::database_closed) > 0U);
}

BOOST_AUTO_TEST_CASE(a_close_that_has_waited_for_long_enough_ends_it_at_once)
{
    check_all(fewer({"m"}, {"m", "mm"}), {.interrupt = Interrupt::close_now, .close = true});
}

BOOST_AUTO_TEST_CASE(a_drain_ends_the_watch_after_what_was_committed_by_then)
{
    const DeliverySearch found =
        check_all(fewer({"mm", "xM", "mD"}, {"mm", "xMm", "mDm", "xx"}), {.drain = true});
    BOOST_TEST(found.ended_as(Ending::drained) > 0U);
}

BOOST_AUTO_TEST_CASE(ends_that_come_together_still_end_it)
{
    check_all(fewer({"m", "D"}, {"m", "xD"}), {.interrupt = Interrupt::stop, .close = true});
    check_all(fewer({"m"}, {"m", "xD"}), {.interrupt = Interrupt::stop, .drain = true});
    check_all(fewer({"m"}, {"m", "xD"}), {.close = true, .drain = true});
}

// A consumer that has all there is need not ask for more.
BOOST_AUTO_TEST_CASE(a_consumer_that_rests_does_not_hold_up_an_end)
{
    check_one_form({"mm", "mD"}, {.pulled = true, .rests = true});
    const DeliverySearch drained =
        check_one_form({"mm", "mD"}, {.pulled = true, .rests = true, .drain = true});
    BOOST_TEST(drained.ended_as(Ending::drained) > 0U);
    check_one_form({"m"}, {.pulled = true, .rests = true, .close = true});
    check_one_form({"m"}, {.pulled = true, .rests = true, .interrupt = Interrupt::stop});
}

BOOST_AUTO_TEST_SUITE_END()
