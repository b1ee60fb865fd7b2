// SPDX-License-Identifier: BSL-1.0
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;

namespace {

constexpr SliceLimits no_limits{SIZE_MAX, SIZE_MAX};

}  // namespace

// `Store::read_history`: slices of history and their limits.
BOOST_FIXTURE_TEST_SUITE(test_store_history, ReopenableStore)

BOOST_AUTO_TEST_CASE(an_empty_history_returns_nothing)
{
    for (const Revision up_to : {Revision{0}, Revision{5}, UINT64_MAX}) {
        const HistorySlice slice = store->read_history(0, up_to, {});
        BOOST_CHECK(slice.commits.empty() && !slice.compacted);
        BOOST_TEST(slice.reached == 0U);
    }
    BOOST_TEST(store->revision(*store->snapshot()) == 0U);
}

BOOST_AUTO_TEST_CASE(a_slice_has_what_is_between_its_ends)
{
    commit(10);
    const HistorySlice slice = store->read_history(3, 7, {});
    BOOST_TEST(revisions(slice) == range(4, 7));
    BOOST_TEST(slice.reached == 7U);
    BOOST_TEST(slice.commits[0]->messages[0].key == "r4");
    BOOST_TEST(slice.commits[0]->previous == 3U);
    BOOST_TEST(revisions(store->read_history(0, 1, {})) == range(1, 1));
}

BOOST_AUTO_TEST_CASE(a_slice_never_claims_what_is_not_yet_committed)
{
    commit(3);
    const HistorySlice slice = store->read_history(1, 100, {});
    BOOST_TEST(revisions(slice) == range(2, 3));
    BOOST_TEST(slice.reached == 3U);
    for (const Revision after : {3, 7, 100}) {
        const HistorySlice ahead = store->read_history(after, 1000, {});
        BOOST_CHECK(ahead.commits.empty() && !ahead.compacted);
        BOOST_TEST(ahead.reached == after);
    }
}

BOOST_AUTO_TEST_CASE(an_empty_range_reads_nothing)
{
    commit(3);
    for (const Revision up_to : {0, 1, 2}) {
        const HistorySlice slice = store->read_history(2, up_to, {});
        BOOST_CHECK(slice.commits.empty() && !slice.compacted);
        BOOST_TEST(slice.reached == 2U);
    }
}

// Revisions need not be contiguous; only the link of each commit to the previous one counts.
BOOST_AUTO_TEST_CASE(revisions_need_not_be_contiguous_if_the_chain_is_intact)
{
    commit(2);
    Batch batch;
    RecordWriter writer;
    Totals totals = committer.totals();
    Store::put_record(batch, 5, writer.finish(2, Time{}, totals));
    store->write(batch, false);
    BOOST_TEST(revisions(store->read_history(0, 9, {})) == (std::vector<Revision>{1, 2, 5}));
    BOOST_TEST(store->read_history(0, 4, {}).reached == 4U);
    BOOST_TEST(store->read_history(2, 4, {}).reached == 4U);
    BOOST_TEST(revisions(store->read_history(3, 9, {})) == range(5, 5));
}

BOOST_AUTO_TEST_CASE(limits_cut_a_slice_between_commits)
{
    commit(10, 3);
    const auto cut = [&](std::size_t messages) {
        const HistorySlice slice = store->read_history(2, 10, {messages, SIZE_MAX});
        BOOST_TEST(slice.reached == slice.commits.back()->revision);
        return slice.commits.size();
    };
    BOOST_TEST(cut(3) == 1U);
    BOOST_TEST(cut(5) == 1U);
    BOOST_TEST(cut(6) == 2U);
    BOOST_TEST(cut(1000) == 8U);
    const std::size_t bytes = store->read_history(2, 3, {}).commits[0]->bytes.size();
    BOOST_TEST(store->read_history(2, 10, {1000, bytes * 4 - 1}).commits.size() == 3U);
    BOOST_TEST(store->read_history(2, 10, {1000, bytes * 4}).commits.size() == 4U);
}

// Trap 1: a single commit larger than every limit always passes, whole.
BOOST_AUTO_TEST_CASE(the_first_commit_always_passes)
{
    commit(3, 100);
    const HistorySlice slice = store->read_history(0, 3, {1, 1});
    BOOST_TEST_REQUIRE(slice.commits.size() == 1U);
    BOOST_TEST(slice.commits[0]->messages.size() == 100U);
    BOOST_TEST(slice.reached == 1U);
}

BOOST_AUTO_TEST_CASE(slices_put_together_are_the_history)
{
    commit(200, 7);
    std::vector<Revision> seen;
    Revision at = 0;
    while (at < 200) {
        const HistorySlice slice = store->read_history(at, 200, {50, SIZE_MAX});
        for (const Revision revision : revisions(slice)) {
            seen.push_back(revision);
        }
        BOOST_TEST_REQUIRE(slice.reached > at);
        at = slice.reached;
    }
    BOOST_TEST(seen == range(1, 200));
}

BOOST_AUTO_TEST_CASE(long_records_are_put_together_from_their_parts)
{
    commit(1);
    commit(1, 3, max_part_bytes + 1000);
    commit(1);
    BOOST_TEST(stored_records() == 6U);
    const HistorySlice slice = store->read_history(0, 3, no_limits);
    BOOST_TEST(revisions(slice) == range(1, 3));
    for (const Message& message : slice.commits[1]->messages) {
        BOOST_TEST(message.value == std::string(max_part_bytes + 1000, 'v'));
    }
    reopen();
    BOOST_TEST(all() == range(1, 3));
}

BOOST_AUTO_TEST_CASE(a_slice_is_of_one_snapshot)
{
    commit(5);
    const auto snapshot = store->snapshot();
    commit(5);
    BOOST_TEST(store->revision(*snapshot) == 5U);
    BOOST_TEST(store->revision(*store->snapshot()) == 10U);
}

BOOST_AUTO_TEST_CASE(a_hole_inside_kept_history_is_damage)
{
    commit(10);
    Batch batch;
    batch.erase(history_key(5, 0));
    store->write(batch, false);
    BOOST_TEST(error_of([&] { all(); }) == Error::damaged);
    BOOST_TEST(error_of([&] { all(4); }) == Error::damaged);
    BOOST_TEST(all(5) == range(6, 10));
    BOOST_TEST(revisions(store->read_history(0, 4, {})) == range(1, 4));
    BOOST_TEST(error_of([&] { store->read_history(0, 5, {}); }) == Error::damaged);
}

BOOST_AUTO_TEST_CASE(a_record_that_cannot_be_read_is_damage)
{
    commit(3, 1, max_part_bytes);
    const auto damaged = [&](const std::string& key, std::string_view value, bool erase) {
        Batch batch;
        const std::string old = store->get(key, nullptr).value();
        erase ? batch.erase(key) : batch.put(key, value);
        store->write(batch, false);
        BOOST_TEST(error_of([&] { all(); }) == Error::damaged);
        Batch undo;
        undo.put(key, old);
        store->write(undo, false);
        BOOST_TEST(all() == range(1, 3));
    };
    damaged(history_key(2, 0), "x", false);
    damaged(history_key(2, 1), "too short", false);
    damaged(history_key(2, 1), "", true);
    damaged(history_key(2, 0), "", true);  // the second part remains
}

// W6: positions before a time without history end with `compacted`; nothing is skipped.
BOOST_AUTO_TEST_CASE(history_starts_again_after_commits_without_history)
{
    commit(5);
    committer.commit_without_history();
    committer.commit_without_history();
    BOOST_TEST(store->revision(*store->snapshot()) == 7U);
    reopen();
    BOOST_TEST(store->head_at_open() == 7U);
    BOOST_TEST(state.oldest == 8U);
    BOOST_TEST(state.newest == 7U);
    const auto check_floor = [&] {
        for (const Revision after : {0, 4, 5, 6}) {
            const HistorySlice slice = store->read_history(after, 100, {});
            BOOST_TEST(slice.compacted == Revision{8});
            BOOST_CHECK(slice.commits.empty());
            BOOST_TEST(slice.reached == after);
        }
        BOOST_CHECK(!store->read_history(7, 100, {}).compacted);
    };
    check_floor();
    committer.commit();
    committer.commit();
    check_floor();
    BOOST_TEST(all(7) == range(8, 9));
    reopen();
    check_floor();
    BOOST_TEST(state.oldest == 8U);
    BOOST_TEST(state.newest == 9U);
    BOOST_TEST(store->head_at_open() == 9U);
    BOOST_TEST(all(7) == range(8, 9));
}

BOOST_AUTO_TEST_CASE(a_database_that_never_had_history_can_begin_one)
{
    committer.commit_without_history();
    reopen();
    BOOST_TEST(store->head_at_open() == 1U);
    BOOST_TEST(state.oldest == 2U);
    committer.commit();
    BOOST_TEST(all(1) == range(2, 2));
    BOOST_TEST(store->read_history(0, 2, {}).compacted == Revision{2});
    reopen();
    BOOST_TEST(state.oldest == 2U);
    BOOST_TEST(state.newest == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
