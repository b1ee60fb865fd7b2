// SPDX-License-Identifier: BSL-1.0
#include "watch/collector.hpp"

#include "support/printing.hpp"
#include "support/watch/commits.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace keywatch::watch;

namespace {

using Revisions = std::vector<Revision>;

struct CollectorOfTen {
    Hub hub{{10, 1000 * 1000}};
    Collector collector{hub, 0, {4, 1000 * 1000}};

    void commit(Revision first, Revision last)
    {
        for (Revision revision = first; revision <= last; ++revision) {
            hub.append(commit_of(revision));
        }
    }
};

std::vector<SharedCommit> history(Revision after, Revision up_to)
{
    std::vector<SharedCommit> commits;
    for (Revision revision = after + 1; revision <= up_to; ++revision) {
        commits.push_back(commit_of(revision));
    }
    return commits;
}

}  // namespace

// `Collector`: batches of commits from the hub and from history.
BOOST_FIXTURE_TEST_SUITE(test_collector, CollectorOfTen)

BOOST_AUTO_TEST_CASE(batches_are_cut_and_follow_each_other)
{
    commit(1, 6);
    BOOST_TEST(collector.next() == Collector::Step::batch);
    const Batch first = collector.take_batch();
    BOOST_TEST(revisions_of(first.commits) == (Revisions{1, 2, 3, 4}));
    BOOST_TEST(first.reached == 4U);
    BOOST_TEST(first.bytes == 4 * first.commits[0]->pinned_bytes());
    BOOST_TEST(!first.gap);
    BOOST_TEST(collector.next() == Collector::Step::batch);
    BOOST_TEST(revisions_of(collector.take_batch().commits) == (Revisions{5, 6}));
    BOOST_TEST(collector.next() == Collector::Step::wait);
    BOOST_TEST(collector.position() == 6U);
}

BOOST_AUTO_TEST_CASE(overwritten_commits_are_requested_from_history)
{
    commit(1, 15);
    BOOST_TEST(collector.next() == Collector::Step::read_history);
    BOOST_TEST(collector.position() == 0U);
    BOOST_TEST(collector.missing_up_to() == 5U);
    collector.read(history(0, 3), 3);  // as much as a slice allows
    BOOST_TEST(collector.take_batch().reached == 3U);
    BOOST_TEST(collector.next() == Collector::Step::read_history);
    collector.read(history(3, 5), 5);
    BOOST_TEST(revisions_of(collector.take_batch().commits) == (Revisions{4, 5}));
    BOOST_TEST(collector.next() == Collector::Step::batch);
    BOOST_TEST(revisions_of(collector.take_batch().commits) == (Revisions{6, 7, 8, 9}));
}

BOOST_AUTO_TEST_CASE(a_batch_from_history_counts_its_bytes)
{
    commit(1, 11);
    BOOST_TEST(collector.next() == Collector::Step::read_history);
    const auto commits = history(0, 1);
    collector.read(commits, 1);
    BOOST_TEST(collector.take_batch().bytes == commits[0]->pinned_bytes());
}

// W6: trimmed history is never skipped silently.
BOOST_AUTO_TEST_CASE(trimmed_history_becomes_a_gap_up_to_where_history_begins)
{
    commit(1, 20);
    BOOST_TEST(collector.next() == Collector::Step::read_history);
    collector.compacted(8);
    const Batch gap = collector.take_batch();
    BOOST_TEST(gap.gap);
    BOOST_TEST(gap.commits.empty());
    BOOST_TEST(gap.reached == 7U);
    BOOST_TEST(collector.position() == 7U);
    BOOST_TEST(collector.next() == Collector::Step::read_history);
    BOOST_TEST(collector.missing_up_to() == 10U);
}

BOOST_AUTO_TEST_CASE(commits_that_no_subscriber_needs_are_skipped_without_a_batch)
{
    commit(1, 3);
    collector.pass_over(2);
    collector.pass_over(1);  // the position never decreases
    BOOST_TEST(collector.position() == 2U);
    BOOST_TEST(collector.next() == Collector::Step::batch);
    const Batch batch = collector.take_batch();
    BOOST_TEST(!batch.gap);
    BOOST_TEST(revisions_of(batch.commits) == Revisions{3});
}

// Skipped commits are not read from history, even if the ring has lost them.
BOOST_AUTO_TEST_CASE(commits_that_were_not_appended_to_the_hub_are_not_read)
{
    commit(1, 3);
    collector.pass_over(40);
    BOOST_TEST(collector.next() == Collector::Step::wait);
    commit(41, 42);
    BOOST_TEST(collector.next() == Collector::Step::batch);
    BOOST_TEST(revisions_of(collector.take_batch().commits) == (Revisions{41, 42}));
}

BOOST_AUTO_TEST_CASE(commits_overwritten_while_history_is_read_are_requested_next)
{
    commit(1, 12);
    BOOST_TEST(collector.next() == Collector::Step::read_history);
    BOOST_TEST(collector.missing_up_to() == 2U);
    commit(13, 20);
    collector.read(history(0, 2), 2);
    collector.take_batch();
    BOOST_TEST(collector.next() == Collector::Step::read_history);
    BOOST_TEST(collector.position() == 2U);
    BOOST_TEST(collector.missing_up_to() == 10U);
}

// W3: for all sizes and timings, each commit comes once and in order.
BOOST_AUTO_TEST_CASE(random_bursts_are_collected_completely)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    Revision made = 0;
    Revision next = 1;
    bool ordered = true;
    while (next <= 5000) {
        const Revision burst = random() % 14;
        commit(made + 1, made + burst);
        made += burst;
        switch (collector.next()) {
        case Collector::Step::wait:
            BOOST_TEST_REQUIRE(next == made + 1);
            break;
        case Collector::Step::read_history: {
            const Revision after = collector.position();
            const Revision reached = std::min(collector.missing_up_to(), after + 1 + random() % 3);
            collector.read(history(after, reached), reached);
            [[fallthrough]];
        }
        case Collector::Step::batch:
            const Batch batch = collector.take_batch();
            for (const SharedCommit& each : batch.commits) {
                ordered = ordered && each->revision == next++;
            }
            ordered = ordered && batch.reached == next - 1;
            break;
        }
    }
    BOOST_TEST(ordered, "seed " << seed);
}

BOOST_AUTO_TEST_SUITE_END()
