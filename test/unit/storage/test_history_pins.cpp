// SPDX-License-Identifier: BSL-1.0
#include "storage/history_pins.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

using namespace keywatch;
using keywatch::storage::HistoryPins;

// `HistoryPins`: history that trimming must keep.
BOOST_AUTO_TEST_SUITE(test_history_pins)

BOOST_AUTO_TEST_CASE(unpinned_records_are_given_up)
{
    HistoryPins pins(5);
    BOOST_TEST(!pins.keeps(5));
    BOOST_TEST(pins.try_release(5, false));
    BOOST_TEST(pins.first_kept() == 6U);
    BOOST_TEST(pins.try_release(5, false));  // the second call has no effect
    BOOST_TEST(pins.first_kept() == 6U);
}

BOOST_AUTO_TEST_CASE(a_pin_keeps_all_records_after_its_revision_and_none_before)
{
    HistoryPins pins(5);
    BOOST_TEST(pins.pin(6));
    BOOST_TEST(!pins.keeps(5));
    BOOST_TEST(pins.try_release(5, false));
    BOOST_TEST(pins.try_release(6, false));
    BOOST_TEST(pins.keeps(7));
    BOOST_TEST(!pins.try_release(7, false));
    BOOST_TEST(pins.first_kept() == 7U);
    pins.unpin(6);
    BOOST_TEST(!pins.keeps(7));
    BOOST_TEST(pins.try_release(7, false));
}

BOOST_AUTO_TEST_CASE(the_least_of_several_counts_and_each_pin_for_itself)
{
    HistoryPins pins;
    BOOST_TEST(pins.pin(3));
    BOOST_TEST(pins.pin(0));
    BOOST_TEST(pins.pin(0));
    BOOST_TEST(pins.keeps(1));
    pins.unpin(0);
    BOOST_TEST(pins.keeps(1));
    pins.unpin(0);
    BOOST_TEST(!pins.keeps(1));
    pins.unpin(0);  // has no effect, as no such pin is left
    for (const Revision revision : {1U, 2U, 3U}) {
        BOOST_TEST(pins.try_release(revision, false));
    }
    BOOST_TEST(!pins.try_release(4, false));
}

BOOST_AUTO_TEST_CASE(what_was_given_up_cannot_be_pinned)
{
    HistoryPins pins(5);
    BOOST_TEST(!pins.pin(3));
    BOOST_TEST(pins.pin(4));
    pins.unpin(4);
    pins.try_release(5, false);
    BOOST_TEST(!pins.pin(4));
    BOOST_TEST(pins.pin(5));
}

BOOST_AUTO_TEST_CASE(a_pin_that_has_lost_a_record_keeps_none)
{
    HistoryPins pins;
    BOOST_TEST(pins.pin(0));
    BOOST_TEST(pins.pin(2));
    BOOST_TEST(pins.try_release(1, true));
    BOOST_TEST(!pins.keeps(2));  // the second pin does not need revision 2 itself
    BOOST_TEST(pins.try_release(2, false));
    BOOST_TEST(pins.keeps(3));
    pins.unpin(0);
    BOOST_TEST(pins.keeps(3));
    BOOST_TEST(pins.try_release(3, true));
    BOOST_TEST(pins.try_release(4, false));
}

// Whichever comes first, a pin that is not refused has all records after it.
BOOST_AUTO_TEST_CASE(pinning_while_records_are_given_up_keeps_its_promise)
{
    HistoryPins pins;
    std::atomic<bool> stop{false};
    std::thread trimming([&] {
        for (Revision oldest = 1; !stop;) {
            oldest += pins.try_release(oldest, false) ? 1 : 0;
        }
    });
    int kept = 0;
    for (int i = 0; i < 20'000; ++i) {
        const Revision at = pins.first_kept() - (i % 2);
        if (pins.pin(at)) {
            ++kept;
            BOOST_TEST_REQUIRE(pins.first_kept() <= at + 1);
            pins.unpin(at);
        }
    }
    stop = true;
    trimming.join();
    BOOST_TEST(kept > 0);
}

BOOST_AUTO_TEST_SUITE_END()
