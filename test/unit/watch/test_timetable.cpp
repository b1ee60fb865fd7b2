// SPDX-License-Identifier: BSL-1.0
#include "watch/timetable.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <vector>

using namespace keywatch;
using namespace keywatch::watch;
using namespace std::chrono_literals;

namespace {

constexpr Timetable::Time noon{12h};

SharedSubscription subscriber()
{
    return std::make_shared<Subscription>(in("b", all()), Filter(), Budget{1, 1});
}

using List = std::vector<SharedSubscription>;

}  // namespace

// `Timetable`: subscribers by the time at which they are due.
BOOST_AUTO_TEST_SUITE(test_timetable)

BOOST_AUTO_TEST_CASE(due_subscribers_are_taken_earliest_first)
{
    Timetable table;
    const List three{subscriber(), subscriber(), subscriber()};
    table.add(three[0], noon + 2s);
    table.add(three[1], noon + 1s);
    table.add(three[2], noon + 3s);
    BOOST_TEST(table.next() == noon + 1s);
    BOOST_TEST(table.take_due(noon).empty());
    BOOST_TEST(table.take_due(noon + 2s) == (List{three[1], three[0]}));
    BOOST_TEST(table.next() == noon + 3s);
    BOOST_TEST(table.take_due(noon + 2s).empty());
}

// A subscriber that asks for one time and then for a later one must not miss the later one.
BOOST_AUTO_TEST_CASE(a_subscriber_is_woken_at_each_of_its_times)
{
    Timetable table;
    const SharedSubscription one = subscriber();
    table.add(one, noon + 2s);
    table.add(one, noon + 1s);
    table.add(one, noon + 2s);
    BOOST_TEST(table.take_due(noon + 1s) == List{one});
    BOOST_TEST(table.next() == noon + 2s);
    BOOST_TEST(table.take_due(noon + 2s) == List{one});
    BOOST_TEST(table.empty());
    table.add(one, noon + 1s);
    table.add(one, noon + 2s);
    table.remove(*one);
    BOOST_TEST(table.empty());
}

BOOST_AUTO_TEST_CASE(two_may_have_the_same_time)
{
    Timetable table;
    table.add(subscriber(), noon);
    table.add(subscriber(), noon);
    BOOST_TEST(table.take_due(noon).size() == 2U);
}

// W10: an idle table owns no subscriptions.
BOOST_AUTO_TEST_CASE(removed_and_taken_subscribers_are_released)
{
    Timetable table;
    SharedSubscription one = subscriber();
    SharedSubscription two = subscriber();
    SharedSubscription three = subscriber();
    table.add(one, noon + 1s);
    table.add(two, noon + 2s);
    table.add(three, noon + 3s);
    table.remove(*one);
    table.remove(*one);
    BOOST_TEST(table.next() == noon + 2s);
    table.take_due(noon + 2s);
    table.clear();
    BOOST_TEST(table.empty());
    BOOST_TEST(!table.next().has_value());
    for (const SharedSubscription* each : {&one, &two, &three}) {
        BOOST_TEST(each->use_count() == 1);
    }
}

BOOST_AUTO_TEST_SUITE_END()
