// SPDX-License-Identifier: BSL-1.0
#include "support/loop/hand_clock.hpp"
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <sstream>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

asio::awaitable<Revision> save(Database db, std::string name, Revision revision)
{
    const auto fn = [&](Transaction& tx) { tx.save_cursor(name, revision); };
    co_return co_await db.update(fn);
}

Task remove(Database db, std::string name)
{
    const auto fn = [&](Transaction& tx) { tx.delete_cursor(name); };
    co_await db.update(fn);
}

asio::awaitable<CursorLag> lag_of(Database db, std::string name)
{
    const auto cursors = co_await db.cursors();
    for (const CursorLag& each : cursors) {
        if (each.cursor.name == name) {
            co_return each;
        }
    }
    throw std::runtime_error("no cursor " + name);
}

/// Commits until the revisions before this one have been trimmed.
Task commit_until_trimmed(Database db, Revision oldest)
{
    while (db.oldest_revision() < oldest) {
        co_await put(db, "b", "k", std::string(100, 'v'));
    }
}

Options few_commits(std::string location = "memory:")
{
    Options options = watched_options(std::move(location));
    options.history.commits = 32;
    return options;
}

asio::awaitable<std::optional<Compacted>> compacted_save(Database db, Revision to)
{
    try {
        co_await save(db, "late", to);
    } catch (const Compacted& error) {
        co_return error;
    }
    co_return std::nullopt;
}

}  // namespace

// Cursors retain history, and their lag is visible.
BOOST_FIXTURE_TEST_SUITE(test_cursor_lags, EventLoop)

BOOST_AUTO_TEST_CASE(the_lag_is_what_a_consumer_has_not_processed_yet)
{
    run([]() -> Task {
        const HandClock clock;
        Options options = watched_options();
        options.clock = clock.clock();
        Database db = co_await open_with(options, "b");
        co_await save(db, "reader", 1);
        CursorLag lag = co_await lag_of(db, "reader");
        BOOST_TEST(lag.revisions == 1U);  // the commit that saved the cursor
        BOOST_TEST(lag.messages == 0U);
        BOOST_TEST(lag.age == 0us);
        const auto empty_record = lag.bytes;
        clock.advance(3s);
        co_await db.update([](Transaction& tx) {
            tx.btree("b").put("a", std::string(1000, 'v'));
            tx.btree("b").put("b", "v");
        });
        lag = co_await lag_of(db, "reader");
        BOOST_TEST(lag.revisions == 2U);
        BOOST_TEST(lag.messages == 2U);
        BOOST_TEST(lag.bytes > empty_record + 1000);
        BOOST_TEST(lag.bytes < empty_record + 1200);
        BOOST_TEST(lag.age == 3s);
        BOOST_TEST(!lag.compacted);
        co_await save(db, "reader", db.head_revision());
        lag = co_await lag_of(db, "reader");
        BOOST_TEST(lag.revisions == 1U);
        BOOST_TEST(lag.messages == 0U);
        BOOST_TEST(lag.age == 0us);
        co_await db.close();
        BOOST_TEST(co_await failure_of(remove(db, "reader")) == code(Error::closed));
        const auto ask = [&]() -> Task { co_await db.cursors(); };
        BOOST_TEST(co_await failure_of(ask()) == code(Error::closed));
    });
}

BOOST_AUTO_TEST_CASE(history_after_a_cursor_stays_until_it_is_moved_or_deleted)
{
    run([]() -> Task {
        Database db = co_await open_with(few_commits(), "b");
        co_await save(db, "slow", 1);
        co_await save(db, "slower", 0);
        co_await put_many(db, "b", 200);
        BOOST_TEST(db.oldest_revision() == 1U);
        BOOST_TEST(!(co_await lag_of(db, "slower")).compacted);
        co_await remove(db, "slower");
        co_await commit_until_trimmed(db, 2);
        co_await put_many(db, "b", 200);
        BOOST_TEST(db.oldest_revision() == 2U);
        co_await save(db, "slow", 150);
        co_await commit_until_trimmed(db, 151);
        co_await put_many(db, "b", 100);
        BOOST_TEST(db.oldest_revision() == 151U);
        co_await save(db, "slow", db.head_revision());
        co_await commit_until_trimmed(db, db.head_revision() - 40);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_transaction_that_fails_holds_nothing_back)
{
    run([]() -> Task {
        Database db = co_await open_with(few_commits(), "b");
        const auto fail = [](Database each) -> Task {
            co_await each.update([](Transaction& tx) {
                tx.save_cursor("gone", 0);
                tx.save_cursor("gone", 1);
                throw boost::system::system_error(code(Error::would_deadlock));
            });
        };
        BOOST_TEST(co_await failure_of(fail(db)) == code(Error::would_deadlock));
        co_await db.update([](Transaction& tx) {
            tx.save_cursor("to and fro", 0);
            tx.save_cursor("to and fro", 1);
            tx.save_cursor("made and gone", 0);
            tx.delete_cursor("made and gone");
        });
        co_await commit_until_trimmed(db, 2);
        co_await put_many(db, "b", 100);
        BOOST_TEST(db.oldest_revision() == 2U);
        co_await remove(db, "to and fro");
        co_await commit_until_trimmed(db, 50);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_trimmed_position_cannot_be_saved)
{
    run([]() -> Task {
        Database db = co_await open_with(few_commits(), "b");
        co_await commit_until_trimmed(db, 10);
        const Revision oldest = db.oldest_revision();
        const auto error = co_await compacted_save(db, 2);
        BOOST_REQUIRE(error.has_value());
        BOOST_TEST(error->requested() == 3U);
        BOOST_TEST(error->oldest() >= oldest);
        BOOST_TEST((co_await db.cursors()).empty());
        BOOST_TEST(!(co_await compacted_save(db, db.head_revision())).has_value());
        co_await db.close();
    });
}

// Trimming runs concurrently, on another thread, close to the revision at which the cursor is
// saved.
BOOST_AUTO_TEST_CASE(history_after_a_saved_cursor_is_not_trimmed)
{
    run([]() -> Task {
        Options options = few_commits();
        options.history.commits = 4;
        options.durability = Durability::buffered;
        Database db = co_await open_with(options, "b");
        int saved = 0;
        int refused = 0;
        for (Revision i = 0; i < 3000 && (i < 500 || saved == 0 || refused == 0); ++i) {
            co_await put_many(db, "b", 12);
            const auto error = co_await compacted_save(db, db.head_revision() - i % 12);
            if (error) {
                ++refused;
                continue;
            }
            ++saved;
            co_await put_many(db, "b", 12);
            const CursorLag lag = co_await lag_of(db, "late");
            BOOST_TEST_REQUIRE(!lag.compacted);
            co_await remove(db, "late");
        }
        BOOST_TEST(saved > 0);
        BOOST_TEST(refused > 0);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(the_hard_limit_trims_nevertheless_and_the_cursor_reports_it)
{
    run([]() -> Task {
        Options options = few_commits();
        options.history.hard_bytes = 20'000;
        Database db = co_await open_with(options, "b");
        co_await save(db, "abandoned", 1);
        co_await save(db, "kept", 1);
        while (db.stats().history.bytes < 15'000) {
            co_await put(db, "b", "k", std::string(100, 'v'));
        }
        BOOST_TEST(db.oldest_revision() <= 2U);
        co_await save(db, "kept", db.head_revision());
        co_await commit_until_trimmed(db, 3);
        // Trimming continues in the meantime.
        const Stats::History history = db.stats().history;
        const CursorLag lag = co_await lag_of(db, "abandoned");
        BOOST_TEST(lag.compacted);
        BOOST_TEST(lag.revisions == db.head_revision() - 1);
        BOOST_TEST(lag.messages <= history.messages);
        BOOST_TEST(lag.bytes > 0U);
        BOOST_TEST(!(co_await lag_of(db, "kept")).compacted);
        Watcher watcher = db.watch("b", all(), Recorder(), watch_from(From::cursor("abandoned")));
        const Run run(co_await asio::this_coro::executor, watcher);
        BOOST_TEST(co_await run.error() == code(Error::compacted));
        // The trimmed cursor retains nothing: the ordinary limit applies again, up to the other
        // cursor.
        const Revision kept = (co_await lag_of(db, "kept")).cursor.position.revision;
        co_await commit_until_trimmed(db, kept + 1);
        BOOST_TEST(db.oldest_revision() == kept + 1);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_reopened_database_and_a_copy_retain_the_same_history)
{
    const TemporaryDirectory directory;
    std::stringstream backup;
    const auto look = [&](std::string path) -> Task {
        Database db = co_await open_database(few_commits(path));
        const CursorLag lag = co_await lag_of(db, "reader");
        BOOST_TEST(lag.cursor.position.revision == 2U);
        BOOST_TEST(lag.messages == 201U);
        co_await put_many(db, "b", 100);
        BOOST_TEST(db.oldest_revision() == 3U);
        BOOST_TEST((co_await history_of(db, "b", all(), From::cursor("reader"))).size() == 301U);
        co_await remove(db, "reader");
        co_await commit_until_trimmed(db, 20);
        co_await db.close();
    };
    run([&]() -> Task {
        Database db = co_await open_with(few_commits(directory / "db"), "b");
        co_await put_many(db, "b", 2);
        co_await save(db, "reader", 2);
        co_await put_many(db, "b", 200);
        co_await until([&] { return db.oldest_revision() == 3; });
        co_await db.backup(backup);
        co_await db.close();
    });
    restore_blocking(backup, directory / "copy");
    for (const char* const name : {"db", "copy"}) {
        run([&]() -> Task { co_await look(directory / name); });
    }
}

BOOST_AUTO_TEST_SUITE_END()
