// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::test;

// Mainly for the sanitizers, like test_destruction.
namespace {

Database open_now(const EventLoop& loop)
{
    return Database::open_blocking(loop.executor(), watched_options());
}

Task write_on(Database db)
{
    co_await create(db, "b");
    for (int i = 0;; ++i) {
        co_await put_many(db, "b", 1, i);
    }
}

Task pull(PullWatcher watcher, int turns)
{
    while (co_await watcher.wait()) {
        while (const auto commit = watcher.try_next()) {
            for (int i = 0; i < turns; ++i) {
                co_await yield();
            }
        }
    }
}

Task wait_once(PullWatcher& watcher)
{
    co_await watcher.wait();
}

}  // namespace

// Pulled watches and commits that outlive their database or their event loop.
BOOST_AUTO_TEST_SUITE(test_pull_destruction)

BOOST_AUTO_TEST_CASE(the_context_may_be_destroyed_at_any_moment)
{
    for (int turns = 0; turns < 80; turns += 3) {
        EventLoop loop;
        Database db = open_now(loop);
        WatchOptions small;
        small.buffer_messages = 2;
        PullWatcher kept = db.watch("b", all(), small);
        const Job quick(loop.executor(), pull(kept, 0));
        const Job slow(loop.executor(), pull(db.watch("b", all(), small), 5));
        const Job idle(loop.executor(), pull(db.watch("other", all()), 0));
        const Job writer(loop.executor(), write_on(db));
        const Job waiting(loop.executor(), kept.reached(1'000'000));
        int left = turns;
        loop.run_until([&] { return left-- == 0; });
        loop.destroy();
        BOOST_TEST(!kept.try_next());
        kept.request_stop();
        BOOST_TEST(kept.position().revision <= db.head_revision());
        BOOST_TEST(!waiting.done());
    }
}

// A commit may outlive everything that it came from.
BOOST_AUTO_TEST_CASE(a_commit_may_outlive_watcher_database_and_context)
{
    std::optional<PulledCommit> commit;
    {
        EventLoop loop;
        loop.run([&]() -> Task {
            Database db = co_await open_with("b");
            PullWatcher watcher = db.watch("b", all());
            const Job waiting = co_await spawn(wait_once(watcher));
            co_await watcher.wait_ready(patience);
            co_await put(db, "b", "key", "value");
            co_await waiting.join();
            commit = watcher.try_next();
            co_await watcher.stop();
            co_await db.close();
        });
    }
    BOOST_REQUIRE(commit.has_value());
    BOOST_TEST((*commit)[0].key == "key");
    BOOST_TEST((*commit)[0].value == "value");
}

// Between two waits, a watch has no work for the event loop: `run` throws if it does not end.
BOOST_AUTO_TEST_CASE(a_watch_without_a_wait_does_not_keep_the_event_loop_running)
{
    EventLoop loop;
    Database db = open_now(loop);
    std::optional<PullWatcher> watcher = db.watch("b", all());
    loop.run([&]() -> Task {
        const Job waiting = co_await spawn(wait_once(*watcher));
        co_await watcher->wait_ready(patience);
        co_await create(db, "b");
        co_await waiting.join();
    });
    loop.run([&]() -> Task {
        BOOST_TEST(watcher->try_next()->revision() == 1U);
        BOOST_TEST(!watcher->try_next());
        co_await put(db, "b", "k", "1");
    });
    watcher.reset();
    loop.run([&]() -> Task { co_await db.close(); });
}

// The consumer is on another event loop than the database; its loop is destroyed first.
BOOST_AUTO_TEST_CASE(a_consumer_may_use_a_context_that_is_destroyed_first)
{
    EventLoop database_loop;
    Database db = open_now(database_loop);
    database_loop.run([&]() -> Task { co_await create(db, "b"); });
    PullWatcher watcher = db.watch("b", all(), watch_from(From::revision(1)));
    {
        EventLoop consumer_loop;
        const Job waiting(consumer_loop.executor(), wait_once(watcher));
        while (!waiting.done()) {
            for (EventLoop* each : {&database_loop, &consumer_loop}) {
                int turns = 1;
                each->run_until([&] { return turns-- == 0; });
            }
        }
    }
    BOOST_TEST(watcher.try_next()->revision() == 1U);
    BOOST_TEST(!watcher.try_next());
    database_loop.run([&]() -> Task {
        co_await watcher.reached(1);
        co_await db.close();
    });
    BOOST_TEST(watcher.ended()->reason == EndReason::database_closed);
}

BOOST_AUTO_TEST_SUITE_END()
