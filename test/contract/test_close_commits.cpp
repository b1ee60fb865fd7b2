// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::test;

namespace {

WatchOptions small_and_patient(From from = From::now())
{
    WatchOptions options = watch_from(from);
    options.buffer_messages = 3;
    options.callback_timeout = 10 * patience;
    return options;
}

Task put_one(Database db, std::string key)
{
    co_await put(db, "b", key, "1");
}

/// Adds the values of a commit to a sum and saves the cursor, in one transaction.
Task add_up(Database db, const Commit& commit)
{
    const auto add = [&](Transaction& tx) {
        for (const Message& each : commit) {
            tx.btree("sums").increment("sum", std::stoll(std::string(each.value)));
        }
        tx.save_cursor("adder", commit.revision());
    };
    co_await db.update(add);
}

/// Same as `add_up`, in a coroutine on an executor unrelated to that of the watch.
Task add_up_elsewhere(Database db, const Commit& commit, asio::any_io_executor elsewhere)
{
    const Job job(elsewhere, add_up(db, commit));
    co_await yield();
    co_await job.join();
}

}  // namespace

// Commits made while the database closes: W13.
BOOST_FIXTURE_TEST_SUITE(test_close_commits, EventLoop)

// W13, trap 17: while a watch is drained, its callback may commit, on any executor.
BOOST_AUTO_TEST_CASE(a_callback_may_commit_until_its_watch_has_ended)
{
    const TemporaryDirectory directory;
    for (const bool elsewhere : {false, true}) {
        const std::string path = directory / (elsewhere ? "elsewhere" : "here");
        run([&]() -> Task {
            Database db = co_await open_with(watched_options(path), "numbers");
            co_await db.update([](Transaction& tx) {
                tx.create_bucket(Structure::btree, "sums");
                tx.save_cursor("adder", tx.revision());
            });
            const asio::any_io_executor loop = co_await asio::this_coro::executor;
            const auto callback = [&, db](const Commit& commit) {
                return elsewhere ? add_up_elsewhere(db, commit, loop) : add_up(db, commit);
            };
            Watcher watcher =
                db.watch("numbers", all(), callback, watch_from(From::cursor("adder")));
            const Run watch = co_await start(watcher);
            co_await put_many(db, "numbers", 100, 1);
            const Revision head = db.head_revision();
            co_await db.close();
            const WatchEnd end = co_await watch.end();
            BOOST_TEST(end.reason == EndReason::database_closed);
            BOOST_TEST(end.position.revision >= head);
        });
        run([&]() -> Task {
            Database db = co_await open_database(watched_options(path));
            BOOST_TEST(co_await get(db, "sums", "sum") == "5050");
            const auto rest = co_await history_of(db, "numbers", all(), From::cursor("adder"));
            BOOST_TEST(rest.size() == 0U);
            co_await db.close();
        });
    }
}

// W13: the database cannot tell which coroutines commit for a callback, so all may commit. These
// commits need not be delivered.
BOOST_AUTO_TEST_CASE(commits_are_accepted_until_the_watches_have_been_drained)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Gate gate;
        const Recorder recorder;
        const auto callback = [&](const Message& message) -> Task {
            const OwnedMessage kept(message);
            co_await gate.pass();
            recorder(*kept);
        };
        Watcher watcher = db.watch("b", all(), callback, small_and_patient());
        const Run watch = co_await start(watcher);
        co_await put_many(db, "b", 20);
        co_await until([&] { return gate.reached() == 1; });
        const Revision head = db.head_revision();
        const Job closing = co_await spawn(db.close());
        co_await yield();
        for (int i = 0; i < 20; ++i) {
            co_await put(db, "b", "late", std::to_string(i));
        }
        const BulkWriter writer = db.bulk_writer();
        BOOST_TEST(!closing.done());
        BOOST_TEST(failure_of([&] { db.watch("b", all(), recorder); }) == code(Error::closed));
        gate.open();
        co_await closing.join();
        const WatchEnd end = co_await watch.end();
        BOOST_TEST(end.reason == EndReason::database_closed);
        BOOST_TEST(end.position.revision >= head);
        BOOST_TEST(recorder.size() >= 20U);
        BOOST_TEST(recorder.messages()[19]->revision == head);
        BOOST_TEST(co_await failure_of(put_one(db, "later")) == code(Error::closed));
    });
}

// W13: draining a watch that is woken by its own commits would never finish.
BOOST_AUTO_TEST_CASE(commits_of_a_callback_to_its_own_bucket_do_not_prolong_draining)
{
    for (const Overflow policy :
         {Overflow::catch_up, Overflow::latest, Overflow::skip, Overflow::stop}) {
        run([&]() -> Task {
            Database db = co_await open_with("b");
            const auto callback = [&](const Message& message) -> Task {
                co_await put_one(db, std::string(message.key) + "x");
            };
            WatchOptions options = small_and_patient();
            options.overflow = policy;
            Watcher watcher = db.watch("b", all(), callback, options);
            const Run watch = co_await start(watcher);
            const Revision head = co_await put(db, "b", "k", "1");
            co_await db.close();
            const WatchEnd end = co_await watch.end();
            BOOST_TEST(end.reason == EndReason::database_closed);
            BOOST_TEST(end.position.revision >= head);
        });
    }
}

// W13, trap 17
BOOST_AUTO_TEST_CASE(a_pulling_consumer_may_commit_until_it_has_received_everything)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 50);
        const WatchOptions small = small_and_patient(From::revision(1));
        const auto store = [](Database database, PullWatcher watcher) -> Task {
            while (co_await watcher.wait()) {
                while (const auto commit = watcher.try_next()) {
                    const auto save = [&](Transaction& tx) {
                        tx.save_cursor("consumer", commit->revision());
                    };
                    co_await database.update(save);
                }
            }
        };
        const PullWatcher watcher = db.watch("b", all(), small);
        const Job storing = co_await spawn(store(db, watcher));
        co_await watcher.wait_ready(patience);
        const Revision head = db.head_revision();
        co_await db.close();
        co_await storing.join();  // rethrows its exception
        BOOST_TEST(watcher.ended()->reason == EndReason::database_closed);
        BOOST_TEST(watcher.position().revision >= head);
    });
}

BOOST_AUTO_TEST_SUITE_END()
