// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/search/search_checks.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch::test;
using keywatch::Overflow;
using Ending = keywatch::watch::DeliveryFsm::Ending;

namespace {

/// Histories of two keys.
const Histories mixed_histories{"mnm", "mnD"};
/// Enough to run away from a watch that has caught up, has fallen behind, and reads, if it may be
/// near by 0.
const Histories long_histories{"mnmm", "mxmD"};

bool may_give_up(Overflow overflow)
{
    return overflow == Overflow::skip || overflow == Overflow::stop;
}

void check_policy(Overflow overflow)
{
    const DeliverySearch alone = check_all(mixed_histories, {.overflow = overflow});
    BOOST_TEST((alone.ended_as(Ending::overflow) > 0) == (overflow == Overflow::stop));
    check_all(fewer({"m"}, {"mn"}), {.overflow = overflow, .interrupt = Interrupt::stop});
    check_all(fewer({"m"}, {"mD"}), {.overflow = overflow, .close = true});
    check_all(fewer({"m"}, {"mn"}), {.overflow = overflow, .drain = true});
    check_all({"Rmm", "RmD"}, {.seen = 1, .overflow = overflow});
    check_all(fewer({"mDp"}, {"mDpE"}), {.overflow = overflow, .two = true});
}

}  // namespace

// Same as test_delivery_interleavings, for watches with a policy that skips something.
BOOST_AUTO_TEST_SUITE(test_delivery_policies)

// W3: what the policies leave out is accounted for.
BOOST_AUTO_TEST_CASE(every_interleaving_accounts_for_what_is_skipped)
{
    check_policy(Overflow::skip);
}

BOOST_AUTO_TEST_CASE(every_interleaving_accounts_for_what_newer_messages_stand_for)
{
    check_policy(Overflow::latest);
    const DeliverySearch failed = check_all({"m!m", "mqm"}, {.overflow = Overflow::latest});
    BOOST_TEST(failed.ended_as(Ending::predicate_failed) > 0U);
}

BOOST_AUTO_TEST_CASE(every_interleaving_delivers_everything_before_an_overflow)
{
    check_policy(Overflow::stop);
}

// Others have used up the bytes for all, so that every commit makes it read history.
BOOST_AUTO_TEST_CASE(a_watch_that_is_too_slow_to_catch_up_accounts_for_everything_or_ends)
{
    for (const Overflow overflow :
         {Overflow::catch_up, Overflow::skip, Overflow::latest, Overflow::stop}) {
        BOOST_TEST_CONTEXT("policy " << static_cast<int>(overflow))
        {
            const DeliveryScenario kind{.overflow = overflow, .starved = true};
            const DeliverySearch alone = check_one_form(long_histories, kind);
            BOOST_TEST((alone.given_up > 0) == may_give_up(overflow));
            DeliveryScenario pulled = kind;
            pulled.pulled = true;
            check_one_form(fewer({"mnm"}, long_histories), pulled);
            DeliveryScenario interrupted = kind;
            interrupted.interrupt = Interrupt::stop;
            check_one_form(fewer({"mm"}, {"mmm"}), interrupted);
            DeliveryScenario closing = kind;
            closing.close = true;
            check_one_form(fewer({"mm"}, {"mmm"}), closing);
        }
    }
}

// It has been at the present, whatever came before it ran: so it must not lag further.
BOOST_AUTO_TEST_CASE(a_watch_that_began_at_the_present_is_too_slow_at_any_stage_or_has_everything)
{
    for (const Overflow overflow :
         {Overflow::catch_up, Overflow::skip, Overflow::latest, Overflow::stop}) {
        BOOST_TEST_CONTEXT("policy " << static_cast<int>(overflow))
        {
            const DeliverySearch found =
                check_one_form(long_histories, {.overflow = overflow, .at_present = true});
            BOOST_TEST((found.given_up > 0) == may_give_up(overflow));
        }
    }
}

// Then what comes while it still reads history is not its own fault either.
BOOST_AUTO_TEST_CASE(a_watch_that_others_made_fall_behind_is_spared_until_it_has_caught_up_again)
{
    for (const Overflow overflow : {Overflow::skip, Overflow::latest, Overflow::stop}) {
        BOOST_TEST_CONTEXT("policy " << static_cast<int>(overflow))
        {
            const DeliveryScenario kind{.overflow = overflow, .starved = true, .relieved = true};
            check_one_form(fewer({"mmm"}, {"mmm", "mMm"}), kind);
        }
    }
}

// A gap is a new start: the next one is only for what has run away since.
BOOST_AUTO_TEST_CASE(a_watch_that_has_skipped_history_gets_another_try)
{
    for (const Overflow overflow : {Overflow::skip, Overflow::stop}) {
        const DeliverySearch found = search_one({.commits = "mmmmm",
                                                 .near = 0,
                                                 .overflow = overflow,
                                                 .at_present = true,
                                                 .starved = true});
        BOOST_TEST(found.failure == "");
        BOOST_TEST(found.given_up > 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_watch_with_a_pace_loses_nothing_by_waiting)
{
    check_all(fewer({"m", "D"}, {"mm", "mD"}), {.overflow = Overflow::latest, .paced = true});
    check_all({"m"}, {.paced = true, .close = true});
    check_all({"m"}, {.paced = true, .drain = true});
}

BOOST_AUTO_TEST_SUITE_END()
