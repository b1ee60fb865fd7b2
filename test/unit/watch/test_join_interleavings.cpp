// SPDX-License-Identifier: BSL-1.0
#include "support/join_model.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

using namespace keywatch::test;
using keywatch::Overflow;
using keywatch::Revision;

namespace {

/// Small ones of every kind: starts in the past, now and in the future of R; inboxes that overflow
/// at every commit, and that do not; far and near joins.
std::vector<JoinScenario> scenarios_of(const std::string& commits)
{
    std::vector<JoinScenario> scenarios;
    const Revision last = commits.size();
    for (Revision start = 0; start <= last; ++start) {
        for (const Revision routed : std::set<Revision>{0, start, last}) {
            scenarios.push_back({commits, start, routed, 1, 0, 1, false, false});
            scenarios.push_back({commits, start, routed, 1, 2, 2, false, false});
            scenarios.push_back({commits, start, routed, 2, 1, 1, false, false});
        }
    }
    return scenarios;
}

const std::vector<std::string> histories{"mmm", "mxM", "xoxm", "xmDm", "mDDm", "oDx"};
/// For when there are more to come in between.
const std::vector<std::string> short_histories{"mm", "xMm", "mDm", "xx"};
/// Of two keys.
const std::vector<std::string> mixed_histories{"mnm", "mnD"};
const std::vector<std::string> short_mixed{"mn", "mD"};

struct Total {
    std::size_t states = 0;
    std::size_t ends = 0;
    std::string failure;
};

/// Searches all of them, with and without somebody who interrupts, until one fails.
Total search_all(const std::vector<std::string>& commits, bool stop, bool close,
                 Fault fault = Fault::none, Overflow overflow = Overflow::catch_up)
{
    Total total;
    for (const std::string& each : commits) {
        for (JoinScenario scenario : scenarios_of(each)) {
            scenario.stop = stop;
            scenario.close = close;
            scenario.overflow = overflow;
            if (overflow == Overflow::latest) {
                scenario.room *= 2;  // in less nothing can make way
            }
            const JoinSearch found = search(scenario, fault);
            total.states += found.states;
            total.ends += found.ends;
            if (found.failure) {
                total.failure = *found.failure + "; start " + std::to_string(scenario.start) +
                                ", routed before " + std::to_string(scenario.routed_before) +
                                ", room " + std::to_string(scenario.room) + ", near " +
                                std::to_string(scenario.near);
                return total;
            }
        }
    }
    return total;
}

void check_all(bool stop, bool close)
{
    const Total total = search_all(stop || close ? short_histories : histories, stop, close);
    BOOST_TEST(total.failure == "");
    BOOST_TEST(total.ends > 0U);
    BOOST_TEST_MESSAGE(total.states << " states, " << total.ends << " ends");
}

bool is_caught(Fault fault, bool stop = false, bool close = false)
{
    const std::string failure = search_all(short_histories, stop, close, fault).failure;
    BOOST_TEST_MESSAGE(failure);
    return !failure.empty();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_join_interleavings)

// W1, W2, W3, W7, W11, on every path.
BOOST_AUTO_TEST_CASE(every_interleaving_delivers_each_matching_commit_once_in_order)
{
    check_all(false, false);
}

BOOST_AUTO_TEST_CASE(a_stop_at_any_point_ends_the_watch_at_what_was_delivered)
{
    check_all(true, false);
}

// W13
BOOST_AUTO_TEST_CASE(a_close_at_any_point_ends_the_watch_after_everything)
{
    check_all(false, true);
}

BOOST_AUTO_TEST_CASE(a_stop_and_a_close_together_still_end_it)
{
    BOOST_TEST(search_all({"m", "xD"}, true, true).failure == "");
}

// W3: what the policies leave out is accounted for.
BOOST_AUTO_TEST_CASE(every_interleaving_accounts_for_what_a_policy_leaves_out)
{
    for (const Overflow overflow : {Overflow::skip, Overflow::latest, Overflow::stop}) {
        BOOST_TEST_CONTEXT("policy " << static_cast<int>(overflow))
        {
            const Total alone = search_all(mixed_histories, false, false, Fault::none, overflow);
            BOOST_TEST(alone.failure == "");
            BOOST_TEST(alone.ends > 0U);
            BOOST_TEST_MESSAGE(alone.states << " states, " << alone.ends << " ends");
            BOOST_TEST(search_all(short_mixed, true, false, Fault::none, overflow).failure == "");
            BOOST_TEST(search_all(short_mixed, false, true, Fault::none, overflow).failure == "");
        }
    }
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
    BOOST_TEST(is_caught(Fault::end_not_looked_at, false, true));
}

BOOST_AUTO_TEST_CASE(claiming_what_was_only_taken_is_caught)
{
    BOOST_TEST(is_caught(Fault::leftovers_forgotten, true));
}

BOOST_AUTO_TEST_CASE(going_ahead_of_what_a_newer_one_stands_for_is_caught)
{
    const Total total = search_all({"mnm"}, false, false, Fault::hold_ignored, Overflow::latest);
    BOOST_TEST(total.failure.find("ahead of an undelivered") != std::string::npos, total.failure);
}

BOOST_AUTO_TEST_SUITE_END()
