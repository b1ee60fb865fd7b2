// SPDX-License-Identifier: BSL-1.0
#include "delivery/pace.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::delivery;
using namespace std::chrono_literals;

namespace {

constexpr Pace::Time noon{12h};

WatchOptions intervals(std::chrono::milliseconds min, std::chrono::milliseconds progress)
{
    WatchOptions options;
    options.min_interval = min;
    options.progress_interval = progress;
    return options;
}

}  // namespace

// `Pace`: when a delivery or a progress message is due.
BOOST_AUTO_TEST_SUITE(test_pace)

BOOST_AUTO_TEST_CASE(who_asks_for_no_interval_has_none)
{
    BOOST_TEST(!Pace::of(WatchOptions()));
    BOOST_TEST(Pace::of(intervals(1ms, 0ms)).get());
    BOOST_TEST(Pace::of(intervals(0ms, 1ms)).get());
}

BOOST_AUTO_TEST_CASE(deliveries_begin_an_interval_apart)
{
    Pace pace(intervals(10ms, 0ms));
    BOOST_TEST(pace.next() <= noon);  // the first one begins at once
    pace.begins(noon, true);
    pace.delivered(noon + 8ms);
    BOOST_TEST(pace.next() == noon + 10ms);
    BOOST_TEST(pace.is_early(noon + 9ms, true));
    BOOST_TEST(!pace.is_early(noon + 10ms, true));
    BOOST_TEST(!pace.progress_is_due(noon + 1h));
    BOOST_TEST(!pace.look_at(noon).has_value());
}

// Catching up may read any number of slices of history, and the interval may be any.
BOOST_AUTO_TEST_CASE(catching_up_is_one_delivery)
{
    Pace pace(intervals(10ms, 0ms));
    pace.begins(noon, true);
    BOOST_TEST(pace.is_early(noon + 5ms, false));
    pace.begins(noon + 10ms, false);
    BOOST_TEST(!pace.is_early(noon + 11ms, false));
    pace.begins(noon + 11ms, false);
    BOOST_TEST(pace.next() == noon + 20ms);
    BOOST_TEST(pace.is_early(noon + 12ms, true));
    BOOST_TEST(pace.is_early(noon + 12ms, false));  // it has caught up, and fallen behind again
    pace.begins(noon + 20ms, true);
    BOOST_TEST(pace.next() == noon + 30ms);
}

BOOST_AUTO_TEST_CASE(progress_is_due_an_interval_after_the_last_delivery)
{
    Pace pace(intervals(0ms, 10ms));
    pace.delivered(noon);
    BOOST_TEST(!pace.progress_is_due(noon + 9ms));
    BOOST_TEST(pace.progress_is_due(noon + 10ms));
    pace.delivered(noon + 5ms);
    BOOST_TEST(!pace.progress_is_due(noon + 14ms));
    BOOST_TEST(pace.progress_is_due(noon + 15ms));
}

// A busy watcher asks once an interval, not with each delivery.
BOOST_AUTO_TEST_CASE(somebody_is_asked_to_look_once_until_that_time)
{
    Pace pace(intervals(0ms, 10ms));
    pace.delivered(noon);
    BOOST_TEST(pace.look_at(noon) == noon + 10ms);
    pace.delivered(noon + 5ms);
    BOOST_TEST(!pace.look_at(noon + 5ms).has_value());
    BOOST_TEST(pace.look_at(noon + 10ms) == noon + 15ms);
}

BOOST_AUTO_TEST_CASE(the_longest_intervals_are_no_overflow)
{
    Pace pace(intervals(std::chrono::milliseconds::max(), std::chrono::milliseconds::max()));
    pace.begins(noon, true);
    pace.delivered(noon);
    BOOST_TEST(pace.next() > noon + 24h);
    BOOST_TEST(*pace.look_at(noon) > noon + 24h);
}

BOOST_AUTO_TEST_SUITE_END()
