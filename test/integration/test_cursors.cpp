// SPDX-License-Identifier: BSL-1.0
#include "support/loop/hand_clock.hpp"
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

using Positions = std::map<std::string, Revision>;

/// Returns `name=revision` for each cursor.
std::string text_of(const std::vector<Cursor>& cursors)
{
    std::string text;
    for (const Cursor& each : cursors) {
        text +=
            (text.empty() ? "" : " ") + each.name + '=' + std::to_string(each.position.revision);
    }
    return text;
}

asio::awaitable<std::string> listed(Database db)
{
    co_return text_of(
        co_await db.view([](const Snapshot& snapshot) { return snapshot.cursors(); }));
}

Positions positions(const std::vector<Cursor>& cursors)
{
    Positions positions;
    for (const Cursor& each : cursors) {
        positions[each.name] = each.position.revision;
    }
    BOOST_TEST(positions.size() == cursors.size());
    return positions;
}

asio::awaitable<Positions> stored(Database db)
{
    co_return positions(
        co_await db.view([](const Snapshot& snapshot) { return snapshot.cursors(); }));
}

asio::awaitable<Revision> save(Database db, std::string name, Revision revision)
{
    const auto fn = [&](Transaction& tx) { tx.save_cursor(name, revision); };
    co_return co_await db.update(fn);
}

asio::awaitable<Revision> save_at(Database db, std::string name, Position position)
{
    const auto fn = [&](Transaction& tx) { tx.save_cursor(name, position); };
    co_return co_await db.update(fn);
}

Task remove(Database db, std::string name, bool expected)
{
    const auto fn = [&](Transaction& tx) { return tx.delete_cursor(name); };
    const auto removed = co_await db.update(fn);
    BOOST_TEST(removed.value == expected);
}

Task expect_error(Database db, std::string name, Position position, Error error)
{
    const auto revision = db.head_revision();
    const auto fn = [&](Transaction& tx) {
        tx.btree("b").put("k", "v");
        tx.save_cursor(name, position);
    };
    const auto attempt = [&]() -> Task { co_await db.update(fn); };
    BOOST_TEST(co_await failure_of(attempt()) == code(error));
    BOOST_TEST(db.head_revision() == revision);
}

}  // namespace

// Cursors in transactions: saved, moved, listed and deleted.
BOOST_FIXTURE_TEST_SUITE(test_cursors, EventLoop)

BOOST_AUTO_TEST_CASE(a_cursor_is_created_moved_both_ways_and_deleted)
{
    run([]() -> Task {
        const HandClock clock;
        Options options = watched_options();
        options.clock = clock.clock();
        Database db = co_await open_with(options, "b");
        co_await put_many(db, "b", 5);
        BOOST_TEST(co_await listed(db) == "");
        BOOST_TEST(co_await save(db, "reader", 3) == 7U);
        const Time first = clock.now();
        clock.advance(1s);
        BOOST_TEST(co_await save_at(db, "reader", db.head_position()) == 8U);
        const auto look = [](const Snapshot& snapshot) { return snapshot.cursor("reader"); };
        const auto moved = co_await db.view(look);
        BOOST_REQUIRE(moved.has_value());
        BOOST_TEST(moved->name == "reader");
        BOOST_TEST(moved->position.revision == 7U);
        BOOST_TEST(moved->position.history == db.head_position().history);
        BOOST_TEST(moved->saved == first + 1s);
        co_await save(db, "reader", 0);
        BOOST_TEST(co_await listed(db) == "reader=0");
        co_await remove(db, "reader", true);
        BOOST_TEST(co_await listed(db) == "");
        BOOST_CHECK(!co_await db.view(look));
        const Revision head = db.head_revision();
        co_await remove(db, "reader", false);
        BOOST_TEST(db.head_revision() == head);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(saving_where_it_is_already_changes_nothing)
{
    run([]() -> Task {
        const HandClock clock;
        Options options = watched_options();
        options.clock = clock.clock();
        Database db = co_await open_with(options, "b");
        const Revision saved = co_await save(db, "reader", 1);
        const Time then = clock.now();
        clock.advance(1s);
        BOOST_TEST(co_await save(db, "reader", 1) == saved);
        BOOST_TEST(db.head_revision() == saved);
        const auto cursors =
            co_await db.view([](const Snapshot& snapshot) { return snapshot.cursors(); });
        BOOST_REQUIRE_EQUAL(cursors.size(), 1U);
        BOOST_TEST(cursors[0].saved == then);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(it_is_stored_with_the_data_of_its_transaction_or_not_at_all)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await save(db, "kept", 1);
        co_await save(db, "moved", 1);
        bool thrown = false;
        try {
            co_await db.update([](Transaction& tx) {
                tx.btree("b").put("k", "v");
                tx.save_cursor("new", 2);
                tx.save_cursor("moved", 3);
                BOOST_TEST(tx.delete_cursor("kept"));
                BOOST_TEST(text_of(tx.cursors()) == "moved=3 new=2");
                throw std::runtime_error("no");
            });
        } catch (const std::runtime_error&) {
            thrown = true;
        }
        BOOST_TEST(thrown);
        BOOST_TEST(co_await listed(db) == "kept=1 moved=1");
        BOOST_CHECK(!co_await get(db, "b", "k"));
        const Revision both = co_await db.update([](Transaction& tx) {
            tx.btree("b").put("k", "v");
            tx.save_cursor("new", 2);
        });
        BOOST_TEST(both == 4U);
        BOOST_TEST(co_await get(db, "b", "k") == "v");
        BOOST_TEST(co_await listed(db) == "kept=1 moved=1 new=2");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_transaction_sees_its_own_cursors_and_those_of_all_before_it)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await save(db, "b", 1);
        // All of these are executed before the first of them is durable.
        std::vector<Job> jobs;
        for (Revision i = 0; i < 20; ++i) {
            const auto step = [](Database each, Revision number) -> Task {
                const auto fn = [&](Transaction& tx) {
                    const auto before = tx.cursor("chain");
                    BOOST_TEST((before ? before->position.revision : 2) == 2 + number);
                    BOOST_TEST(tx.cursor("b").has_value() == (number <= 10));
                    tx.save_cursor("chain", tx.revision());
                    if (number == 10) {
                        BOOST_TEST(tx.delete_cursor("b"));
                        BOOST_CHECK(!tx.cursor("b"));
                    }
                    BOOST_TEST(tx.cursor("chain")->position.revision == tx.revision());
                    BOOST_TEST(tx.cursors().size() == (number < 10 ? 2U : 1U));
                };
                co_await each.update(fn);
            };
            if (i == 0) {
                co_await step(db, 0);
            } else {
                jobs.push_back(co_await spawn(step(db, i - 1)));
            }
        }
        for (const Job& each : jobs) {
            co_await each.join();
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(refusals_leave_everything_unchanged)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Database other = co_await open_with("b");
        co_await put_many(db, "b", 3);
        co_await save(db, "reader", 2);
        const Position head = db.head_position();
        co_await expect_error(db, "", head, Error::invalid_name);
        co_await expect_error(db, std::string(65536, 'n'), head, Error::invalid_name);
        const Position foreign{other.head_position().history, 1};
        const Position of_none{{}, 1};
        const Position ahead{head.history, head.revision + 1};
        const Position far_ahead{head.history, UINT64_MAX};
        co_await expect_error(db, "reader", foreign, Error::foreign_position);
        co_await expect_error(db, "reader", of_none, Error::foreign_position);
        co_await expect_error(db, "reader", ahead, Error::position_ahead);
        co_await expect_error(db, "reader", far_ahead, Error::position_ahead);
        const Position within_what_is_to_come{head.history, head.revision, 1};
        co_await expect_error(db, "reader", within_what_is_to_come, Error::position_ahead);
        BOOST_TEST(co_await listed(db) == "reader=2");
        co_await remove(db, "", false);
        co_await remove(db, std::string(65536, 'n'), false);
        const auto look = [](const Snapshot& snapshot) { return snapshot.cursor(""); };
        BOOST_CHECK(!co_await db.view(look));
        co_await other.close();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(names_are_bytes_and_may_be_long)
{
    const TemporaryDirectory directory;
    const std::vector<std::string> names{
        std::string("\0", 1),   std::string("\0\xff", 2), "\xff\xff", "a",
        std::string("a\0b", 3), std::string(65535, 'n')};
    Positions expected;
    run([&]() -> Task {
        Database db = co_await open_with(watched_options(directory / "db"), "b");
        co_await put_many(db, "b", 8);
        Revision revision = 0;
        for (const std::string& name : names) {
            expected[name] = ++revision;
            co_await save(db, name, revision);
        }
        BOOST_TEST(co_await stored(db) == expected);
        co_await db.close();
    });
    run([&]() -> Task {
        Database db = co_await open_database(watched_options(directory / "db"));
        BOOST_TEST(co_await stored(db) == expected);
        for (const std::string& name : names) {
            const Recorder recorder;
            Watcher watcher = db.watch("b", all(), recorder, watch_from(From::cursor(name)));
            BOOST_TEST(watcher.position().revision == expected[name]);
            co_await remove(db, name, true);
        }
        BOOST_TEST(co_await listed(db) == "");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(there_may_be_many)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Positions expected;
        co_await db.update([&](Transaction& tx) {
            for (int i = 0; i < 10'000; ++i) {
                const std::string name = "consumer " + std::to_string(i);
                tx.save_cursor(name, i % 2);
                expected[name] = i % 2;
            }
        });
        BOOST_TEST(co_await stored(db) == expected);
        BOOST_TEST((co_await db.cursors()).size() == 10'000U);
        co_await db.close();
    });
}

// Otherwise a watch that saves a cursor for each commit would never stop.
BOOST_AUTO_TEST_CASE(saving_a_cursor_does_not_wake_watches)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        int given = 0;
        const auto consume = [&, db](const Commit& commit) -> Task {
            ++given;
            const Revision revision = commit.revision();
            const auto fn = [&](Transaction& tx) { tx.save_cursor("reader", revision); };
            co_await Database(db).update(fn);
        };
        Watcher watcher = db.watch(whole_database(), consume);
        const Run run = co_await start(watcher);
        const Revision last = co_await put_many(db, "b", 3);
        co_await watcher.reached(last);
        const Revision head = db.head_revision();
        BOOST_TEST(given == 3);
        BOOST_TEST(head == 7U);
        co_await watcher.reached(head);
        BOOST_TEST(given == 3);
        BOOST_TEST(db.head_revision() == head);
        BOOST_TEST(co_await listed(db) == "reader=" + std::to_string(last));
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(nothing_of_it_works_when_the_function_has_returned)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::optional<Transaction> kept;
        std::optional<Snapshot> seen;
        co_await db.update([&](Transaction& tx) { kept = tx; });
        co_await db.view([&](const Snapshot& snapshot) { seen = snapshot; });
        const auto over = code(Error::transaction_finished);
        BOOST_TEST(failure_of([&] { kept->save_cursor("c", 1); }) == over);
        BOOST_TEST(failure_of([&] { kept->delete_cursor("c"); }) == over);
        BOOST_TEST(failure_of([&] { kept->cursors(); }) == over);
        BOOST_TEST(failure_of([&] { kept->cursor("c"); }) == over);
        BOOST_TEST(failure_of([&] { seen->cursors(); }) == over);
        BOOST_TEST(failure_of([&] { seen->cursor("c"); }) == over);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(without_history_they_can_be_looked_at_and_deleted_but_not_saved)
{
    const TemporaryDirectory directory;
    run([&]() -> Task {
        Database db = co_await open_with(watched_options(directory / "db"), "b");
        co_await save(db, "old", 1);
        co_await save(db, "older", 0);
        co_await db.close();
    });
    run([&]() -> Task {
        Options options{directory / "db"};
        Database db = co_await open_database(options);
        co_await expect_error(db, "old", db.head_position(), Error::watch_disabled);
        BOOST_TEST(co_await listed(db) == "old=1 older=0");
        BOOST_TEST(!(co_await db.cursors()).at(0).compacted);
        co_await remove(db, "older", true);
        const auto lags = co_await db.cursors();
        BOOST_REQUIRE_EQUAL(lags.size(), 1U);
        BOOST_TEST(lags[0].compacted);
        BOOST_TEST(lags[0].revisions == 3U);
        co_await db.close();
    });
    run([&]() -> Task {
        Database db = co_await open_database(watched_options(directory / "db"));
        co_await put_many(db, "b", 1);
        BOOST_TEST((co_await db.cursors()).at(0).compacted);
        Watcher watcher = db.watch("b", all(), Recorder(), watch_from(From::cursor("old")));
        const Run run(co_await asio::this_coro::executor, watcher);
        BOOST_TEST(co_await run.error() == code(Error::compacted));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
