// SPDX-License-Identifier: BSL-1.0
#include "support/join/join_scenarios.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace keywatch::test;
using keywatch::Overflow;

namespace {

/// Of two keys.
const std::vector<std::string> mixed_histories{"mnm", "mnD"};
/// Enough to run away from a watch that has caught up, has fallen behind, and reads, if it may be
/// near by 0.
const std::vector<std::string> long_histories{"mnmm", "mxmD"};

}  // namespace

// As test_join_interleavings, of watches with a policy that leaves something out.
BOOST_AUTO_TEST_SUITE(test_policy_interleavings)

// W3: what the policies leave out is accounted for.
BOOST_AUTO_TEST_CASE(every_interleaving_accounts_for_what_a_policy_leaves_out)
{
    for (const Overflow overflow : {Overflow::skip, Overflow::latest, Overflow::stop}) {
        BOOST_TEST_CONTEXT("policy " << static_cast<int>(overflow))
        {
            const Total alone = search_all(mixed_histories, {.overflow = overflow});
            BOOST_TEST(alone.failure == "");
            BOOST_TEST(alone.ends > 0U);
            BOOST_TEST_MESSAGE(alone.states << " states, " << alone.ends << " ends");
            BOOST_TEST(search_all({"mn"}, {.stop = true, .overflow = overflow}).failure == "");
            BOOST_TEST(search_all({"mD"}, {.close = true, .overflow = overflow}).failure == "");
            const JoinScenario within{.seen = 1, .overflow = overflow};
            BOOST_TEST(search_all({"Rmm", "RmD"}, within).failure == "");
        }
    }
}

// Others have used up the bytes for all, so that every commit makes it read history.
BOOST_AUTO_TEST_CASE(a_watch_that_is_too_slow_to_catch_up_accounts_for_everything_or_ends)
{
    for (const Overflow overflow :
         {Overflow::catch_up, Overflow::skip, Overflow::latest, Overflow::stop}) {
        BOOST_TEST_CONTEXT("policy " << static_cast<int>(overflow))
        {
            const JoinScenario kind{.overflow = overflow, .starved = true};
            const Total alone = search_all(long_histories, kind);
            BOOST_TEST(alone.failure == "");
            const bool never = overflow == Overflow::catch_up || overflow == Overflow::latest;
            BOOST_TEST((alone.given_up == 0) == never);
            BOOST_TEST_MESSAGE(alone.states << " states, " << alone.ends << " ends, "
                                            << alone.given_up << " after giving up");
            JoinScenario interrupted = kind;
            interrupted.stop = true;
            const Total stopped = search_all({"mmm"}, interrupted);
            BOOST_TEST(stopped.failure == "");
            BOOST_TEST((stopped.given_up == 0) == never);
            JoinScenario closing = kind;
            closing.close = true;
            const Total closed = search_all({"mmm"}, closing);
            BOOST_TEST(closed.failure == "");
            BOOST_TEST((closed.given_up == 0) == never);
        }
    }
}

// It has been at the present, whatever came before it ran: so it may not be left further behind.
BOOST_AUTO_TEST_CASE(a_watch_that_began_at_the_present_is_too_slow_at_any_stage_or_has_everything)
{
    for (const Overflow overflow :
         {Overflow::catch_up, Overflow::skip, Overflow::latest, Overflow::stop}) {
        BOOST_TEST_CONTEXT("policy " << static_cast<int>(overflow))
        {
            const JoinScenario kind{.overflow = overflow, .at_present = true};
            const Total total = search_all(long_histories, kind);
            BOOST_TEST(total.failure == "");
            const bool never = overflow == Overflow::catch_up || overflow == Overflow::latest;
            BOOST_TEST((total.given_up == 0) == never);
            BOOST_TEST_MESSAGE(total.states << " states, " << total.ends << " ends, "
                                            << total.given_up << " after giving up");
        }
    }
}

// Then what comes while it still reads history is not its own fault either.
BOOST_AUTO_TEST_CASE(a_watch_that_others_made_fall_behind_is_spared_until_it_has_caught_up_again)
{
    for (const Overflow overflow : {Overflow::skip, Overflow::latest, Overflow::stop}) {
        BOOST_TEST_CONTEXT("policy " << static_cast<int>(overflow))
        {
            const JoinScenario kind{.overflow = overflow, .starved = true, .relieved = true};
            const Total total = search_all({"mmm", "mMm"}, kind);
            BOOST_TEST(total.failure == "");
            BOOST_TEST_MESSAGE(total.states << " states, " << total.ends << " ends");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_gap_over_the_end_of_a_bucket_is_caught)
{
    const Total total = search_all(long_histories, {.overflow = Overflow::skip, .starved = true},
                                   Fault::gap_over_an_end);
    BOOST_TEST(total.failure.find("the watch does not end") != std::string::npos, total.failure);
}

BOOST_AUTO_TEST_CASE(giving_up_on_the_way_to_the_beginning_is_caught)
{
    for (const Overflow overflow : {Overflow::skip, Overflow::stop}) {
        const Total total = search_all({"mnm"}, {.overflow = overflow}, Fault::gives_up_at_once);
        BOOST_TEST(total.failure.find("yet to catch up") != std::string::npos, total.failure);
    }
}

BOOST_AUTO_TEST_CASE(going_ahead_of_what_a_newer_one_stands_for_is_caught)
{
    const Total total = search_all({"mnm"}, {.overflow = Overflow::latest}, Fault::hold_ignored);
    BOOST_TEST(total.failure.find("ahead of an undelivered") != std::string::npos, total.failure);
}

BOOST_AUTO_TEST_SUITE_END()
