// SPDX-License-Identifier: BSL-1.0
#include "pipeline/revision_wakes.hpp"
#include "support/printing.hpp"
#include "support/watch/fake_watcher.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using keywatch::pipeline::RevisionWakes;

namespace {

/// Wakes the watches that R has reached, in as many turns as that takes.
void reach(RevisionWakes& wakes, Revision routed)
{
    bool all = false;
    while (!all) {
        async::LoopTurn turn;
        all = wakes.wake_reached(routed, turn);
    }
}

}  // namespace

// `RevisionWakes`: which watches are woken when R moves.
BOOST_AUTO_TEST_SUITE(test_revision_wakes)

BOOST_AUTO_TEST_CASE(a_watch_is_woken_once_when_r_reaches_its_revision)
{
    RevisionWakes wakes;
    const auto watcher = std::make_shared<FakeWatcher>();
    watcher->waits_at = 10;
    wakes.add(10, watcher, 5);
    reach(wakes, 9);
    BOOST_TEST(watcher->woken == 0);
    reach(wakes, 12);
    BOOST_TEST(watcher->woken == 1);
    reach(wakes, 20);
    BOOST_TEST(watcher->woken == 1);
}

BOOST_AUTO_TEST_CASE(what_r_has_reached_already_is_woken_at_once)
{
    RevisionWakes wakes;
    const auto watcher = std::make_shared<FakeWatcher>();
    wakes.add(5, watcher, 5);
    BOOST_TEST(watcher->woken == 1);
    reach(wakes, 9);
    BOOST_TEST(watcher->woken == 1);
}

BOOST_AUTO_TEST_CASE(a_watch_is_woken_again_where_it_wants_to_be_next)
{
    RevisionWakes wakes;
    const auto watcher = std::make_shared<FakeWatcher>();
    watcher->waits_at = 10;
    watcher->waits_next = 30;
    wakes.add(10, watcher, 5);
    reach(wakes, 10);
    BOOST_TEST(watcher->woken == 1);
    reach(wakes, 29);
    BOOST_TEST(watcher->woken == 1);
    reach(wakes, 30);
    BOOST_TEST(watcher->woken == 2);
}

BOOST_AUTO_TEST_CASE(a_watch_that_is_gone_is_passed_over)
{
    RevisionWakes wakes;
    auto gone = std::make_shared<FakeWatcher>();
    const auto watcher = std::make_shared<FakeWatcher>();
    gone->waits_at = watcher->waits_at = 10;
    wakes.add(10, gone, 5);
    wakes.add(10, watcher, 5);
    gone.reset();
    reach(wakes, 10);
    BOOST_TEST(watcher->woken == 1);
}

// Otherwise a program that waits for ever later revisions, with a timeout, would use ever more
// memory.
BOOST_AUTO_TEST_CASE(wakes_that_are_of_no_use_any_more_are_removed)
{
    RevisionWakes wakes;
    const auto watcher = std::make_shared<FakeWatcher>();
    constexpr Revision many = 1000;
    for (Revision revision = 10; revision < 10 + many; ++revision) {
        watcher->waits_at = revision;
        wakes.add(revision, watcher, 5);
    }
    reach(wakes, 10 + many);
    BOOST_TEST(watcher->woken <= 3);
    BOOST_TEST(watcher->woken >= 1);
}

BOOST_AUTO_TEST_CASE(more_than_a_turn_can_hold_are_woken_in_several)
{
    RevisionWakes wakes;
    std::vector<std::shared_ptr<FakeWatcher>> watchers;
    for (int i = 0; i < 5000; ++i) {
        watchers.push_back(std::make_shared<FakeWatcher>());
        watchers.back()->waits_at = 10;
        wakes.add(10, watchers.back(), 5);
    }
    reach(wakes, 10);
    for (const auto& each : watchers) {
        BOOST_TEST_REQUIRE(each->woken == 1);
    }
}

BOOST_AUTO_TEST_SUITE_END()
