// SPDX-License-Identifier: BSL-1.0
#include "watch/follower.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>

using keywatch::Revision;
using keywatch::watch::Follower;

namespace {

/// One that had caught up, and is at 10.
Follower fallen_behind()
{
    Follower follower(10, 5);
    follower.joined(10);
    BOOST_CHECK(follower.next(10) == Follower::Step::take);
    follower.took(10);
    follower.fell_behind();
    return follower;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_follower)

BOOST_AUTO_TEST_CASE(who_is_far_behind_reads_history_first)
{
    Follower follower(10, 5);
    BOOST_CHECK(follower.next(16) == Follower::Step::read_history);
    BOOST_TEST(follower.up_to() == 16U);
    follower.read(13);  // a slice
    BOOST_TEST(follower.position() == 13U);
    BOOST_CHECK(follower.next(20) == Follower::Step::read_history);
    BOOST_TEST(follower.up_to() == 20U);
    follower.read(20);
    BOOST_CHECK(follower.next(20) == Follower::Step::join);
}

BOOST_AUTO_TEST_CASE(who_is_near_joins_and_then_reads_through_where_it_joined)
{
    Follower follower(10, 5);
    BOOST_CHECK(follower.next(15) == Follower::Step::join);
    follower.joined(17);
    BOOST_TEST(!follower.live());
    BOOST_CHECK(follower.next(30) == Follower::Step::read_history);
    BOOST_TEST(follower.up_to() == 17U);  // never beyond: the rest is in the inbox
    follower.read(16);
    BOOST_CHECK(follower.next(30) == Follower::Step::read_history);
    follower.delivered(17);
    BOOST_TEST(follower.live());
    BOOST_CHECK(follower.next(30) == Follower::Step::take);
}

BOOST_AUTO_TEST_CASE(who_has_everything_joins_at_once_and_is_live)
{
    Follower follower(10, 5);
    BOOST_CHECK(follower.next(10) == Follower::Step::join);
    follower.joined(10);
    BOOST_TEST(follower.live());
    BOOST_CHECK(follower.next(10) == Follower::Step::take);
}

// Else the deletion of its bucket, before its start, would end it or not as chance has it.
BOOST_AUTO_TEST_CASE(who_starts_in_the_future_waits_before_it_joins)
{
    Follower follower(10, 5);
    BOOST_CHECK(follower.next(9) == Follower::Step::wait);
    BOOST_TEST(follower.knows(10));
    BOOST_TEST(!follower.knows(11));
    BOOST_CHECK(follower.next(10) == Follower::Step::join);
}

// Else what it has of that commit would be routed to it, and end it again.
BOOST_AUTO_TEST_CASE(who_starts_within_a_commit_waits_for_that_and_reads_it_from_history)
{
    Follower follower(10, 5, false, true);
    BOOST_TEST(follower.begins_at() == 11U);
    BOOST_CHECK(follower.next(10) == Follower::Step::wait);
    BOOST_CHECK(follower.next(11) == Follower::Step::join);
    follower.joined(11);
    BOOST_TEST(!follower.live());
    BOOST_CHECK(follower.next(12) == Follower::Step::read_history);
    BOOST_TEST(follower.up_to() == 11U);
    follower.read(11);
    BOOST_CHECK(follower.next(12) == Follower::Step::take);
}

// W7: non-matching commits move an idle watcher on, by R alone.
BOOST_AUTO_TEST_CASE(an_empty_inbox_moves_it_through_what_was_routed_before)
{
    Follower follower(10, 5);
    follower.joined(10);
    follower.took(14);
    BOOST_TEST(follower.position() == 14U);
    follower.took(12);  // R was read early; it never goes back
    BOOST_TEST(follower.position() == 14U);
}

BOOST_AUTO_TEST_CASE(falling_behind_keeps_the_position)
{
    Follower follower(10, 5);
    follower.joined(10);
    follower.delivered(12);
    follower.fell_behind();
    BOOST_TEST(!follower.live());
    BOOST_TEST(!follower.joined());
    BOOST_TEST(follower.position() == 12U);
    BOOST_CHECK(follower.next(30) == Follower::Step::read_history);
    BOOST_TEST(follower.up_to() == 30U);
}

BOOST_AUTO_TEST_CASE(falling_behind_while_reading_after_the_join_starts_over_from_the_position)
{
    Follower follower(10, 5);
    follower.joined(15);
    follower.delivered(12);
    follower.fell_behind();
    BOOST_CHECK(follower.next(16) == Follower::Step::join);
    follower.joined(16);
    BOOST_CHECK(follower.next(20) == Follower::Step::read_history);
    BOOST_TEST(follower.up_to() == 16U);
}

// W3: what was made before it had caught up is read however long it takes.
BOOST_AUTO_TEST_CASE(who_has_yet_to_catch_up_is_not_too_slow)
{
    Follower follower(0, 5);
    BOOST_CHECK(follower.next(10) == Follower::Step::read_history);
    follower.read(1);
    BOOST_CHECK(follower.next(1000) == Follower::Step::read_history);
    BOOST_TEST(!follower.too_slow());
}

BOOST_AUTO_TEST_CASE(who_finds_its_first_inbox_thrown_away_has_yet_to_catch_up)
{
    Follower follower(0, 5);
    follower.joined(2);
    follower.read(2);
    BOOST_CHECK(follower.next(30) == Follower::Step::take);
    follower.fell_behind();
    follower.next(30);
    follower.read(3);
    BOOST_CHECK(follower.next(1000) == Follower::Step::read_history);
    BOOST_TEST(!follower.too_slow());
}

BOOST_AUTO_TEST_CASE(who_had_caught_up_and_is_left_further_and_further_behind_is_too_slow)
{
    Follower follower = fallen_behind();
    BOOST_CHECK(follower.next(30) == Follower::Step::read_history);
    BOOST_TEST(!follower.too_slow());  // whatever it has missed
    follower.read(14);
    BOOST_CHECK(follower.next(39) == Follower::Step::read_history);
    BOOST_TEST(!follower.too_slow());  // 25 instead of 20
    BOOST_CHECK(follower.next(40) == Follower::Step::read_history);
    BOOST_TEST(follower.too_slow());
    // What comes nearer is not.
    follower.read(30);
    BOOST_CHECK(follower.next(40) == Follower::Step::read_history);
    BOOST_TEST(!follower.too_slow());
}

BOOST_AUTO_TEST_CASE(who_was_too_slow_gets_another_try)
{
    Follower follower = fallen_behind();
    follower.next(30);
    follower.next(50);
    BOOST_TEST(follower.too_slow());
    follower.skipped();
    follower.next(60);
    BOOST_TEST(!follower.too_slow());
    follower.next(70);
    BOOST_TEST(follower.too_slow());
    follower.fell_behind();
    follower.next(80);
    BOOST_TEST(!follower.too_slow());
    follower.read(80);
    BOOST_CHECK(follower.next(80) == Follower::Step::join);
    BOOST_TEST(!follower.too_slow());
}

// As one for whom a commit came between its start and its first look: it is stuck with that.
BOOST_AUTO_TEST_CASE(a_watch_that_began_at_the_present_is_too_slow_if_that_runs_away)
{
    Follower follower(10, 5, true);
    BOOST_CHECK(follower.next(11) == Follower::Step::join);
    follower.joined(11);
    BOOST_TEST(follower.bears() == 6U);
    BOOST_CHECK(follower.next(11) == Follower::Step::read_history);
    follower.read(11);
    follower.fell_behind(true);
    BOOST_TEST(follower.bears() == 6U);  // it goes on with what it began
    BOOST_CHECK(follower.next(17) == Follower::Step::read_history);
    BOOST_TEST(!follower.too_slow());
    BOOST_CHECK(follower.next(18) == Follower::Step::read_history);
    BOOST_TEST(follower.too_slow());
}

BOOST_AUTO_TEST_CASE(a_watch_that_began_at_the_present_may_read_what_came_before_its_first_look)
{
    Follower follower(10, 5, true);
    BOOST_CHECK(follower.next(1000) == Follower::Step::read_history);
    follower.read(500);
    BOOST_CHECK(follower.next(1400) == Follower::Step::read_history);
    BOOST_TEST(!follower.too_slow());
    BOOST_CHECK(follower.next(1496) == Follower::Step::read_history);
    BOOST_TEST(follower.too_slow());  // 996 instead of 990
}

BOOST_AUTO_TEST_CASE(falling_behind_for_others_begins_anew_and_a_full_inbox_goes_on)
{
    Follower follower = fallen_behind();
    BOOST_CHECK(follower.next(12) == Follower::Step::join);
    follower.joined(12);
    follower.read(12);
    BOOST_CHECK(follower.next(30) == Follower::Step::take);
    Follower pushed_out = follower;
    pushed_out.fell_behind();
    BOOST_CHECK(pushed_out.next(30) == Follower::Step::read_history);
    BOOST_TEST(!pushed_out.too_slow());
    follower.fell_behind(true);
    BOOST_CHECK(follower.next(30) == Follower::Step::read_history);
    BOOST_TEST(follower.too_slow());
}

BOOST_AUTO_TEST_CASE(no_distance_is_too_far_for_a_watch_that_has_yet_to_catch_up)
{
    constexpr Revision all = std::numeric_limits<Revision>::max();
    Follower follower(0, 5);
    follower.next(10);
    BOOST_TEST(follower.bears() == all);
    Follower wide(0, all, true);
    wide.next(10);
    BOOST_TEST(wide.bears() == all);
    follower.joined(10);
    follower.took(10);
    BOOST_TEST(follower.bears() == all);  // its inbox tells
}

BOOST_AUTO_TEST_CASE(revisions_need_not_be_near_each_other)
{
    Follower follower(0, 2);
    BOOST_CHECK(follower.next(1000000) == Follower::Step::read_history);
    follower.read(1000000);
    BOOST_CHECK(follower.next(1000000) == Follower::Step::join);
}

BOOST_AUTO_TEST_SUITE_END()
