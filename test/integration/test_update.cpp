// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;

namespace {

Task put_own(Database db, std::string key, bool& ran)
{
    co_await db.update([&](Transaction& tx) {
        ran = true;
        tx.btree("b").put(key, "1");
    });
}

Options buffered(Options options)
{
    options.durability = Durability::buffered;
    return options;
}

}  // namespace

// `Database::update` and `Database::view`.
BOOST_FIXTURE_TEST_SUITE(test_update, EventLoop)

BOOST_AUTO_TEST_CASE(update_returns_the_revision_and_the_result_of_the_function)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Revision revision =
            co_await db.update([](Transaction& tx) { tx.btree("b").put("k", "1"); });
        BOOST_TEST(revision == 2U);
        const Committed<std::string> committed =
            co_await db.update([](Transaction& tx) -> std::string {
                tx.btree("b").put("k", "2");
                return "two";
            });
        BOOST_TEST(committed.revision == 3U);
        BOOST_TEST(committed.value == "two");
        const auto move_only = [](Transaction& tx) {
            tx.btree("b").put("k", "3");
            return std::make_unique<int>(3);
        };
        const Committed<std::unique_ptr<int>> owned = co_await db.update(move_only);
        BOOST_TEST(*owned.value == 3);
        BOOST_TEST(db.head_revision() == 4U);
        const std::unique_ptr<int> seen = co_await db.view([](const Snapshot& snapshot) {
            return std::make_unique<int>(static_cast<int>(snapshot.revision()));
        });
        BOOST_TEST(*seen == 4);
        co_await db.close();
    });
}

// A transaction that changes nothing is not a commit, and returns the revision that it read.
BOOST_AUTO_TEST_CASE(a_transaction_without_changes_makes_no_commit)
{
    run([]() -> Task {
        for (const Options& options : {watched_options(), buffered(watched_options())}) {
            Database db = co_await open_with(options, "b");
            const Revision empty = co_await db.update([](Transaction&) {});
            BOOST_TEST(empty == 1U);
            const Committed<bool> absent = co_await db.update([](Transaction& tx) {
                tx.set_origin("nobody");
                return tx.btree("b").erase("absent");
            });
            BOOST_TEST(absent.revision == 1U);
            BOOST_TEST(!absent.value);
            BOOST_TEST(db.head_revision() == 1U);
            co_await db.close();
        }
    });
}

BOOST_AUTO_TEST_CASE(an_exception_of_the_function_is_rethrown_and_changes_nothing)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto throwing = [](Transaction& tx) {
            tx.create_bucket(Structure::btree, "new");
            tx.btree("b").put("k", "1");
            throw std::out_of_range("as it is");
        };
        std::string what;
        try {
            co_await db.update(throwing);
        } catch (const std::out_of_range& error) {
            what = error.what();
        }
        BOOST_TEST(what == "as it is");
        BOOST_TEST(co_await get(db, "b", "k") == std::nullopt);
        const bool has_bucket = co_await db.view(
            [](const Snapshot& snapshot) { return snapshot.has_bucket(Structure::btree, "new"); });
        BOOST_TEST(!has_bucket);
        BOOST_TEST(co_await put(db, "b", "k", "2") == 2U);
        co_await db.close();
    });
}

// A transaction reads the results of those before it, even if they are not durable yet; a view
// reads only what is durable.
BOOST_AUTO_TEST_CASE(transactions_run_one_at_a_time_in_the_order_of_their_calls)
{
    run([]() -> Task {
        for (const Options& options : {watched_options(), buffered(watched_options())}) {
            Database db = co_await open_with(options, "b");
            const auto count_up = [](Database database, int before) -> Task {
                co_await database.update([&](Transaction& tx) {
                    BTree tree = tx.btree("b");
                    const int read = std::stoi(tree.get("n").value_or("0"));
                    BOOST_TEST(read == before);
                    tree.put("n", std::to_string(read + 1));
                });
            };
            std::vector<Job> jobs;
            for (int i = 0; i < 50; ++i) {
                jobs.push_back(co_await spawn(count_up(db, i)));
            }
            for (const Job& each : jobs) {
                co_await each.join();
            }
            BOOST_TEST(co_await get(db, "b", "n") == "50");
            BOOST_TEST(db.head_revision() == 51U);
            co_await db.close();
        }
    });
}

// Cancelled while another update holds the writer lock: its function is never run, and the next one
// is.
BOOST_AUTO_TEST_CASE(a_queued_update_that_is_cancelled_is_never_run)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::optional<Job> second;
        std::optional<Job> third;
        bool second_ran = false;
        bool third_ran = false;
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        // The others are called while this one holds the writer lock, and one of them is cancelled.
        // The function runs on the loop's own thread, so a job started here runs up to its first
        // suspension at once.
        const auto first = [&](Transaction& tx) {
            second.emplace(executor, put_own(db, "second", second_ran));
            third.emplace(executor, put_own(db, "third", third_ran));
            second->cancel();
            tx.btree("b").put("first", "1");
        };
        co_await db.update(first);
        const auto error = co_await failure_of(second->join());
        BOOST_TEST(error == asio::error::operation_aborted);
        BOOST_TEST(!second_ran);
        co_await third->join();
        BOOST_TEST(third_ran);
        BOOST_TEST(db.head_revision() == 3U);
        co_await db.close();
    });
}

// Cancelled after its function has run: the commit is made and reported nevertheless.
BOOST_AUTO_TEST_CASE(cancelling_an_update_that_has_begun_is_ignored)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        bool ran = false;
        Revision revision = 0;
        const auto update = [&]() -> Task {
            const auto fn = [&](Transaction& tx) {
                ran = true;
                tx.btree("b").put("k", "1");
            };
            revision = co_await db.update(fn);
        };
        const Job job = co_await spawn(update());
        co_await until([&] { return ran; });
        job.cancel();
        co_await failure_of(job.join());
        BOOST_TEST(revision == 2U);
        BOOST_TEST(co_await get(db, "b", "k") == "1");
        co_await db.close();
    });
}

// Trap 15: other coroutines have turns between the commits of a loop, with every durability.
BOOST_AUTO_TEST_CASE(a_loop_of_commits_does_not_starve_other_coroutines)
{
    run([]() -> Task {
        for (const Options& options : {watched_options(), buffered(watched_options())}) {
            Database db = co_await open_with(options, "b");
            int turns = 0;
            bool over = false;
            const auto others = [&]() -> Task {
                while (!over) {
                    ++turns;
                    co_await yield();
                }
            };
            const Job job = co_await spawn(others());
            co_await put_many(db, "b", 50);
            over = true;
            BOOST_TEST(turns >= 50);
            co_await job.join();
            turns = 0;
            over = false;
            const Job again = co_await spawn(others());
            for (int i = 0; i < 50; ++i) {
                co_await db.update([](Transaction&) {});  // no commit, but still a turn
            }
            over = true;
            BOOST_TEST(turns >= 50);
            co_await again.join();
            co_await db.close();
        }
    });
}

// If almost nothing may wait for the disk, then updates wait longer, and none is lost.
BOOST_AUTO_TEST_CASE(too_much_waiting_for_the_disk_slows_down_and_loses_nothing)
{
    run([]() -> Task {
        Options options = watched_options();
        options.max_pending_bytes = 1;
        Database db = co_await open_with(options, "b");
        std::vector<Job> jobs;
        const auto put_one = [](Database database, int i) -> Task {
            co_await put_many(database, "b", 1, i);
        };
        for (int i = 0; i < 30; ++i) {
            jobs.push_back(co_await spawn(put_one(db, i)));
        }
        for (const Job& each : jobs) {
            co_await each.join();
        }
        BOOST_TEST(db.head_revision() == 31U);
        co_await db.close();
    });
}

// A view is of one revision; a view inside a transaction's function does not see the changes of the
// transaction.
BOOST_AUTO_TEST_CASE(a_view_sees_one_durable_revision)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put(db, "b", "k", "1");
        const auto [revision, value] = co_await db.view([](const Snapshot& snapshot) {
            return std::pair(snapshot.revision(), snapshot.btree("b").get("k"));
        });
        BOOST_TEST(revision == 2U);
        BOOST_TEST(value == "1");
        int calls = 0;
        co_await db.view([&](const Snapshot&) { ++calls; });
        BOOST_TEST(calls == 1);
        const auto throwing = [](const Snapshot& snapshot) { snapshot.btree("missing"); };
        const auto error = co_await failure_of(
            [](Database database, auto fn) -> Task { co_await database.view(fn); }(db, throwing));
        BOOST_TEST(error == code(Error::bucket_not_found));
        co_await db.close();
    });
}

// A handle may be destroyed while its call is running.
BOOST_AUTO_TEST_CASE(a_handle_may_be_destroyed_during_its_call)
{
    run([]() -> Task {
        std::optional<Database> db = co_await open_with("b");
        bool ran = false;
        const Job job = co_await spawn(put_own(*db, "k", ran));
        asio::awaitable<Revision> pending =
            db->update([](Transaction& tx) { tx.btree("b").put("j", "1"); });
        db.reset();
        const Revision revision = co_await std::move(pending);
        co_await job.join();
        BOOST_TEST(revision >= 2U);
        BOOST_TEST(ran);
    });
}

BOOST_AUTO_TEST_SUITE_END()
