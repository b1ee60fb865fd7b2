// SPDX-License-Identifier: BSL-1.0
// Commits made while the database closes: W13.
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

namespace kw = keywatch;
using namespace keywatch::test;

namespace {

kw::WatchOptions small_and_patient(kw::From from = kw::From::now())
{
    kw::WatchOptions options = watch_from(from);
    options.buffer_messages = 3;
    options.callback_timeout = 10 * patience;
    return options;
}

Task put_one(kw::Database db, std::string key)
{
    co_await put(db, "b", key, "1");
}

/// Adds the values of a commit to a sum and saves the cursor, in one transaction.
Task add_up(kw::Database db, const kw::Commit& commit)
{
    const auto add = [&](kw::Transaction& tx) {
        for (const kw::Message& each : commit) {
            tx.btree("sums").increment("sum", std::stoll(std::string(each.value)));
        }
        tx.save_cursor("adder", commit.revision());
    };
    co_await db.update(add);
}

/// Same as `add_up`, in a coroutine on an executor unrelated to that of the watch.
Task add_up_elsewhere(kw::Database db, const kw::Commit& commit, asio::any_io_executor elsewhere)
{
    const Job job(elsewhere, add_up(db, commit));
    co_await yield();
    co_await job.join();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(test_close_commits, EventLoop)

// W13, trap 17: while a watch is drained, its callback may commit, on any executor.
BOOST_AUTO_TEST_CASE(a_callback_may_commit_until_its_watch_has_ended)
{
    const TemporaryDirectory directory;
    for (const bool elsewhere : {false, true}) {
        const std::string path = directory / (elsewhere ? "elsewhere" : "here");
        run([&]() -> Task {
            kw::Database db = co_await open_with(watched_options(path), "numbers");
            co_await db.update([](kw::Transaction& tx) {
                tx.create_bucket(kw::Structure::btree, "sums");
                tx.save_cursor("adder", tx.revision());
            });
            const asio::any_io_executor loop = co_await asio::this_coro::executor;
            const auto callback = [&, db](const kw::Commit& commit) {
                return elsewhere ? add_up_elsewhere(db, commit, loop) : add_up(db, commit);
            };
            kw::Watcher watcher =
                db.watch("numbers", kw::all(), callback, watch_from(kw::From::cursor("adder")));
            const Run watch = co_await start(watcher);
            co_await put_many(db, "numbers", 100, 1);
            const kw::Revision head = db.head_revision();
            co_await db.close();
            const kw::WatchEnd end = co_await watch.end();
            BOOST_TEST(end.reason == kw::EndReason::database_closed);
            BOOST_TEST(end.position.revision >= head);
        });
        run([&]() -> Task {
            kw::Database db = co_await open_database(watched_options(path));
            BOOST_TEST(co_await get(db, "sums", "sum") == "5050");
            const auto rest =
                co_await history_of(db, "numbers", kw::all(), kw::From::cursor("adder"));
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
        kw::Database db = co_await open_with("b");
        const Gate gate;
        const Recorder recorder;
        const auto callback = [&](const kw::Message& message) -> Task {
            const kw::OwnedMessage kept(message);
            co_await gate.pass();
            recorder(*kept);
        };
        kw::Watcher watcher = db.watch("b", kw::all(), callback, small_and_patient());
        const Run watch = co_await start(watcher);
        co_await put_many(db, "b", 20);
        co_await until([&] { return gate.reached() == 1; });
        const kw::Revision head = db.head_revision();
        const Job closing = co_await spawn(db.close());
        co_await yield();
        for (int i = 0; i < 20; ++i) {
            co_await put(db, "b", "late", std::to_string(i));
        }
        const kw::BulkWriter writer = db.bulk_writer();
        BOOST_TEST(!closing.done());
        BOOST_TEST(failure_of([&] { db.watch("b", kw::all(), recorder); }) ==
                   code(kw::Error::closed));
        gate.open();
        co_await closing.join();
        const kw::WatchEnd end = co_await watch.end();
        BOOST_TEST(end.reason == kw::EndReason::database_closed);
        BOOST_TEST(end.position.revision >= head);
        BOOST_TEST(recorder.size() >= 20U);
        BOOST_TEST(recorder.messages()[19]->revision == head);
        BOOST_TEST(co_await failure_of(put_one(db, "later")) == code(kw::Error::closed));
    });
}

// W13: draining a watch that is woken by its own commits would never finish.
BOOST_AUTO_TEST_CASE(commits_of_a_callback_to_its_own_bucket_do_not_prolong_draining)
{
    for (const kw::Overflow policy :
         {kw::Overflow::catch_up, kw::Overflow::latest, kw::Overflow::skip, kw::Overflow::stop}) {
        run([&]() -> Task {
            kw::Database db = co_await open_with("b");
            const auto callback = [&](const kw::Message& message) -> Task {
                co_await put_one(db, std::string(message.key) + "x");
            };
            kw::WatchOptions options = small_and_patient();
            options.overflow = policy;
            kw::Watcher watcher = db.watch("b", kw::all(), callback, options);
            const Run watch = co_await start(watcher);
            const kw::Revision head = co_await put(db, "b", "k", "1");
            co_await db.close();
            const kw::WatchEnd end = co_await watch.end();
            BOOST_TEST(end.reason == kw::EndReason::database_closed);
            BOOST_TEST(end.position.revision >= head);
        });
    }
}

// W13, trap 17
BOOST_AUTO_TEST_CASE(a_pulling_consumer_may_commit_until_it_has_received_everything)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        co_await put_many(db, "b", 50);
        const kw::WatchOptions small = small_and_patient(kw::From::revision(1));
        const auto store = [](kw::Database database, kw::PullWatcher watcher) -> Task {
            while (co_await watcher.wait()) {
                while (const auto commit = watcher.try_next()) {
                    const auto save = [&](kw::Transaction& tx) {
                        tx.save_cursor("consumer", commit->revision());
                    };
                    co_await database.update(save);
                }
            }
        };
        const kw::PullWatcher watcher = db.watch("b", kw::all(), small);
        const Job storing = co_await spawn(store(db, watcher));
        co_await watcher.wait_ready(patience);
        const kw::Revision head = db.head_revision();
        co_await db.close();
        co_await storing.join();  // rethrows its exception
        BOOST_TEST(watcher.ended()->reason == kw::EndReason::database_closed);
        BOOST_TEST(watcher.position().revision >= head);
    });
}

BOOST_AUTO_TEST_SUITE_END()
