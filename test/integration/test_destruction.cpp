// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;

// Mainly for the sanitizers, which report leaks and uses after destruction.
namespace {

Database open_now(const EventLoop& loop, const std::string& location = "memory:")
{
    return Database::open_blocking(loop.executor(), watched_options(location));
}

Task create_bucket(Database db)
{
    co_await create(db, "b");
}

/// Writes for ever.
Task write_on(Database db)
{
    for (int i = 0;; ++i) {
        co_await put_many(db, "b", 1, i);
    }
}

WatchOptions patient()
{
    WatchOptions options;
    options.callback_timeout = 10 * patience;
    return options;
}

Task hang(const Message&)
{
    co_await for_ever();
}

/// Shows when its owners are destroyed.
using Token = std::shared_ptr<int>;

}  // namespace

// Handles, databases and event loops that are destroyed without `close()`.
BOOST_AUTO_TEST_SUITE(test_destruction)

// Trap 15: a pipeline without work does not keep the event loop from ending.
BOOST_AUTO_TEST_CASE(an_idle_pipeline_does_not_keep_the_event_loop_running)
{
    EventLoop loop;
    Database db = open_now(loop);
    loop.run([&]() -> Task { co_await create(db, "b"); });
    loop.run([&]() -> Task { co_await put(db, "b", "k", "1"); });
    loop.run([&]() -> Task { co_await db.close(); });
}

BOOST_AUTO_TEST_CASE(the_last_handle_closes_without_being_waited_for)
{
    const TemporaryDirectory directory;
    EventLoop loop;
    loop.run([&]() -> Task {
        Database db = co_await open_with(watched_options(directory / "db"), "b");
        co_await put(db, "b", "k", "1");
    });  // throws if closing did not end
    loop.run([&]() -> Task {
        Database db = co_await open_database(watched_options(directory / "db"));
        BOOST_TEST(co_await get(db, "b", "k") == "1");
    });
}

// Trap 15: app() throws before close(), with a watcher that runs and one that was never run.
// Closing drains the former, and the loop ends.
BOOST_AUTO_TEST_CASE(an_application_that_throws_before_close_ends)
{
    EventLoop loop;
    const Recorder recorder;
    std::optional<Run> run;
    bool thrown = false;
    try {
        loop.run([&]() -> Task {
            Database db = co_await open_with("b");
            Watcher watcher = db.watch("b", all(), recorder);
            Watcher never_run = db.watch("b", all(), recorder);
            run = co_await start(watcher);
            co_await put_many(db, "b", 5);
            throw std::logic_error("application");
        });
    } catch (const std::logic_error&) {
        thrown = true;
    }
    BOOST_TEST(thrown);
    BOOST_REQUIRE(run.has_value());
    BOOST_TEST(run->done());
    BOOST_TEST(recorder.size() == 5U);
}

// A cycle: the watch owns the callback, which owns the watch.
BOOST_AUTO_TEST_CASE(a_callback_that_owns_its_own_watch_is_released_when_that_has_ended)
{
    EventLoop loop;
    Token token = std::make_shared<int>(1);
    const std::weak_ptr<int> kept = token;
    loop.run([&]() -> Task {
        Database db = co_await open_with("b");
        const auto own = std::make_shared<std::optional<Watcher>>();
        const auto callback = [own, token, db](const Message&) -> Task {
            co_await yield();
            own->value().request_stop();
        };
        *own = db.watch("b", all(), callback, patient());
        WatchOptions filtered;
        const auto pulled = std::make_shared<std::optional<PullWatcher>>();
        filtered.filter.predicate = [pulled, token](const Message&) { return true; };
        *pulled = db.watch("b", all(), filtered);
        const auto never_run = std::make_shared<std::optional<Watcher>>();
        *never_run = db.watch("b", all(), [never_run, token](const Message&) {});
        const Run run = co_await start(**own);
        co_await put(db, "b", "k", "1");
        co_await run.end();
        co_await db.close();
    });
    token.reset();
    BOOST_TEST(kept.expired());
}

// Six buckets end; one end is being delivered, one is queued, and the others wait. The context is
// destroyed at each of these moments.
BOOST_AUTO_TEST_CASE(ends_that_are_not_delivered_yet_keep_nothing_alive)
{
    for (int steps = 0; steps < 60; ++steps) {
        const Token token = std::make_shared<int>(1);
        {
            EventLoop loop;
            Options options = watched_options();
            options.victim_sets = 1;
            Database db = Database::open_blocking(loop.executor(), options);
            const std::vector<std::string> buckets{"a", "b", "c", "d", "e", "f"};
            std::vector<Watcher> watchers;
            std::vector<Run> runs;
            const auto watch_all = [&]() -> Task {
                for (const std::string& each : buckets) {
                    co_await create(db, each);
                    watchers.push_back(db.watch(each, all(), [token](const Message&) {}));
                    runs.emplace_back(loop.executor(), watchers.back());
                    co_await watchers.back().wait_ready(patience);
                }
            };
            const Job watching(loop.executor(), watch_all());
            loop.run_until([&] { return watching.done(); });
            const auto drop_all = [&]() -> Task {
                co_await db.update([&](Transaction& tx) {
                    for (const std::string& each : buckets) {
                        tx.delete_bucket(Structure::btree, each);
                    }
                });
            };
            const Job dropping(loop.executor(), drop_all());
            int done = 0;
            loop.run_until([&] { return done++ == steps; });
        }
        BOOST_TEST(token.use_count() == 1, "after " << steps << " steps");
    }
}

// A callback that owns a handle to its own database keeps the database open, but nothing is leaked.
BOOST_AUTO_TEST_CASE(a_callback_that_owns_its_database_is_released)
{
    std::weak_ptr<int> alive;
    {
        EventLoop loop;
        loop.run([&]() -> Task {
            Database db = co_await open_with("b");
            const Token token = std::make_shared<int>(1);
            alive = token;
            const auto callback = [db, token](const Message&) {};
            Watcher watcher = db.watch("b", all(), callback);
            const Run run = co_await start(watcher);
            co_await put(db, "b", "k", "1");
            co_await db.close();
            co_await run.end();
        });
        BOOST_TEST(alive.expired());
    }
    {
        EventLoop loop;  // without a close(), everything is released with the context at the latest
        Database db = open_now(loop);
        const Token token = std::make_shared<int>(1);
        alive = token;
        Watcher watcher = db.watch("b", all(), [db, token](const Message&) {});
        const Run run(loop.executor(), watcher);
        bool ready = false;
        const auto wait = [&]() -> Task {
            co_await watcher.wait_ready(patience);
            ready = true;
        };
        const Job job(loop.executor(), wait());
        loop.run_until([&] { return ready; });
        loop.destroy();
        BOOST_TEST(!run.done());
    }
    BOOST_TEST(alive.expired());
}

// The context is destroyed first, at any moment while writers, watchers and callbacks are active;
// then the handles, which have no effect by then.
BOOST_AUTO_TEST_CASE(the_context_may_be_destroyed_at_any_moment)
{
    for (int turns = 0; turns < 60; turns += 3) {
        const TemporaryDirectory directory;
        EventLoop loop;
        Database db = open_now(loop, turns % 2 == 0 ? "memory:" : directory / "db");
        Watcher idle = db.watch("other", all(), Recorder());
        Watcher hanging = db.watch("b", all(), hang, patient());
        Watcher healthy = db.watch("b", all(), Recorder());
        const Run idle_run(loop.executor(), idle);
        const Run hanging_run(loop.executor(), hanging);
        const Run healthy_run(loop.executor(), healthy);
        const Job creator(loop.executor(), create_bucket(db));
        const Job first(loop.executor(), write_on(db));
        const Job second(loop.executor(), write_on(db));
        const Job waiting(loop.executor(), healthy.reached(1'000'000));
        const Job ready(loop.executor(), idle.wait_ready(patience));
        int left = turns;
        loop.run_until([&] { return left-- == 0; });
        loop.destroy();
        BOOST_TEST(idle.position().revision <= db.head_revision());
        idle.request_stop();
        hanging.request_stop();
        BOOST_TEST(!waiting.done());
    }
}

// Same in the middle of closing, with a callback that does not end.
BOOST_AUTO_TEST_CASE(the_context_may_be_destroyed_while_closing)
{
    for (int turns = 0; turns < 30; turns += 2) {
        EventLoop loop;
        Database db = open_now(loop);
        loop.run([&]() -> Task { co_await create(db, "b"); });
        Watcher hanging = db.watch("b", all(), hang, patient());
        const Run run(loop.executor(), hanging);
        const Job writer(loop.executor(), write_on(db));
        loop.run_until([&] { return db.head_revision() > 5; });
        const Job closing(loop.executor(), db.close());
        const Job again(loop.executor(), db.close());
        int left = turns;
        loop.run_until([&] { return left-- == 0; });
        loop.destroy();
    }
}

// Handles are destroyed first, one after another. The watch continues until the context is
// destroyed.
BOOST_AUTO_TEST_CASE(handles_may_be_destroyed_while_their_watch_runs)
{
    EventLoop loop;
    const Recorder recorder;
    loop.run([&]() -> Task {
        Database db = co_await open_with("b");
        std::optional<Watcher> watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(*watcher);
        const Job waiting = co_await spawn(watcher->reached(3));
        watcher.reset();
        co_await put_many(db, "b", 2);
        co_await waiting.join();
        db = Database();  // the last handle: the watch is drained and ends
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::database_closed);
        BOOST_TEST(recorder.size() == 2U);
    });
}

// The callback destroys the last handles to watcher and database.
BOOST_AUTO_TEST_CASE(a_callback_may_drop_the_last_handles)
{
    EventLoop loop;
    std::optional<Database> db = open_now(loop);
    std::optional<Watcher> watcher;
    std::optional<Run> run;
    loop.run([&]() -> Task {
        co_await create(*db, "b");
        const auto callback = [&](const Message&) {
            watcher.reset();
            db.reset();
        };
        watcher = db->watch("b", all(), callback);
        run = co_await start(*watcher);
        const Revision revision = co_await put(*db, "b", "k", "1");
        BOOST_TEST(revision == 2U);
    });
    BOOST_TEST(run->done());
    BOOST_TEST(!db.has_value());
}

// The watcher is on another event loop than the database, whose loop is destroyed first.
BOOST_AUTO_TEST_CASE(the_context_of_the_database_may_be_destroyed_before_that_of_a_watcher)
{
    EventLoop watcher_loop;
    EventLoop database_loop;
    const Recorder recorder;
    Database db = open_now(database_loop);
    Watcher watcher = db.watch("b", all(), recorder);
    const Run run(watcher_loop.executor(), watcher);
    const Job creator(database_loop.executor(), create_bucket(db));
    while (recorder.size() == 0) {
        for (EventLoop* each : {&database_loop, &watcher_loop}) {
            int turns = 1;
            each->run_until([&] { return turns-- == 0; });
        }
    }
    database_loop.destroy();
    BOOST_TEST(!run.done());
    watcher_loop.destroy();
    BOOST_TEST(recorder.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
