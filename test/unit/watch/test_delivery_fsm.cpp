// SPDX-License-Identifier: BSL-1.0
#include "watch/delivery_fsm.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

using keywatch::Revision;
using keywatch::watch::DeliveryFsm;
using keywatch::watch::Signals;
using Action = DeliveryFsm::Action;
using Do = DeliveryFsm::Do;
using Ending = DeliveryFsm::Ending;
using How = DeliveryFsm::How;

namespace {

/// Runs a machine to its next decision about the signals.
Action look(DeliveryFsm& machine, const Signals& signals = {})
{
    machine.woken();
    return machine.looked(signals);
}

/// A machine that is live at `at`, and whose next action is to look.
DeliveryFsm live(Revision at = 10, DeliveryFsm::Config config = {})
{
    config.start = at;
    DeliveryFsm machine(config);
    look(machine);
    if (config.paced) {
        machine.timed(DeliveryFsm::Timing::due);
    }
    machine.routed(at);
    machine.joined(at);
    return machine;
}

/// Has it ask for the inbox, when its next action is to look.
Action ask_for_inbox(DeliveryFsm& machine, Revision routed)
{
    machine.looked({});
    return machine.routed(routed);
}

/// A machine that delivers what it has taken from its inbox.
DeliveryFsm delivering(DeliveryFsm::Config config = {})
{
    DeliveryFsm machine = live(10, config);
    ask_for_inbox(machine, 15);
    machine.took({}, {.any = true});
    return machine;
}

}  // namespace

// `DeliveryFsm`: its actions while a watch runs.
BOOST_AUTO_TEST_SUITE(test_delivery_fsm)

BOOST_AUTO_TEST_CASE(it_is_small)
{
    BOOST_TEST(sizeof(DeliveryFsm) <= 80U);
}

// Where the next commits come from.

BOOST_AUTO_TEST_CASE(a_watch_that_is_far_behind_reads_history_first)
{
    DeliveryFsm machine({.start = 10, .near = 5});
    BOOST_TEST(machine.woken().what == Do::look);
    BOOST_TEST(machine.looked({}).what == Do::read_routed);
    const Action action = machine.routed(16);
    BOOST_TEST(action.what == Do::read_history);
    BOOST_TEST(action.how == How::each);
    BOOST_TEST(action.revision == 16U);
    BOOST_TEST(machine.history_read({.reached = 13}).what == Do::look);
    BOOST_TEST(machine.position() == 13U);
    BOOST_TEST(ask_for_inbox(machine, 20).revision == 20U);
    machine.history_read({.reached = 20});
    BOOST_TEST(ask_for_inbox(machine, 20).what == Do::join);
}

BOOST_AUTO_TEST_CASE(a_watch_that_is_near_joins_and_then_reads_through_where_it_joined)
{
    DeliveryFsm machine({.start = 10, .near = 5});
    look(machine);
    BOOST_TEST(machine.routed(15).what == Do::join);
    BOOST_TEST(machine.joined(17).what == Do::look);
    BOOST_TEST(machine.is_joined());
    BOOST_TEST(!machine.is_live());
    const Action action = ask_for_inbox(machine, 30);
    BOOST_TEST(action.what == Do::read_history);
    BOOST_TEST(action.revision == 17U);  // never after that: the rest is in the inbox
    machine.history_read({.reached = 17});
    BOOST_TEST(machine.is_live());
    BOOST_TEST(ask_for_inbox(machine, 30).what == Do::take_inbox);
}

BOOST_AUTO_TEST_CASE(a_watch_that_starts_in_the_future_waits_before_it_joins)
{
    DeliveryFsm machine({.start = 10, .near = 5});
    look(machine);
    const Action action = machine.routed(9);
    BOOST_TEST(action.what == Do::wake_at);
    BOOST_TEST(action.revision == 10U);
    const Action sleep = machine.noted();
    BOOST_TEST(sleep.what == Do::sleep);
    BOOST_TEST(!sleep.flag);  // an empty inbox does not mean that it has everything
    BOOST_TEST(machine.knows(10));
    BOOST_TEST(!machine.knows(11));
    look(machine);
    BOOST_TEST(machine.routed(10).what == Do::join);
}

BOOST_AUTO_TEST_CASE(a_watch_that_starts_within_a_commit_waits_for_that)
{
    DeliveryFsm machine({.start = 10, .near = 5, .within_next = true});
    BOOST_TEST(machine.begins_at() == 11U);
    look(machine);
    const Action action = machine.routed(10);
    BOOST_TEST(action.what == Do::wake_at);
    BOOST_TEST(action.revision == 11U);
    machine.noted();
    look(machine);
    BOOST_TEST(machine.routed(11).what == Do::join);
}

BOOST_AUTO_TEST_CASE(sleep_that_is_refused_lets_others_have_their_turn)
{
    DeliveryFsm machine = live();
    ask_for_inbox(machine, 12);
    const Action sleep = machine.took({}, {});
    BOOST_TEST(sleep.what == Do::sleep);
    BOOST_TEST(sleep.flag);
    BOOST_TEST(machine.sleep_refused().what == Do::yield);
    BOOST_TEST(machine.resumed().what == Do::look);
}

// The inbox.

BOOST_AUTO_TEST_CASE(an_inbox_that_was_whole_moves_the_position_to_what_was_routed)
{
    DeliveryFsm machine = delivering();
    BOOST_TEST(machine.position() == 10U);
    machine.passed(11);
    BOOST_TEST(machine.position() == 11U);
    BOOST_TEST(machine.entry_done(12, true, false, false));
    BOOST_TEST(machine.position() == 12U);
    BOOST_TEST(machine.delivered().what == Do::sleep);
    BOOST_TEST(machine.position() == 15U);
}

BOOST_AUTO_TEST_CASE(nothing_is_delivered_after_the_end_of_the_last_bucket)
{
    DeliveryFsm machine = live();
    ask_for_inbox(machine, 15);
    Signals signals;
    signals.detached_at = 12;
    BOOST_TEST(machine.took(signals, {}).what == Do::look);  // at once
    BOOST_TEST(machine.position() == 12U);
}

BOOST_AUTO_TEST_CASE(nothing_before_the_first_commit_of_an_inbox_is_read_again)
{
    DeliveryFsm machine = live();
    ask_for_inbox(machine, 15);
    machine.took({.fell_behind = true}, {.nothing_up_to = 13});
    BOOST_TEST(machine.position() == 13U);
    BOOST_TEST(!machine.is_joined());
}

BOOST_AUTO_TEST_CASE(what_was_queued_is_delivered_before_it_falls_behind)
{
    DeliveryFsm machine = live();
    ask_for_inbox(machine, 15);
    BOOST_TEST(machine.took({.fell_behind = true}, {.any = true}).what == Do::deliver);
    BOOST_TEST(machine.is_joined());
    machine.entry_done(12, true, false, false);
    BOOST_TEST(machine.delivered().what == Do::look);
    BOOST_TEST(!machine.is_joined());
    BOOST_TEST(machine.position() == 12U);
}

BOOST_AUTO_TEST_CASE(a_predicate_that_throws_ends_the_watch_at_what_came_before)
{
    DeliveryFsm machine = live();
    ask_for_inbox(machine, 15);
    machine.took({}, {.any = true, .error = true, .before_error = 13});
    machine.entry_done(11, true, false, false);
    const Action action = machine.delivered();
    BOOST_TEST(action.ending == Ending::predicate_failed);
    BOOST_TEST(machine.position() == 13U);

    DeliveryFsm late = delivering();
    late.ends_in_error(11);
    BOOST_TEST(late.delivered().ending == Ending::predicate_failed);
    BOOST_TEST(late.position() == 11U);
}

// Batches that are not delivered whole.

BOOST_AUTO_TEST_CASE(an_interruption_leads_away_from_what_is_left)
{
    DeliveryFsm machine = delivering();
    BOOST_TEST(!machine.entry_done(12, true, false, true));
    BOOST_TEST(machine.delivered().what == Do::look);
    BOOST_TEST(!machine.is_joined());
    BOOST_TEST(machine.position() == 12U);
}

BOOST_AUTO_TEST_CASE(a_commit_that_was_broken_off_is_not_passed)
{
    DeliveryFsm machine = delivering();
    machine.passed(11);
    BOOST_TEST(!machine.entry_done(12, false, false, false));
    BOOST_TEST(machine.delivered().what == Do::look);
    BOOST_TEST(machine.position() == 11U);
    DeliveryFsm before_an_entry = delivering();
    before_an_entry.break_off();
    BOOST_TEST(before_an_entry.delivered().what == Do::look);
    BOOST_TEST(!before_an_entry.is_joined());
}

BOOST_AUTO_TEST_CASE(a_callback_ends_the_watch_at_the_last_whole_commit)
{
    DeliveryFsm machine = delivering();
    BOOST_TEST(!machine.entry_done(12, true, true, true));
    BOOST_TEST(machine.delivered().ending == Ending::stopped);
    BOOST_TEST(machine.position() == 12U);
    DeliveryFsm half = delivering();
    half.entry_done(12, false, true, false);
    BOOST_TEST(half.delivered().ending == Ending::stopped);
    BOOST_TEST(half.position() == 10U);
}

BOOST_AUTO_TEST_CASE(a_parked_batch_goes_on_when_it_is_handed_back)
{
    DeliveryFsm machine = delivering();
    BOOST_TEST(machine.parked().what == Do::nothing);
    BOOST_TEST(machine.is_parked());
    BOOST_TEST(machine.handed_back(12, true).what == Do::sleep);
    BOOST_TEST(machine.position() == 15U);
    DeliveryFsm shut = delivering();
    shut.parked();
    BOOST_TEST(shut.handed_back(12, false).what == Do::look);
    BOOST_TEST(shut.position() == 12U);
    BOOST_TEST(!shut.is_joined());
    DeliveryFsm refused = delivering();
    BOOST_TEST(refused.not_taken().what == Do::look);
    BOOST_TEST(refused.position() == 10U);
    BOOST_TEST(!refused.is_joined());
}

// History.

BOOST_AUTO_TEST_CASE(history_that_cannot_be_read_ends_the_watch)
{
    const auto read = [](const DeliveryFsm::HistoryRead& report) {
        DeliveryFsm machine({.start = 10});
        look(machine);
        machine.routed(15);
        return machine.history_read(report);
    };
    BOOST_TEST(read({.compacted = true}).ending == Ending::compacted);
    BOOST_TEST(read({.closed = true}).ending == Ending::database_closed);
    BOOST_TEST(read({.reached = 12, .error = true}).ending == Ending::predicate_failed);
    // An interruption is a better reason.
    BOOST_TEST(read({.closed = true, .interrupted = true, .compacted = true}).what == Do::look);
}

BOOST_AUTO_TEST_CASE(a_bucket_that_ended_in_history_is_lost_once_its_end_is_delivered)
{
    const auto read = [](DeliveryFsm& machine) {
        look(machine);
        if (machine.routed(15).what == Do::join) {
            machine.joined(15);
            ask_for_inbox(machine, 15);
        }
        machine.history_read({.reached = 15, .any = true});
        machine.entry_done(12, true, false, false);
        machine.ends_bucket_at(12);
        return machine.delivered();
    };
    DeliveryFsm last({.start = 10});
    BOOST_TEST(read(last).what == Do::lose_buckets);
    BOOST_TEST(last.position() == 12U);
    BOOST_TEST(last.lost(true).ending == Ending::bucket_deleted);

    DeliveryFsm detached({.start = 10});
    read(detached);
    BOOST_TEST(detached.lost(false).what == Do::look);

    // The index still has it.
    DeliveryFsm joined({.start = 10, .near = 5});
    read(joined);
    BOOST_TEST(joined.lost(false).what == Do::part);
    BOOST_TEST(joined.parted().what == Do::look);
    BOOST_TEST(!joined.is_joined());

    DeliveryFsm at_once({.start = 10});
    look(at_once);
    at_once.routed(15);
    BOOST_TEST(at_once.history_read({.reached = 12, .ends_bucket = true}).what == Do::lose_buckets);
}

// A snapshot.

BOOST_AUTO_TEST_CASE(a_snapshot_comes_first_and_its_marker_moves_the_position)
{
    DeliveryFsm machine({.from_state = true});
    BOOST_TEST(machine.delivers_state());
    BOOST_TEST(look(machine).what == Do::read_state);
    BOOST_TEST(machine.state_read({.any = true}).what == Do::deliver);
    BOOST_TEST(machine.entry_done(0, true, false, false));
    BOOST_TEST(machine.delivered().what == Do::look);
    BOOST_TEST(machine.looked({}).what == Do::read_state);
    BOOST_TEST(machine.state_read({}).what == Do::look);  // nothing of that part is for it
    machine.looked({});
    BOOST_TEST(machine.position() == 0U);
    BOOST_TEST(machine.state_read({.whole = true, .any = true, .revision = 7}).what == Do::deliver);
    machine.entry_done(7, true, false, false);
    BOOST_TEST(machine.delivered().what == Do::look);
    BOOST_TEST(machine.position() == 7U);
    BOOST_TEST(!machine.delivers_state());
    BOOST_TEST(machine.looked({}).what == Do::read_routed);
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_cannot_be_read_ends_the_watch)
{
    DeliveryFsm closed({.from_state = true});
    look(closed);
    BOOST_TEST(closed.state_read({.closed = true}).ending == Ending::database_closed);
    DeliveryFsm interrupted({.from_state = true});
    look(interrupted);
    BOOST_TEST(interrupted.state_read({.interrupted = true, .any = true}).what == Do::look);
}

BOOST_AUTO_TEST_CASE(a_drain_and_a_close_wait_for_the_snapshot_and_what_interrupts_does_not)
{
    const auto look_with = [](const Signals& signals) {
        DeliveryFsm machine({.from_state = true});
        return look(machine, signals);
    };
    BOOST_TEST(look_with({.drain_at = 0}).what == Do::read_state);
    BOOST_TEST(look_with({.close_at = 0}).what == Do::read_state);
    BOOST_TEST(look_with({.close_now = true}).ending == Ending::database_closed);
    BOOST_TEST(look_with({.stop = true}).ending == Ending::stopped);
}

BOOST_AUTO_TEST_SUITE_END()
