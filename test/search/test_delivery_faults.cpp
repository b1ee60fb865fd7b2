// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/search/search_checks.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace keywatch::test;
using keywatch::Overflow;

namespace {

const Histories short_histories{"mm", "xMm", "mDm", "xx"};

/// How the search describes the fault; empty if it does not find it.
std::string caught(Fault fault, const Histories& histories, const DeliveryScenario& kind = {})
{
    const std::string failure = search_all(histories, kind, fault).failure;
    BOOST_TEST_MESSAGE(failure);
    return failure;
}

bool is_caught(Fault fault, const DeliveryScenario& kind = {})
{
    return !caught(fault, short_histories, kind).empty();
}

bool mentions(const std::string& failure, const char* what)
{
    return failure.find(what) != std::string::npos;
}

}  // namespace

// Mutations of the search: each broken duty of the strand and of the worker is found. The decisions
// of the machine are broken by mutations.py.
BOOST_AUTO_TEST_SUITE(test_delivery_faults)

// Trap 13
BOOST_AUTO_TEST_CASE(reading_routed_after_the_inbox_is_caught)
{
    BOOST_TEST(is_caught(Fault::routed_read_after_take));
    BOOST_TEST(is_caught(Fault::routed_read_after_take, {.pulled = true}));
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

BOOST_AUTO_TEST_CASE(routing_what_was_there_before_the_watch_is_caught)
{
    BOOST_TEST(is_caught(Fault::routes_the_past, {.on_their_way = 4}));
}

BOOST_AUTO_TEST_CASE(joining_before_the_commit_that_it_starts_within_is_caught)
{
    BOOST_TEST(mentions(caught(Fault::joins_within, {"xR", "Rm"}, {.seen = 1}), "its own"));
}

BOOST_AUTO_TEST_CASE(waiting_for_the_start_without_telling_the_strand_is_caught)
{
    BOOST_TEST(mentions(caught(Fault::not_noted, short_histories), "sleeps"));
}

BOOST_AUTO_TEST_CASE(going_ahead_of_what_a_newer_one_stands_for_is_caught)
{
    const DeliveryScenario kind{.overflow = Overflow::latest};
    BOOST_TEST(mentions(caught(Fault::hold_ignored, {"mnm"}, kind), "ahead of an undelivered"));
}

BOOST_AUTO_TEST_CASE(claiming_a_commit_that_was_broken_off_is_caught)
{
    BOOST_TEST(is_caught(Fault::half_claimed, {.interrupt = Interrupt::stop}));
    BOOST_TEST(is_caught(Fault::half_claimed, {.callback_stops = true}));
}

BOOST_AUTO_TEST_CASE(a_gap_over_the_end_of_a_bucket_is_caught)
{
    for (const bool pulled : {false, true}) {
        const DeliveryScenario kind{.overflow = Overflow::skip, .pulled = pulled, .starved = true};
        const std::string failure = caught(Fault::gap_over_an_end, {"mxmD"}, kind);
        BOOST_TEST(mentions(failure, "the watch does not end"), failure);
    }
}

BOOST_AUTO_TEST_CASE(looking_in_history_for_a_bucket_that_ended_in_the_inbox_is_caught)
{
    for (const bool pulled : {false, true}) {
        const DeliveryScenario kind{.two = true, .pulled = pulled};
        BOOST_TEST(mentions(caught(Fault::loss_not_noted, {"DpCp"}, kind), "for nobody"));
    }
}

BOOST_AUTO_TEST_CASE(delivering_what_comes_after_a_predicate_that_throws_is_caught)
{
    for (const Overflow overflow : {Overflow::catch_up, Overflow::latest}) {
        for (const bool pulled : {false, true}) {
            const DeliveryScenario kind{.overflow = overflow, .pulled = pulled};
            BOOST_TEST(!caught(Fault::error_passed_over, {"m!m"}, kind).empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(interrupting_a_worker_before_it_is_told_why_is_caught)
{
    for (const bool pulled : {false, true}) {
        const DeliveryScenario kind{.pulled = pulled, .interrupt = Interrupt::stop};
        BOOST_TEST(mentions(caught(Fault::flag_before_signal, {"mm"}, kind), "in circles"));
    }
}

BOOST_AUTO_TEST_CASE(shutting_the_outbox_before_the_worker_is_told_why_is_caught)
{
    const DeliveryScenario kind{.pulled = true, .interrupt = Interrupt::stop};
    BOOST_TEST(mentions(caught(Fault::shut_before_signal, {"mm"}, kind), "in circles"));
}

BOOST_AUTO_TEST_CASE(an_end_that_waits_for_the_consumer_to_ask_is_caught)
{
    for (const bool closes : {false, true}) {
        const DeliveryScenario kind{
            .pulled = true, .rests = true, .close = closes, .drain = !closes};
        BOOST_TEST(mentions(caught(Fault::not_hurried, {"mm"}, kind), "does not end"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
