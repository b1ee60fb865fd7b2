// SPDX-License-Identifier: BSL-1.0
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

struct StoreWithCursors : ReopenableStore {
    void put_raw(std::string_view key, std::string_view value) const
    {
        Batch batch;
        batch.put(key, value);
        store->write(batch, false);
    }
    void save(std::string_view name, Revision position, Time saved = {}) const
    {
        put_raw(cursor_key(name), encode_cursor({position, saved}));
    }
    std::size_t trim_all_but(std::uint64_t commits)
    {
        HistoryLimits limits = keep_all();
        limits.commits = commits;
        return store->trim(state, limits, Time{}, 100);
    }
};

}  // namespace

// Cursors in a `Store`: the history that they pin, and their lag.
BOOST_FIXTURE_TEST_SUITE(test_store_cursors, StoreWithCursors)

BOOST_AUTO_TEST_CASE(after_a_reopening_cursors_pin_the_records_after_them)
{
    commit(10);
    save("behind", 4);
    save("near", 8);
    reopen();
    BOOST_TEST(trim_all_but(1) == 4U);
    BOOST_TEST(state.oldest == 5U);
    store->pins().unpin(4);
    BOOST_TEST(trim_all_but(1) == 4U);
    BOOST_TEST(state.oldest == 9U);
}

BOOST_AUTO_TEST_CASE(a_compacted_cursor_pins_nothing_after_a_reopening)
{
    commit(10);
    trim_all_but(5);
    save("fallen", 4);
    reopen();
    BOOST_TEST(state.oldest == 6U);
    BOOST_TEST(trim_all_but(1) == 4U);
    save("fallen", 8);  // before 10, the only one left
    save("not fallen", 9);
    reopen();
    BOOST_TEST(store->cursor_lags({}).at(0).compacted);
    BOOST_TEST(!store->cursor_lags({}).at(1).compacted);
    BOOST_TEST(store->pins().keeps(10));
}

BOOST_AUTO_TEST_CASE(after_a_time_without_history_all_older_cursors_are_compacted)
{
    commit(3);
    save("at the end", 3);
    committer.commit_without_history();
    reopen();
    committer.commit();
    committer.commit();
    reopen();
    BOOST_TEST(state.oldest == 5U);
    BOOST_TEST(!store->pins().keeps(5));
    const auto lags = store->cursor_lags({});
    BOOST_REQUIRE_EQUAL(lags.size(), 1U);
    BOOST_TEST(lags[0].compacted);
    BOOST_TEST(lags[0].revisions == 3U);
    BOOST_TEST(lags[0].messages == 2U);
    BOOST_TEST(lags[0].bytes == state.newest_totals.bytes);
}

BOOST_AUTO_TEST_CASE(without_any_history_the_lag_has_no_messages)
{
    commit(3);
    save("c", 3);
    committer.commit_without_history();
    const auto lags = store->cursor_lags({});
    BOOST_REQUIRE_EQUAL(lags.size(), 1U);
    BOOST_TEST(lags[0].revisions == 1U);
    BOOST_TEST(lags[0].messages == 0U);
    BOOST_TEST(lags[0].bytes == 0U);
    BOOST_TEST(lags[0].compacted);
}

BOOST_AUTO_TEST_CASE(lags_are_correct_at_every_position)
{
    commit(4, 2, 100);
    commit(4, 3, max_part_bytes);
    trim_all_but(6);
    BOOST_REQUIRE_EQUAL(state.oldest, 3U);
    for (Revision position = 0; position <= 8; ++position) {
        save("at " + std::to_string(position), position, Time{1s});
    }
    const auto lags = store->cursor_lags(Time{1s + 5us});
    BOOST_REQUIRE_EQUAL(lags.size(), 9U);
    const HistorySlice all = store->read_history(2, 8, {SIZE_MAX, SIZE_MAX});
    for (Revision position = 0; position <= 8; ++position) {
        const CursorLag& lag = lags[position];
        BOOST_TEST_CONTEXT(lag.cursor.name)
        {
            std::uint64_t messages = 0;
            std::uint64_t bytes = 0;
            for (const auto& commit : all.commits) {
                messages += commit->revision > position ? commit->messages.size() : 0;
                bytes += commit->revision > position ? commit->bytes.size() : 0;
            }
            BOOST_TEST(lag.cursor.name == "at " + std::to_string(position));
            BOOST_TEST(lag.cursor.position == (Position{store->history_id(), position}));
            BOOST_TEST(lag.cursor.saved == Time{1s});
            BOOST_TEST(lag.age == 5us);
            BOOST_TEST(lag.revisions == 8 - position);
            BOOST_TEST(lag.messages == messages);
            BOOST_TEST(lag.bytes == bytes);
            BOOST_TEST(lag.compacted == (position < 2));
        }
    }
}

BOOST_AUTO_TEST_CASE(no_cursors_in_a_new_database_and_one_before_everything)
{
    BOOST_TEST(store->cursor_lags({}).empty());
    save("first", 0);
    const auto lags = store->cursor_lags({});
    BOOST_REQUIRE_EQUAL(lags.size(), 1U);
    BOOST_TEST(lags[0].revisions == 0U);
    BOOST_TEST(!lags[0].compacted);
    reopen();
    commit(2);
    BOOST_TEST(trim_all_but(1) == 0U);
}

BOOST_AUTO_TEST_CASE(cursors_that_cannot_be_are_damaged)
{
    for (const auto& [key, value] :
         {std::pair<std::string, std::string>{"c", encode_cursor({1, {}})},
          {cursor_key("c"), "short"},
          {cursor_key("c"), encode_cursor({1, {}}) + "x"},
          {cursor_key("c"), encode_cursor({4, {}})}}) {
        StoreWithCursors one;
        one.commit(3);
        one.put_raw(key, value);
        BOOST_TEST(error_of([&] { one.reopen(); }) == Error::damaged);
    }
}

BOOST_AUTO_TEST_SUITE_END()
