// SPDX-License-Identifier: BSL-1.0
#include "support/join/join_scenarios.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace keywatch::test;
using keywatch::Overflow;

// The searches of test/search on short histories, for the sanitizers.
BOOST_AUTO_TEST_SUITE(test_short_interleavings)

BOOST_AUTO_TEST_CASE(every_policy_stands_every_interleaving_of_a_short_history)
{
    const std::vector<std::string> histories{"m", "xm", "mD", "R"};
    for (const Overflow overflow :
         {Overflow::catch_up, Overflow::skip, Overflow::latest, Overflow::stop}) {
        for (const bool starved : {false, true}) {
            const JoinScenario kind{.overflow = overflow, .starved = starved};
            const Total total = search_all(histories, kind);
            BOOST_TEST(total.failure == "");
            BOOST_TEST(total.ends > 0U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_stop_and_a_close_end_the_watch_of_a_short_history)
{
    BOOST_TEST(search_all({"m", "D"}, {.stop = true}).failure == "");
    BOOST_TEST(search_all({"m", "D"}, {.close = true}).failure == "");
}

BOOST_AUTO_TEST_SUITE_END()
