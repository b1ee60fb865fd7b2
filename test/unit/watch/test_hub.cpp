// SPDX-License-Identifier: BSL-1.0
#include "watch/hub.hpp"

#include "support/printing.hpp"
#include "support/watch/commits.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using keywatch::watch::Budget;
using keywatch::watch::Hub;

namespace {

using Revisions = std::vector<Revision>;

constexpr Budget plenty{1000, 1000 * 1000};

void fill(Hub& hub, Revision first, Revision last)
{
    for (Revision revision = first; revision <= last; ++revision) {
        hub.append(commit_of(revision));
    }
}

}  // namespace

// `Hub`: the newest commits, and gaps between them.
BOOST_AUTO_TEST_SUITE(test_hub)

BOOST_AUTO_TEST_CASE(commits_are_taken_once_and_in_order)
{
    Hub hub(plenty);
    BOOST_TEST(hub.empty());
    fill(hub, 1, 5);
    BOOST_TEST(!hub.empty());
    BOOST_TEST(revisions_of(hub.take(0, {3, plenty.bytes}).commits) == (Revisions{1, 2, 3}));
    BOOST_TEST(revisions_of(hub.take(3, {3, plenty.bytes}).commits) == (Revisions{4, 5}));
    BOOST_TEST(hub.empty());
}

BOOST_AUTO_TEST_CASE(what_is_taken_is_counted)
{
    Hub hub(plenty);
    hub.append(make_commit(1, {put_of("a"), put_of("b")}));
    hub.append(make_commit(2, {put_of("c")}));
    const Hub::Taken taken = hub.take(0, plenty);
    BOOST_TEST(taken.messages == 3U);
    BOOST_TEST(taken.bytes == taken.commits[0]->pinned_bytes() + taken.commits[1]->pinned_bytes());
    BOOST_TEST(taken.missing_up_to == 0U);
}

BOOST_AUTO_TEST_CASE(commits_up_to_the_position_are_not_returned)
{
    Hub hub(plenty);
    fill(hub, 1, 5);
    BOOST_TEST(revisions_of(hub.take(3, plenty).commits) == (Revisions{4, 5}));
}

BOOST_AUTO_TEST_CASE(a_full_ring_overwrites_the_oldest_and_reports_up_to_where)
{
    Hub hub({3, plenty.bytes});
    fill(hub, 1, 7);
    const Hub::Taken gap = hub.take(2, plenty);
    BOOST_TEST(gap.missing_up_to == 4U);
    BOOST_TEST(gap.commits.empty());
    // After the missing commits were read elsewhere, the rest is still there.
    BOOST_TEST(revisions_of(hub.take(4, plenty).commits) == (Revisions{5, 6, 7}));
}

// W10
BOOST_AUTO_TEST_CASE(bytes_are_bounded_too)
{
    constexpr std::size_t large = 10000;
    Hub hub({1000, 3 * large});
    for (Revision revision = 1; revision <= 10; ++revision) {
        hub.append(make_commit(revision, {put_of("k")}, large));
    }
    BOOST_TEST(hub.take(0, plenty).missing_up_to >= 8U);
}

BOOST_AUTO_TEST_CASE(a_single_commit_above_every_limit_passes)
{
    Hub hub({2, 1});
    hub.append(commit_of(1));
    hub.append(make_commit(2, {put_of("a"), put_of("b"), put_of("c")}));
    const Hub::Taken taken = hub.take(1, {1, 1});
    BOOST_TEST(revisions_of(taken.commits) == Revisions{2});
    BOOST_TEST(taken.messages == 3U);
}

BOOST_AUTO_TEST_CASE(a_gap_is_found_by_the_previous_revision_not_by_counting)
{
    Hub hub(plenty);
    const auto commit = std::make_shared<CommitRecord>();
    commit->revision = 9;
    commit->previous = 4;
    hub.append(commit);
    BOOST_TEST(revisions_of(hub.take(4, plenty).commits) == Revisions{9});
    hub.append(commit);
    BOOST_TEST(hub.take(3, plenty).missing_up_to == 4U);
}

BOOST_AUTO_TEST_CASE(the_collector_is_woken_once_per_wait)
{
    Hub hub(plenty);
    BOOST_TEST(!hub.append(commit_of(1)));  // the collector does not wait yet
    hub.take(0, plenty);
    // Commits were returned, so the collector will call again.
    BOOST_TEST(!hub.append(commit_of(2)));
    hub.take(1, plenty);
    hub.take(2, plenty);  // returns nothing
    BOOST_TEST(hub.append(commit_of(3)));
    BOOST_TEST(!hub.append(commit_of(4)));
}

BOOST_AUTO_TEST_CASE(the_collector_does_not_wait_after_a_gap_was_reported)
{
    Hub hub({1, plenty.bytes});
    fill(hub, 1, 3);
    BOOST_TEST(hub.take(0, plenty).missing_up_to == 2U);
    BOOST_TEST(!hub.append(commit_of(4)));
}

// No wake-up may be lost between a `take` that returns nothing and the next `append`.
BOOST_AUTO_TEST_CASE(a_writer_never_misses_a_waiting_collector)
{
    constexpr Revision last = 20000;
    Hub hub({64, plenty.bytes});
    std::atomic<int> wakes{0};
    std::thread writer([&] {
        for (Revision revision = 1; revision <= last; ++revision) {
            if (hub.append(commit_of(revision))) {
                wakes.fetch_add(1);
                wakes.notify_one();
            }
        }
    });
    Revision position = 0;
    bool ordered = true;
    while (position < last) {
        Hub::Taken taken = hub.take(position, {16, plenty.bytes});
        if (taken.missing_up_to != 0) {
            position = taken.missing_up_to;
        } else if (taken.commits.empty()) {
            wakes.wait(0);  // hangs here if the wake-up is lost
            wakes.fetch_sub(1);
        }
        for (const auto& each : taken.commits) {
            ordered = ordered && each->revision == position + 1;
            position = each->revision;
        }
    }
    writer.join();
    BOOST_TEST(ordered);
}

// Commits made while no watch ran are in history only.
BOOST_AUTO_TEST_CASE(an_unseen_commit_is_missing_at_any_place)
{
    Hub hub(plenty);
    fill(hub, 1, 2);
    BOOST_TEST(!hub.append_unseen(3));
    BOOST_TEST(hub.take(0, plenty).missing_up_to == 3U);
    BOOST_CHECK(hub.take(3, plenty).commits.empty());
    BOOST_TEST(hub.append_unseen(4));  // the collector waits by now
    BOOST_TEST(hub.take(3, plenty).missing_up_to == 4U);
    fill(hub, 5, 6);
    BOOST_TEST(hub.take(3, plenty).missing_up_to == 4U);
    BOOST_TEST(revisions_of(hub.take(4, plenty).commits) == (Revisions{5, 6}));
}

// W3: nothing is appended while no watch runs, and older commits may still be in the ring.
BOOST_AUTO_TEST_CASE(commits_after_a_hole_are_not_returned_as_the_next_ones)
{
    Hub hub(plenty);
    fill(hub, 21, 22);
    hub.append(commit_of(25));
    BOOST_TEST(hub.take(20, plenty).missing_up_to == 24U);
    BOOST_TEST(revisions_of(hub.take(24, plenty).commits) == Revisions{25});
}

BOOST_AUTO_TEST_SUITE_END()
