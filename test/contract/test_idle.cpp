// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

/// Options with the smallest inbox: one message.
WatchOptions tiny()
{
    WatchOptions options;
    options.buffer_messages = 1;
    return options;
}

/// Runs and stops a watch of bucket b. Afterwards no watch runs.
asio::awaitable<Position> watch_for_a_moment(Database db)
{
    Watcher watcher = db.watch("b", all(), Recorder());
    const Run run = co_await start(watcher);
    co_await watcher.reached(co_await put(db, "b", "seen", ""));
    co_await watcher.stop();
    co_return (co_await run.end()).position;
}

/// Puts a key into bucket b, or deletes the bucket and creates it again.
Task change(Database db, bool replaces)
{
    const auto make_change = [replaces](Transaction& tx) {
        if (replaces) {
            tx.delete_bucket(Structure::btree, "b");
            tx.create_bucket(Structure::btree, "b");
        } else {
            tx.btree("b").put("k", "");
        }
    };
    co_await db.update(make_change);
}

}  // namespace

// A watcher that was idle for a long time is up to date, although it received nothing.
BOOST_FIXTURE_TEST_SUITE(test_idle, EventLoop)

// W3 W6, trap 2
BOOST_AUTO_TEST_CASE(a_long_idle_watcher_that_overflows_needs_no_older_history)
{
    run([]() -> Task {
        Options options = watched_options();
        options.history.commits = 10;
        Database db = co_await open_with(options, "b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", key("rare"), recorder, tiny());
        const Run run = co_await start(watcher);
        co_await watcher.reached(co_await put_many(db, "b", 500));
        co_await until([&] { return db.oldest_revision() > 400; });
        // Three commits at once overflow an inbox of one message before the worker runs.
        for (int i = 0; i < 3; ++i) {
            asio::co_spawn(co_await asio::this_coro::executor,
                           put(db, "b", "rare", std::to_string(i)), [](auto...) {});
        }
        co_await until([&] { return recorder.size() == 3; });
        co_await watcher.stop();
        BOOST_TEST((co_await run.end()).position == db.head_position());
        co_await db.close();
    });
}

// W3, for each policy: it joins at the present, regardless of what was committed while no watch
// ran.
BOOST_AUTO_TEST_CASE(the_first_watch_after_a_time_without_any_does_not_fall_behind)
{
    run([]() -> Task {
        for (const Overflow policy :
             {Overflow::catch_up, Overflow::latest, Overflow::skip, Overflow::stop}) {
            for (const int missed : {0, 1, 10}) {
                Database db = co_await open_with("b");
                const Position position = co_await watch_for_a_moment(db);
                co_await put_many(db, "b", missed);
                WatchOptions options = watch_from(From::after(position));
                options.overflow = policy;
                options.buffer_messages = 4;
                std::uint64_t fell_behind = 0;
                std::size_t given = 0;
                Watcher watcher = db.watch(
                    "b", all(),
                    [&](const Message&) {
                        ++given;
                        fell_behind += watcher.info().fell_behind;
                    },
                    options);
                const Run run = co_await start(watcher);
                co_await watcher.reached(db.head_revision());
                co_await watcher.reached(co_await put(db, "b", "next", ""));
                BOOST_TEST(fell_behind == 0U);
                BOOST_TEST(watcher.info().fell_behind == 0U);
                BOOST_TEST(given == std::size_t(missed) + 1);
                co_await db.close();
                co_await run.end();
            }
        }
    });
}

// Many batches are in the pipeline when the only watch ends, and the next watch begins before they
// are routed.
BOOST_AUTO_TEST_CASE(the_end_of_a_bucket_in_the_pipeline_does_not_end_a_later_watch)
{
    run([]() -> Task {
        Options options = watched_options();
        options.batch_messages = 1;
        for (int round = 0; round < 5; ++round) {
            Database db = co_await open_with(options, "b");
            Watcher first = db.watch("b", key("none"), Recorder());
            const Run first_run = co_await start(first);
            std::vector<Job> commits;
            for (int i = 1; i <= 200; ++i) {
                commits.push_back(co_await spawn(change(db, i == 200)));
            }
            for (const Job& each : commits) {
                co_await each.join();
            }
            co_await first.stop();
            const Recorder recorder;
            Watcher second = db.watch("b", all(), recorder);
            const Run second_run = co_await start(second);
            co_await put(db, "b", "k", "");
            co_await until([&] { return recorder.size() == 1U || second_run.done(); });
            BOOST_TEST(recorder.keys() == std::vector<std::string>{"k"});
            co_await db.close();
            BOOST_TEST((co_await second_run.end()).reason == EndReason::database_closed);
            co_await first_run.end();
        }
    });
}

// W7
BOOST_AUTO_TEST_CASE(the_position_in_a_callback_is_just_before_its_commit)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Watcher watcher = db.watch("b", key("rare"), [&](const Message& message) {
            BOOST_TEST(watcher.position().revision == message.revision - 1);
            throw std::runtime_error("enough");
        });
        const Run run = co_await start(watcher);
        const Revision idle = co_await put_many(db, "b", 50);
        co_await watcher.reached(idle);
        co_await put(db, "b", "rare", "x");
        BOOST_CHECK_THROW(co_await run.end(), std::runtime_error);
        BOOST_TEST(watcher.position().revision == idle);
        co_await db.close();
    });
}

// W7
BOOST_AUTO_TEST_CASE(the_position_never_decreases)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", key("k7"), recorder);
        const Run run = co_await start(watcher);
        Revision seen = 0;
        for (int i = 0; i < 200; ++i) {
            co_await put(db, "b", "k" + std::to_string(i % 8), "x");
            const Revision now = watcher.position().revision;
            BOOST_TEST(now >= seen);
            seen = now;
        }
        co_await db.close();
        BOOST_TEST(recorder.size() == 25U);
    });
}

// W13
BOOST_AUTO_TEST_CASE(callbacks_may_read_while_the_database_drains)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        int read = 0;
        const auto look = [&](const Message& message) -> Task {
            const std::string key(message.key);
            co_await yield();
            const auto find = [&](const Snapshot& s) { return s.btree("b").contains(key); };
            read += co_await db.view(find) ? 1 : 0;
        };
        Watcher watcher = db.watch("b", all(), look);
        const Run run = co_await start(watcher);
        co_await put_many(db, "b", 20);
        co_await db.close();
        BOOST_TEST((co_await run.end()).reason == EndReason::database_closed);
        BOOST_TEST(read == 20);
    });
}

// Trap 9, trap 15
BOOST_AUTO_TEST_CASE(closing_in_a_callback_ends_that_watch_even_if_it_lags)
{
    run([]() -> Task {
        Options options = watched_options();
        options.hub_messages = 1;
        options.batch_messages = 1;
        Database db = co_await open_with(options, "b");
        const auto close = [&](const Message&) -> Task { co_await db.close(); };
        Watcher watcher = db.watch("b", all(), close);
        const Run run = co_await start(watcher);
        for (int i = 0; i < 300; ++i) {
            asio::co_spawn(co_await asio::this_coro::executor, put(db, "b", "k", "x"),
                           [](auto...) {});
        }
        BOOST_TEST((co_await run.end()).reason == EndReason::database_closed);
    });
}

BOOST_AUTO_TEST_CASE(a_watcher_that_was_waited_for_and_never_run_is_closed_with_the_database)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Watcher watcher = db.watch("b", all(), [](const Message&) {});
        co_await db.close();
        const auto closed = make_error_code(Error::closed);
        BOOST_TEST(co_await failure_of(watcher.wait_ready(1s)) == closed);
        const Run run = Run(co_await asio::this_coro::executor, watcher);
        BOOST_TEST(co_await run.error() == closed);
    });
}

BOOST_AUTO_TEST_CASE(the_longest_timeout_is_one)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        WatchOptions options;
        options.callback_timeout = std::chrono::milliseconds::max();
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, options);
        const Run run = co_await start(watcher);
        co_await watcher.reached(co_await put(db, "b", "k", "x"));
        BOOST_TEST(recorder.size() == 1U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
