// SPDX-License-Identifier: BSL-1.0
#include "handles/database_state.hpp"
#include "support/printing.hpp"
#include "support/storage/held_env.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;

namespace {

Task write_three(Database db)
{
    co_await db.update([](Transaction& tx) {
        for (const char* key : {"a", "b", "c"}) {
            tx.btree("b").put(key, "v");
        }
    });
}

/// Runs a transaction that throws something other than system_error, which `failure_of` does not
/// catch.
Task fail_once(Database db)
{
    bool thrown = false;
    try {
        co_await db.update([](Transaction& tx) {
            tx.btree("b").put("a", "gone");
            throw std::logic_error("no");
        });
    } catch (const std::logic_error&) {
        thrown = true;
    }
    BOOST_TEST(thrown);
}

/// Waits until all commits have been routed to the watchers.
Task routed(Database db)
{
    co_await until([&] { return db.stats().pipeline.routed_revision == db.head_revision(); });
}

}  // namespace

// `Database::stats`.
BOOST_FIXTURE_TEST_SUITE(test_stats, EventLoop)

BOOST_AUTO_TEST_CASE(transactions_are_counted_by_their_outcome)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Stats before = db.stats();
        BOOST_TEST(before.engine.commits == 1U);
        BOOST_TEST(before.engine.head_revision == 1U);
        co_await write_three(db);
        co_await db.update([](Transaction& tx) { tx.btree("b").erase("missing"); });
        co_await fail_once(db);
        const auto error = co_await failure_of([](Database database) -> Task {
            co_await put(database, "no such bucket", "k", "v");
        }(db));
        BOOST_TEST(error == code(Error::bucket_not_found));
        co_await db.view([](const Snapshot&) {});
        const Stats after = db.stats();
        BOOST_TEST(after.engine.commits == 2U);
        BOOST_TEST(after.engine.unchanged == 1U);
        BOOST_TEST(after.engine.failed == 2U);
        BOOST_TEST(after.engine.head_revision == 2U);
        co_await db.close();
        BOOST_TEST(failure_of([&] { db.stats(); }) == boost::system::error_code());
        BOOST_TEST(db.stats().engine.failed == 2U);
    });
}

// Four commits that arrive while the disk is busy are one group.
BOOST_AUTO_TEST_CASE(groups_flushes_and_what_waits_are_counted)
{
    HeldEnv env;
    Database db(DatabaseState::open_blocking(executor(), watched_options(), &env));
    run([&]() -> Task {
        co_await create(db, "b");
        const Stats before = db.stats();
        BOOST_TEST(before.engine.groups == 1U);
        BOOST_TEST(before.engine.flushes == 1U);
        BOOST_TEST(before.engine.flush_time.count() > 0);
        BOOST_TEST(before.engine.largest_group == 1U);
        BOOST_TEST(before.engine.pending_bytes == 0U);
        env.hold();
        std::vector<Job> writers;
        for (int i = 0; i < 5; ++i) {
            writers.push_back(co_await spawn([](Database database, int key) -> Task {
                co_await put_many(database, "b", 1, key);
            }(db, i)));
            if (i == 0) {
                co_await until([&] { return env.somebody_waits(); });
            }
        }
        const Stats held = db.stats();
        BOOST_TEST(held.engine.head_revision == 1U);
        BOOST_TEST(held.engine.commits == 1U);
        BOOST_TEST(held.engine.groups == 1U);
        BOOST_TEST(held.engine.pending_bytes >= 5 * 64U);
        env.release();
        for (const Job& each : writers) {
            co_await each.join();
        }
        const Stats after = db.stats();
        BOOST_TEST(after.engine.commits == 6U);
        BOOST_TEST(after.engine.groups == 3U);
        BOOST_TEST(after.engine.flushes == 3U);
        BOOST_TEST(after.engine.largest_group == 4U);
        BOOST_TEST(after.engine.flush_time > before.engine.flush_time);
        BOOST_TEST(after.engine.bytes_written > before.engine.bytes_written + 5 * 10);
        co_await until([&] { return db.stats().engine.pending_bytes == 0; });
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(buffered_commits_are_not_flushed)
{
    run([]() -> Task {
        Options options = watched_options();
        options.durability = Durability::buffered;
        Database db = co_await open_with(options, "b");
        co_await put_many(db, "b", 9);
        const Stats stats = db.stats();
        BOOST_TEST(stats.engine.commits == 10U);
        BOOST_TEST(stats.engine.groups == 10U);
        BOOST_TEST(stats.engine.flushes == 0U);
        BOOST_TEST(stats.engine.flush_time == std::chrono::nanoseconds::zero());
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(writers_that_wait_for_their_turn_are_counted)
{
    HeldEnv env;
    Options options = watched_options();
    options.max_pending_bytes = 1;
    Database db(DatabaseState::open_blocking(executor(), options, &env));
    run([&]() -> Task {
        co_await create(db, "b");
        env.hold();
        std::vector<Job> writers;
        for (int i = 0; i < 4; ++i) {
            writers.push_back(co_await spawn([](Database database, int key) -> Task {
                co_await put_many(database, "b", 1, key);
            }(db, i)));
        }
        co_await until([&] { return db.stats().engine.waiting == 3; });
        env.release();
        for (const Job& each : writers) {
            co_await each.join();
        }
        BOOST_TEST(db.stats().engine.waiting == 0U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(history_is_measured_and_trimmed_commits_are_counted)
{
    const TemporaryDirectory directory;
    Options options = watched_options(directory / "db");
    Stats last;
    run([&]() -> Task {
        Database db = co_await open_database(options);
        BOOST_TEST(db.stats().history.commits == 0U);
        BOOST_TEST(db.stats().history.oldest_revision == 1U);
        BOOST_TEST(db.stats().history.bytes == 0U);
        co_await create(db, "b");
        const Stats one = db.stats();
        co_await write_three(db);
        const Stats two = db.stats();
        BOOST_TEST(two.history.commits == 2U);
        BOOST_TEST(two.history.messages == 4U);
        BOOST_TEST(two.history.newest_revision == 2U);
        BOOST_TEST(two.history.bytes > one.history.bytes);
        BOOST_TEST(two.history.oldest_time == one.history.oldest_time);
        BOOST_TEST(two.history.oldest_time > Time());
        BOOST_TEST(two.history.trimmed == 0U);
        co_await db.close();
        last = two;
    });
    options.history.commits = 10;
    run([&]() -> Task {
        Database db = co_await open_database(options);
        BOOST_TEST(db.stats().history.messages == 4U);
        BOOST_TEST(db.stats().history.bytes == last.history.bytes);
        BOOST_TEST(db.stats().engine.commits == 0U);
        co_await put_many(db, "b", 40);
        co_await until([&] { return db.stats().history.commits == 10; });
        const Stats stats = db.stats();
        BOOST_TEST(stats.history.trimmed == 32U);
        BOOST_TEST(stats.history.oldest_revision == db.oldest_revision());
        BOOST_TEST(stats.history.oldest_revision == 33U);
        BOOST_TEST(stats.history.messages == 10U);
        BOOST_TEST(stats.history.oldest_time > last.history.oldest_time);
        co_await db.close();
    });
    options.enable_watch = false;
    run([&]() -> Task {  // without watches, all history is useless
        Database db = co_await open_database(options);
        BOOST_TEST(db.stats().history.commits == 10U);
        co_await put(db, "b", "k", "1");
        const Stats stats = db.stats();
        BOOST_TEST(stats.history.commits == 0U);
        BOOST_TEST(stats.history.oldest_revision == stats.history.newest_revision + 1);
        BOOST_TEST(stats.history.oldest_revision == db.oldest_revision());
        BOOST_TEST(stats.engine.commits == 1U);
        BOOST_TEST(stats.pipeline.commits == 0U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(what_is_routed_is_counted_for_each_watcher_that_it_matches)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher everything = db.watch("b", all(), recorder);
        Watcher some = db.watch("b", key("a"), recorder);
        Watcher nothing = db.watch("other", all(), recorder);
        Watcher never_run = db.watch("b", all(), recorder);
        const Run first = co_await start(everything);
        const Run second = co_await start(some);
        const Run third = co_await start(nothing);
        for (const Watcher* each : {&everything, &some, &nothing}) {
            co_await each->reached(db.head_revision());
        }
        const Stats before = db.stats();
        BOOST_TEST(before.watchers.made == 4U);
        BOOST_TEST(before.watchers.running == 3U);
        BOOST_TEST(before.pipeline.commits == 0U);  // no watch was running yet
        BOOST_TEST(before.pipeline.messages == 0U);
        BOOST_TEST(before.pipeline.entries == 0U);
        BOOST_TEST(before.watchers.commits_delivered == 0U);
        co_await write_three(db);
        co_await put(db, "b", "other", "v");
        co_await everything.reached(3);
        co_await some.reached(3);
        const Stats after = db.stats();
        BOOST_TEST(after.pipeline.routed_revision == 3U);
        BOOST_TEST(after.pipeline.commits == 2U);
        BOOST_TEST(after.pipeline.messages == 4U);
        BOOST_TEST(after.pipeline.batches >= before.pipeline.batches + 1);
        BOOST_TEST(after.pipeline.batches <= before.pipeline.batches + 2);
        BOOST_TEST(after.pipeline.entries == 3U);
        BOOST_TEST(after.pipeline.overwritten == 0U);
        BOOST_TEST(after.pipeline.hub_commits == 0U);
        BOOST_TEST(after.watchers.commits_delivered == 3U);
        BOOST_TEST(after.watchers.messages_delivered == 5U);
        BOOST_TEST(after.watchers.fell_behind == 0U);
        co_await some.stop();
        co_await until([&] { return db.stats().watchers.running == 2; });
        BOOST_TEST(db.stats().watchers.ended == 1U);
        co_await db.close();
        BOOST_TEST(db.stats().watchers.running == 0U);
        BOOST_TEST(db.stats().watchers.ended == 3U);
    });
}

// History and half a commit: neither that commit nor its messages count.
BOOST_AUTO_TEST_CASE(only_whole_commits_count_as_delivered)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 4);
        co_await write_three(db);
        int left = 6;
        const auto callback = [&](const Message&) {
            return --left == 0 ? Flow::stop : Flow::go_on;
        };
        Watcher watcher = db.watch("b", all(), callback, watch_from(From::revision(1)));
        co_await watcher.run();
        const Stats stats = db.stats();
        BOOST_TEST(stats.watchers.commits_delivered == 5U);
        BOOST_TEST(stats.watchers.messages_delivered == 5U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_full_inbox_and_an_overwritten_hub_are_counted)
{
    run([]() -> Task {
        Options options = watched_options();
        options.hub_messages = 2;
        options.durability = Durability::buffered;
        Database db = co_await open_with(options, "b");
        const Gate gate;
        const auto callback = [&](const Message&) -> Task { co_await gate.pass(); };
        WatchOptions watch_options;
        watch_options.buffer_messages = 3;
        watch_options.callback_timeout = 10 * patience;
        Watcher watcher = db.watch("b", all(), callback, watch_options);
        const Run run = co_await start(watcher);
        co_await watcher.reached(db.head_revision());
        co_await put(db, "b", "k", "first");
        co_await until([&] { return gate.reached() == 1; });
        for (int i = 0; i < 4; ++i) {
            co_await put(db, "b", "k", std::to_string(i));
            co_await routed(db);
            BOOST_TEST(db.stats().watchers.fell_behind == (i < 3 ? 0U : 1U));
        }
        BOOST_TEST(db.stats().pipeline.overwritten == 0U);
        gate.open();
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(db.stats().watchers.commits_delivered == 5U);
        co_await db.close();
    });
}

// The collector does not get a turn: commits that do not fit are overwritten, and read from
// history.
BOOST_AUTO_TEST_CASE(commits_that_do_not_fit_into_the_hub_are_read_from_history)
{
    asio::io_context collectors;
    Options options = watched_options();
    options.hub_messages = 2;
    options.durability = Durability::buffered;
    Database db = Database::open_blocking(collectors.get_executor(), options);
    run([&]() -> Task { co_await create(db, "b"); });
    const Recorder recorder;
    Watcher watcher = db.watch("b", all(), recorder);
    asio::co_spawn(collectors, watcher.run(), rethrow);
    while (db.stats().pipeline.routed_revision < 1) {
        collectors.run_one();
    }
    run([&]() -> Task { co_await put_many(db, "b", 9); });
    const Stats before = db.stats();
    BOOST_TEST(before.pipeline.hub_commits == 2U);
    BOOST_TEST(before.pipeline.hub_messages == 2U);
    BOOST_TEST(before.pipeline.overwritten == 7U);
    BOOST_TEST(before.pipeline.commits == 0U);
    const auto go_on = [&]() -> Task {
        co_await watcher.reached(db.head_revision());
        const Stats after = db.stats();
        BOOST_TEST(after.pipeline.read_from_history == 7U);
        BOOST_TEST(after.pipeline.commits == 9U);
        BOOST_TEST(after.pipeline.overwritten == 7U);
        BOOST_TEST(after.pipeline.hub_commits == 0U);
        co_await db.close();
    };
    asio::co_spawn(collectors, go_on(), rethrow);
    collectors.run();
    BOOST_TEST(recorder.size() == 9U);
}

BOOST_AUTO_TEST_CASE(a_handle_to_nothing_has_no_figures)
{
    const Database nothing;
    BOOST_TEST(failure_of([&] { nothing.stats(); }) == code(Error::closed));
}

BOOST_AUTO_TEST_SUITE_END()
