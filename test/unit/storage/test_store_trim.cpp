// SPDX-License-Identifier: BSL-1.0
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;
using namespace std::chrono_literals;

// The trimming of history by a `Store`.
BOOST_FIXTURE_TEST_SUITE(test_store_trim, ReopenableStore)

BOOST_AUTO_TEST_CASE(overtaken_records_are_trimmed_away_in_steps)
{
    commit(10, 1, max_part_bytes);  // two parts each
    committer.commit_without_history();
    reopen();
    committer.commit();
    reopen();
    BOOST_TEST(state.oldest == 12U);
    BOOST_TEST(stored_records() == 21U);
    std::size_t removed = 0;
    while (const std::size_t step = store->trim(state, keep_all(), Time{}, 4)) {
        BOOST_TEST(step <= 4U);
        removed += step;
        BOOST_TEST(all(11) == range(12, 12));
        BOOST_TEST(store->read_history(10, 12, {}).compacted == Revision{12});
    }
    BOOST_TEST(removed == 10U);
    BOOST_TEST(stored_records() == 1U);
    BOOST_TEST(state.oldest == 12U);
    reopen();
    BOOST_TEST(state.oldest == 12U);
    BOOST_TEST(store->trim(state, keep_all(), Time{}, 4) == 0U);
}

BOOST_AUTO_TEST_CASE(trimming_stopped_by_a_reopening_continues)
{
    commit(10);
    committer.commit_without_history();
    reopen();
    BOOST_TEST(store->trim(state, keep_all(), Time{}, 4) == 4U);
    reopen();
    BOOST_TEST(state.oldest == 12U);
    BOOST_TEST(store->trim(state, keep_all(), Time{}, 100) == 6U);
    BOOST_TEST(stored_records() == 0U);
    BOOST_TEST(store->head_at_open() == 11U);
    reopen();
    BOOST_TEST(store->head_at_open() == 11U);
}

BOOST_AUTO_TEST_CASE(the_number_of_commits_limits_history)
{
    commit(10);
    HistoryLimits limits = keep_all();
    limits.commits = 10;
    BOOST_TEST(store->trim(state, limits, Time{}, 100) == 0U);
    limits.commits = 4;
    BOOST_TEST(store->trim(state, limits, Time{}, 2) == 2U);
    BOOST_TEST(state.oldest == 3U);
    BOOST_TEST(store->trim(state, limits, Time{}, 100) == 4U);
    BOOST_TEST(state.oldest == 7U);
    BOOST_TEST(store->read_history(5, 10, {}).compacted == Revision{7});
    BOOST_TEST(all(6) == range(7, 10));
    BOOST_TEST(stored_records() == 4U);
}

BOOST_AUTO_TEST_CASE(its_bytes_limit_history)
{
    commit(10, 1, 1000);
    const std::uint64_t size = state.newest_totals.bytes / 10;
    HistoryLimits limits = keep_all();
    limits.bytes = state.newest_totals.bytes - 3 * size + size / 2;
    BOOST_TEST(store->trim(state, limits, Time{}, 100) == 3U);
    BOOST_TEST(state.newest_totals.bytes - state.before_oldest.bytes <= limits.bytes);
    BOOST_TEST(state.before_oldest.messages == 3U);
}

BOOST_AUTO_TEST_CASE(its_age_limits_history)
{
    for (int second = 0; second < 10; ++second) {
        committer.set_time(Time{std::chrono::seconds{second}});
        commit(1);
    }
    HistoryLimits limits = keep_all();
    limits.age = 5s;
    BOOST_TEST(store->trim(state, limits, Time{9s}, 100) == 4U);  // seconds 0 to 3
    BOOST_TEST(state.oldest == 5U);
    BOOST_TEST(state.oldest_time == Time{4s});
    limits.age = std::chrono::seconds::max();  // must not overflow
    BOOST_TEST(store->trim(state, limits, Time{1h}, 100) == 0U);
}

BOOST_AUTO_TEST_CASE(the_newest_record_is_never_trimmed)
{
    commit(5);
    HistoryLimits nothing;
    nothing.age = 0s;
    nothing.bytes = nothing.commits = nothing.hard_bytes = 0;
    BOOST_TEST(store->trim(state, nothing, Time{1h}, 100) == 4U);
    BOOST_TEST(store->trim(state, nothing, Time{1h}, 100) == 0U);
    BOOST_TEST(state.oldest == 5U);
    BOOST_TEST(all(4) == range(5, 5));
    reopen();
    BOOST_TEST(store->head_at_open() == 5U);
    BOOST_TEST(state.oldest == 5U);
}

BOOST_AUTO_TEST_CASE(a_pinned_record_stays_until_the_hard_limit)
{
    commit(10, 1, 1000);
    const std::uint64_t size = state.newest_totals.bytes / 10;
    HistoryLimits limits = keep_all();
    limits.commits = 1;
    BOOST_TEST(store->pins().pin(3));
    BOOST_TEST(store->trim(state, limits, Time{}, 100) == 3U);
    BOOST_TEST(state.oldest == 4U);
    BOOST_TEST(store->trim(state, limits, Time{}, 100) == 0U);
    limits.commits = 3;
    limits.hard_bytes = 6 * size + size / 2;
    BOOST_TEST(store->trim(state, limits, Time{}, 1) == 1U);
    BOOST_TEST(state.oldest == 5U);
    // After losing one record, the pin no longer keeps the others.
    BOOST_TEST(store->trim(state, limits, Time{}, 100) == 3U);
    BOOST_TEST(state.oldest == 8U);
    BOOST_TEST(all(7) == range(8, 10));
}

BOOST_AUTO_TEST_CASE(what_is_planned_to_be_trimmed_cannot_be_pinned)
{
    commit(10);
    HistoryLimits limits = keep_all();
    limits.commits = 4;
    auto steps = store->plan_trim(state, limits, Time{}, {1, 3});
    BOOST_REQUIRE_EQUAL(steps.size(), 1U);
    BOOST_TEST(state.oldest == 1U);
    BOOST_TEST(all(0) == range(1, 10));  // nothing has been removed yet
    BOOST_CHECK(!store->pins().pin(2));
    BOOST_TEST(store->pins().pin(3));
    store->write(steps.front().batch, false);
    state = steps.front().after;
    BOOST_TEST(state.oldest == 4U);
    BOOST_TEST(store->trim(state, limits, Time{}, 100) == 0U);
    BOOST_TEST(all(3) == range(4, 10));
}

BOOST_AUTO_TEST_CASE(all_parts_of_a_trimmed_record_are_removed)
{
    commit(3, 1, 2 * max_part_bytes);
    BOOST_TEST(stored_records() == 9U);
    HistoryLimits limits = keep_all();
    limits.commits = 1;
    BOOST_TEST(store->trim(state, limits, Time{}, 100) == 2U);
    BOOST_TEST(stored_records() == 3U);
}

BOOST_AUTO_TEST_CASE(trimmed_records_are_known_after_a_reopening)
{
    commit(10, 2);
    HistoryLimits limits = keep_all();
    limits.commits = 4;
    store->trim(state, limits, Time{}, 100);
    const HistoryState before = state;
    reopen();
    BOOST_TEST(state.oldest == before.oldest);
    BOOST_TEST(state.newest == before.newest);
    BOOST_TEST(state.oldest_time == before.oldest_time);
    BOOST_TEST(state.before_oldest == before.before_oldest);
    BOOST_TEST(state.newest_totals == before.newest_totals);
    BOOST_TEST(store->read_history(5, 10, {}).compacted == Revision{7});
}

// Trap 7: a reader that trimming overtakes receives `compacted`; its current slice remains
// complete.
BOOST_AUTO_TEST_CASE(trimming_never_makes_a_reader_skip)
{
    commit(100);
    HistoryLimits limits = keep_all();
    Revision at = 0;
    for (limits.commits = 95; !store->read_history(at, 100, {}).compacted; limits.commits -= 5) {
        const HistorySlice slice = store->read_history(at, 100, {3, SIZE_MAX});
        BOOST_TEST(revisions(slice) == range(at + 1, at + 3));
        at = slice.reached;
        store->trim(state, limits, Time{}, 100);
    }
    BOOST_TEST(at + 1 < state.oldest);
}

BOOST_AUTO_TEST_CASE(a_dropped_bucket_is_erased_in_steps)
{
    Batch batch;
    for (int i = 0; i < 10; ++i) {
        batch.put(data_prefix(7) + std::to_string(i), "x");
    }
    batch.put(data_prefix(6) + "\xff", "before");
    batch.put(data_prefix(8), "behind");
    batch.put(orphan_key(data_prefix(7)), {});
    store->write(batch, false);
    BOOST_CHECK(!store->erase_orphan(data_prefix(7), 4));
    BOOST_CHECK(store->get(orphan_key(data_prefix(7)), nullptr));
    BOOST_CHECK(!store->erase_orphan(data_prefix(7), 4));
    BOOST_CHECK(store->erase_orphan(data_prefix(7), 4));
    BOOST_CHECK(!store->get(orphan_key(data_prefix(7)), nullptr));
    for (int i = 0; i < 10; ++i) {
        BOOST_CHECK(!store->get(data_prefix(7) + std::to_string(i), nullptr));
    }
    BOOST_CHECK(store->get(data_prefix(6) + "\xff", nullptr));
    BOOST_CHECK(store->get(data_prefix(8), nullptr));
}

BOOST_AUTO_TEST_CASE(an_orphan_that_fills_its_steps_exactly_is_removed)
{
    Batch batch;
    batch.put(data_prefix(9) + "a", "x");
    batch.put(orphan_key(data_prefix(9)), {});
    batch.put(orphan_key(data_prefix(10)), {});
    store->write(batch, false);
    BOOST_CHECK(store->erase_orphan(data_prefix(9), 1));
    BOOST_CHECK(store->erase_orphan(data_prefix(10), 1));
    reopen();
    BOOST_CHECK(store->orphans_at_open().empty());
}

BOOST_AUTO_TEST_SUITE_END()
