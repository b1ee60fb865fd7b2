// SPDX-License-Identifier: BSL-1.0
#include "watch/delivery_fsm.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <exception>
#include <functional>
#include <limits>
#include <stdexcept>
#include <vector>

using keywatch::Overflow;
using keywatch::Revision;
using keywatch::watch::DeliveryFsm;
using keywatch::watch::Signals;
using Action = DeliveryFsm::Action;
using Do = DeliveryFsm::Do;
using Ending = DeliveryFsm::Ending;
using How = DeliveryFsm::How;

namespace {

constexpr Revision never = std::numeric_limits<Revision>::max();

Action look(DeliveryFsm& machine, const Signals& signals = {})
{
    machine.woken();
    return machine.looked(signals);
}

/// A machine that is live at 10, and whose next action is to look.
DeliveryFsm live(DeliveryFsm::Config config = {})
{
    config.start = 10;
    DeliveryFsm machine(config);
    look(machine);
    if (config.paced) {
        machine.timed(DeliveryFsm::Timing::due);
    }
    machine.routed(10);
    machine.joined(10);
    return machine;
}

/// Has it take its inbox, when its next action is to look.
Action take(DeliveryFsm& machine, Revision routed, const Signals& signals = {},
            const DeliveryFsm::InboxTaken& taken = {})
{
    machine.looked({});
    machine.routed(routed);
    return machine.took(signals, taken);
}

/// A machine that has caught up once, has fallen behind, and is at 10.
DeliveryFsm fallen_behind(Overflow overflow)
{
    DeliveryFsm machine = live({.near = 5, .overflow = overflow});
    take(machine, 10);
    machine.sleep_refused();
    machine.resumed();
    take(machine, 11, {.fell_behind = true});
    return machine;
}

Action decide(DeliveryFsm& machine, Revision routed, const Signals& signals = {})
{
    machine.looked(signals);
    return machine.routed(routed);
}

Signals all_signals()
{
    Signals signals;
    signals.error = std::make_exception_ptr(std::runtime_error("failed"));
    signals.cancel = true;
    signals.stop = true;
    signals.detached_at = 0;
    signals.drain_at = 0;
    signals.close_at = 0;
    return signals;
}

}  // namespace

// The ends of a DeliveryFsm, its policies, and what it refuses.
BOOST_AUTO_TEST_SUITE(test_delivery_fsm_ends)

BOOST_AUTO_TEST_CASE(of_several_reasons_for_an_end_the_first_of_the_list_counts)
{
    Signals signals = all_signals();
    const auto ending = [&] {
        DeliveryFsm machine({.start = 10});
        return look(machine, signals).ending;
    };
    BOOST_TEST(ending() == Ending::pipeline_failed);
    signals.error = nullptr;
    BOOST_TEST(ending() == Ending::cancelled);
    signals.cancel = false;
    BOOST_TEST(ending() == Ending::stopped);
    signals.stop = false;
    BOOST_TEST(ending() == Ending::bucket_deleted);
    signals.detached_at = never;
    BOOST_TEST(ending() == Ending::drained);
    signals.drain_at.reset();
    BOOST_TEST(ending() == Ending::database_closed);
    signals.close_at.reset();
    BOOST_TEST(ending() == Ending::none);
    signals.close_now = true;
    BOOST_TEST(ending() == Ending::database_closed);
}

BOOST_AUTO_TEST_CASE(a_drain_and_a_close_wait_for_what_they_tell)
{
    for (const Revision last : {10, 11}) {
        DeliveryFsm drained({.start = 10});
        BOOST_TEST((look(drained, {.drain_at = last}).what == Do::end) == (last == 10));
        DeliveryFsm closed({.start = 10});
        BOOST_TEST((look(closed, {.close_at = last}).what == Do::end) == (last == 10));
    }
}

BOOST_AUTO_TEST_CASE(a_live_watch_ends_at_what_was_routed_if_nothing_waits_in_its_inbox)
{
    const auto end = [](const Signals& signals, const DeliveryFsm::InboxTaken& taken) {
        DeliveryFsm machine = live();
        BOOST_TEST(machine.looked({.stop = true}).what == Do::read_routed);
        const Action action = machine.routed(15);
        BOOST_TEST(action.what == Do::take_inbox);
        BOOST_TEST(action.flag);  // it is not going to be delivered
        BOOST_TEST(machine.took(signals, taken).ending == Ending::stopped);
        return machine.position();
    };
    BOOST_TEST(end({}, {}) == 15U);
    BOOST_TEST(end({}, {.any = true}) == 10U);
    BOOST_TEST(end({.fell_behind = true}, {}) == 10U);
    BOOST_TEST(end({.fell_behind = true}, {.nothing_up_to = 12}) == 12U);
    BOOST_TEST(end({.detached_at = 13}, {}) == 13U);
}

BOOST_AUTO_TEST_CASE(a_watch_whose_pipeline_failed_ends_where_it_is)
{
    DeliveryFsm machine = live();
    BOOST_TEST(machine.looked(all_signals()).ending == Ending::pipeline_failed);
}

BOOST_AUTO_TEST_CASE(an_exception_ends_the_watch_unless_what_interrupted_it_explains_it)
{
    const auto ending = [](bool timed_out, bool aborted, const Signals& signals) {
        DeliveryFsm machine({.start = 10});
        machine.woken();  // whatever the state
        return machine.failed(timed_out, aborted, signals).ending;
    };
    Signals signals = all_signals();
    signals.close_now = true;
    BOOST_TEST(ending(true, true, signals) == Ending::callback_timeout);
    BOOST_TEST(ending(false, false, signals) == Ending::failed);
    BOOST_TEST(ending(false, true, signals) == Ending::pipeline_failed);
    signals.error = nullptr;
    BOOST_TEST(ending(false, true, signals) == Ending::cancelled);
    signals.cancel = false;
    BOOST_TEST(ending(false, true, signals) == Ending::database_closed);
    signals.close_now = false;
    BOOST_TEST(ending(false, true, signals) == Ending::failed);
}

// A watch that reaches its end looks at the signals at once.

BOOST_AUTO_TEST_CASE(a_batch_that_comes_to_the_end_is_followed_by_a_look)
{
    const auto next = [](const Signals& signals) {
        DeliveryFsm machine = live();
        return take(machine, 15, signals).what;
    };
    BOOST_TEST(next({}) == Do::sleep);
    BOOST_TEST(next({.drain_at = 15}) == Do::look);
    BOOST_TEST(next({.drain_at = 16}) == Do::sleep);
    BOOST_TEST(next({.close_at = 15}) == Do::look);
    BOOST_TEST(next({.detached_at = 15}) == Do::look);
    BOOST_TEST(next({.stop = true}) == Do::look);
    BOOST_TEST(next({.cancel = true}) == Do::look);
    BOOST_TEST(next({.close_now = true}) == Do::look);
    BOOST_TEST(next(all_signals()) == Do::look);
}

BOOST_AUTO_TEST_CASE(a_drained_watch_reads_no_further)
{
    DeliveryFsm machine({.start = 10});
    look(machine, {.drain_at = 13});
    BOOST_TEST(machine.routed(20).revision == 13U);
}

// Time.

BOOST_AUTO_TEST_CASE(a_watch_that_is_early_rests_unless_it_is_to_end)
{
    const auto may_wait = [](const Signals& signals) {
        DeliveryFsm machine({.start = 10, .paced = true});
        const Action action = look(machine, signals);
        BOOST_TEST(action.what == Do::check_time);
        return action.flag;
    };
    BOOST_TEST(may_wait({}));
    BOOST_TEST(!may_wait({.drain_at = 20}));
    BOOST_TEST(!may_wait({.close_at = 20}));
    BOOST_TEST(!may_wait({.bucket_deleted = true}));

    DeliveryFsm machine({.start = 10, .paced = true});
    look(machine);
    BOOST_TEST(machine.timed(DeliveryFsm::Timing::early).what == Do::rest);
    BOOST_TEST(machine.rest_refused().what == Do::look);
    machine.looked({});
    machine.timed(DeliveryFsm::Timing::early);
    BOOST_TEST(machine.woken().what == Do::look);
    machine.looked({});
    BOOST_TEST(machine.timed(DeliveryFsm::Timing::due).what == Do::read_routed);
}

// A commit that comes between the look at the inbox and the take must not be delivered early.
BOOST_AUTO_TEST_CASE(what_comes_while_it_is_too_early_stays_in_the_inbox)
{
    DeliveryFsm machine = live({.paced = true});
    machine.looked({});
    machine.timed(DeliveryFsm::Timing::early_but_empty);
    BOOST_TEST(machine.routed(15).what == Do::take_if_empty);
    BOOST_TEST(machine.not_empty().what == Do::look);
    machine.looked({});
    machine.timed(DeliveryFsm::Timing::early_but_empty);
    BOOST_TEST(machine.routed(16).what == Do::take_if_empty);
    machine.took({}, {});
    BOOST_TEST(machine.position() == 16U);
    machine.progress_due(false);
    look(machine);
    machine.timed(DeliveryFsm::Timing::due);
    BOOST_TEST(machine.routed(17).what == Do::take_inbox);
}

BOOST_AUTO_TEST_CASE(progress_is_looked_at_after_a_batch_and_told_at_the_position)
{
    DeliveryFsm machine = live({.paced = true});
    machine.looked({});
    machine.timed(DeliveryFsm::Timing::due);
    machine.routed(15);
    BOOST_TEST(machine.took({}, {}).what == Do::check_progress);
    BOOST_TEST(machine.progress_due(true).what == Do::deliver);
    BOOST_TEST(machine.entry_done(15, true, false, false));
    BOOST_TEST(machine.delivered().what == Do::sleep);
    BOOST_TEST(machine.position() == 15U);
    look(machine);
    machine.timed(DeliveryFsm::Timing::due);
    machine.routed(16);
    machine.took({}, {});
    BOOST_TEST(machine.progress_due(false).what == Do::sleep);
}

// Policies.

BOOST_AUTO_TEST_CASE(a_watch_that_is_too_slow_does_what_its_policy_says)
{
    const auto too_slow = [](Overflow overflow, const Signals& signals = {}) {
        DeliveryFsm machine = fallen_behind(overflow);
        decide(machine, 16);  // by 6
        machine.history_read({.reached = 11});
        return decide(machine, 11 + 12, signals);
    };
    BOOST_TEST(too_slow(Overflow::catch_up).how == How::each);
    BOOST_TEST(too_slow(Overflow::latest).how == How::newest);
    BOOST_TEST(too_slow(Overflow::skip).how == How::gap);
    BOOST_TEST(too_slow(Overflow::skip).revision == 23U);
    BOOST_TEST(too_slow(Overflow::stop).ending == Ending::overflow);
    // It is about to end all the same.
    BOOST_TEST(too_slow(Overflow::skip, {.close_at = 40}).how == How::each);
    BOOST_TEST(too_slow(Overflow::stop, {.drain_at = 40}).what == Do::read_history);
}

BOOST_AUTO_TEST_CASE(a_watch_bears_what_it_began_with_and_what_it_may_be_near)
{
    DeliveryFsm machine = fallen_behind(Overflow::stop);
    BOOST_TEST(machine.bears() == never);  // it has not begun
    decide(machine, 16);
    BOOST_TEST(machine.bears() == 11U);
    machine.history_read({.reached = 10});
    BOOST_TEST(decide(machine, 21).what == Do::read_history);
    machine.history_read({.reached = 10});
    BOOST_TEST(decide(machine, 22).what == Do::end);

    DeliveryFsm fresh({.start = 10, .near = 5});
    look(fresh);
    fresh.routed(16);
    BOOST_TEST(fresh.bears() == never);
    DeliveryFsm at_present({.start = 10, .near = 5, .at_present = true});
    look(at_present);
    at_present.routed(16);
    BOOST_TEST(at_present.bears() == 11U);
    DeliveryFsm boundless({.start = 10, .near = never, .at_present = true});
    look(boundless);
    boundless.routed(16);
    BOOST_TEST(boundless.bears() == never);
}

BOOST_AUTO_TEST_CASE(a_gap_gives_another_try_and_falling_behind_by_itself_does_not)
{
    DeliveryFsm skips = fallen_behind(Overflow::skip);
    decide(skips, 16);
    skips.history_read({.reached = 10});
    decide(skips, 22);
    skips.history_read({.reached = 22});
    BOOST_TEST(skips.bears() == never);

    for (const bool by_itself : {false, true}) {
        DeliveryFsm machine({.start = 10, .near = 5, .at_present = true});
        look(machine);
        machine.routed(15);
        machine.joined(15);
        machine.looked({});
        machine.routed(15);
        machine.history_read({.reached = 15});
        take(machine, 16, {.fell_behind = true, .full = by_itself});
        BOOST_TEST(machine.bears() == (by_itself ? 10U : never));
    }
}

BOOST_AUTO_TEST_CASE(a_full_inbox_ends_a_watch_only_if_that_is_its_policy_and_its_fault)
{
    const Signals overflowed{.fell_behind = true, .full = true, .overflowed = true};
    const auto next = [](Overflow overflow, const Signals& signals) {
        DeliveryFsm machine = live({.overflow = overflow});
        return take(machine, 15, signals).ending;
    };
    BOOST_TEST(next(Overflow::stop, overflowed) == Ending::overflow);
    BOOST_TEST(next(Overflow::stop, {.fell_behind = true, .full = true}) == Ending::none);
    BOOST_TEST(next(Overflow::skip, overflowed) == Ending::none);
    Signals closing = overflowed;
    closing.close_at = 40;
    BOOST_TEST(next(Overflow::stop, closing) == Ending::none);
}

// Refused reports.

BOOST_AUTO_TEST_CASE(a_report_that_the_state_does_not_expect_is_refused)
{
    const std::vector<std::function<void(DeliveryFsm&)>> reports{
        [](DeliveryFsm& machine) { machine.looked({}); },
        [](DeliveryFsm& machine) { machine.timed(DeliveryFsm::Timing::due); },
        [](DeliveryFsm& machine) { machine.rest_refused(); },
        [](DeliveryFsm& machine) { machine.routed(10); },
        [](DeliveryFsm& machine) { machine.noted(); },
        [](DeliveryFsm& machine) { machine.state_read({}); },
        [](DeliveryFsm& machine) { machine.history_read({}); },
        [](DeliveryFsm& machine) { machine.joined(10); },
        [](DeliveryFsm& machine) { machine.took({}, {}); },
        [](DeliveryFsm& machine) { machine.delivered(); },
        [](DeliveryFsm& machine) { machine.parked(); },
        [](DeliveryFsm& machine) { machine.not_taken(); },
        [](DeliveryFsm& machine) { machine.handed_back(10, true); },
        [](DeliveryFsm& machine) { machine.lost(true); },
        [](DeliveryFsm& machine) { machine.parted(); },
        [](DeliveryFsm& machine) { machine.progress_due(false); },
        [](DeliveryFsm& machine) { machine.sleep_refused(); },
        [](DeliveryFsm& machine) { machine.resumed(); },
    };
    for (const auto& report : reports) {
        DeliveryFsm idle({.start = 10});
        BOOST_CHECK_THROW(report(idle), std::logic_error);
        DeliveryFsm ended({.start = 10});
        look(ended, {.stop = true});
        BOOST_CHECK_THROW(report(ended), std::logic_error);
    }
}

BOOST_AUTO_TEST_CASE(a_second_worker_is_refused)
{
    DeliveryFsm machine({.start = 10});
    machine.woken();
    BOOST_CHECK_THROW(machine.woken(), std::logic_error);
}

BOOST_AUTO_TEST_CASE(a_watch_ends_once)
{
    DeliveryFsm machine({.start = 10});
    BOOST_TEST(look(machine, {.stop = true}).what == Do::end);
    BOOST_TEST(machine.is_over());
    BOOST_TEST(machine.woken().what == Do::nothing);
    BOOST_CHECK_THROW(machine.failed(false, false, {}), std::logic_error);
    DeliveryFsm abandoned({.start = 10});
    abandoned.abandon();
    BOOST_TEST(abandoned.is_over());
    BOOST_TEST(abandoned.woken().what == Do::nothing);
}

BOOST_AUTO_TEST_SUITE_END()
