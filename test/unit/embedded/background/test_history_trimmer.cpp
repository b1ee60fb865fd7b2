// SPDX-License-Identifier: BSL-1.0
#include "embedded/background/history_trimmer.hpp"

#include "support/engine/background_store.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <memory>

using namespace keywatch;
using namespace keywatch::embedded;
using namespace keywatch::test;

namespace {

/// A trimmer that keeps a hundred commits.
struct Trimming : BackgroundStore {
    MonotonicClock clock{[] { return Time{}; }};
    std::shared_ptr<HistoryTrimmer> trimmer;

    ~Trimming() { thread.finish(); }

    void start(int commits)
    {
        commit(commits);
        reopen();
        options.history.commits = 100;
        trimmer = std::make_shared<HistoryTrimmer>(options, *store, thread, clock);
        trimmer->start();
        run_posted();
    }

    void commit_one()
    {
        committer.commit();
        trimmer->committed(committer.head(), committer.time(), committer.totals());
        run_posted();
    }

    /// Commits until removals are planned, and takes some of them. (If this thread is slow, they
    /// were already written alone.)
    storage::Batch take_removals()
    {
        for (;;) {
            storage::Batch batch;
            if (trimmer->add_removals(batch, 1)) {
                return batch;
            }
            commit_one();
        }
    }

    bool has_removals() const
    {
        storage::Batch batch;
        return trimmer->add_removals(batch, 1);
    }
};

}  // namespace

// `HistoryTrimmer`: what it removes, and when.
BOOST_FIXTURE_TEST_SUITE(test_history_trimmer, Trimming)

BOOST_AUTO_TEST_CASE(a_commit_takes_one_step_of_removals_along)
{
    start(1000);
    storage::Batch batch = take_removals();
    const Revision before = trimmer->oldest();
    BOOST_TEST(!has_removals());  // not before these are durable
    store->write(batch, false);
    BOOST_TEST(trimmer->oldest() == before);
    trimmer->trimmed();
    BOOST_TEST(trimmer->oldest() == before + 16);
    BOOST_TEST(trimmer->state().oldest == before + 16);
    BOOST_TEST(trimmer->stats().trimmed == before + 15);
}

BOOST_AUTO_TEST_CASE(removals_are_written_alone_while_no_commits_come)
{
    start(1000);
    BOOST_TEST(soon([this] { return trimmer->oldest() == 901U; }));
    BOOST_TEST(stored_records() == 100U);
    const Stats::History stats = trimmer->stats();
    BOOST_TEST(stats.commits == 100U);
    BOOST_TEST(stats.trimmed == 900U);
    BOOST_TEST(!has_removals());
}

BOOST_AUTO_TEST_CASE(trimming_begins_when_a_limit_is_exceeded_by_a_part_of_it)
{
    start(100);
    for (int i = 0; i < 3; ++i) {
        commit_one();
        BOOST_TEST(!has_removals());
    }
    BOOST_TEST(trimmer->oldest() == 1U);
    commit_one();
    BOOST_TEST(soon([this] { return trimmer->oldest() == 5U; }));
}

BOOST_AUTO_TEST_CASE(what_is_pinned_is_trimmed_after_it_was_unpinned)
{
    start(100);
    BOOST_TEST(store->pins().pin(0));
    for (int i = 0; i < 200; ++i) {
        commit_one();
        BOOST_REQUIRE(!has_removals());
    }
    BOOST_TEST(trimmer->oldest() == 1U);
    store->pins().unpin(0);
    commit_one();
    BOOST_TEST(soon([this] { return trimmer->stats().commits == 100U; }));
}

BOOST_AUTO_TEST_CASE(after_a_failed_write_nothing_more_is_trimmed)
{
    start(1000);
    const storage::Batch not_written = take_removals();
    const Revision oldest = trimmer->oldest();
    for (int i = 0; i < 10; ++i) {
        commit_one();
        BOOST_TEST(!has_removals());
    }
    thread.finish();
    BOOST_TEST(trimmer->oldest() == oldest);
    BOOST_TEST(stored_records() == committer.head() + 1 - oldest);
}

BOOST_AUTO_TEST_SUITE_END()
