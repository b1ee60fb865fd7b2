// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;

namespace {

WatchOptions small_and_patient()
{
    WatchOptions options;
    options.buffer_messages = 2;
    options.callback_timeout = 10 * patience;
    return options;
}

/// Counts the callbacks that are running.
struct Inside {
    int& count;
    explicit Inside(int& counter) : count(counter) { ++count; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() { --count; }
};

}  // namespace

// Watches that are stuck or fail, beside others that must not notice (W9).
BOOST_FIXTURE_TEST_SUITE(test_non_interference, EventLoop)

// W9, trap 4: a stuck watcher with a full inbox delays neither commits nor another watcher, and can
// be stopped.
BOOST_AUTO_TEST_CASE(a_stuck_watcher_delays_nothing)
{
    run([]() -> Task {
        Options options = watched_options();
        options.hub_messages = 4;
        options.distribute_batches = 1;
        Database db = co_await open_with(options, "b");
        const Gate gate;
        const auto stuck = [&](const Message&) -> Task { co_await gate.pass(); };
        const Recorder healthy;
        Watcher stuck_watcher = db.watch("b", all(), stuck, small_and_patient());
        Watcher healthy_watcher = db.watch("b", all(), healthy, small_and_patient());
        const Run stuck_run = co_await start(stuck_watcher);
        const Run healthy_run = co_await start(healthy_watcher);
        const Revision last = co_await put_many(db, "b", 100);
        co_await healthy_watcher.reached(last);
        BOOST_TEST(healthy.size() == 100U);
        BOOST_TEST(gate.reached() == 1);
        BOOST_TEST(!stuck_run.done());
        stuck_run.cancel();
        const WatchEnd end = co_await stuck_run.end();
        BOOST_TEST(end.reason == EndReason::cancelled);
        BOOST_TEST(end.position.revision == 1U);
        co_await db.close();
    });
}

// W9
BOOST_AUTO_TEST_CASE(failing_watchers_do_not_affect_others)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto throwing = [](const Message& message) {
            if (message.key == "k5") {
                throw std::logic_error("five");
            }
        };
        std::vector<Run> failing;
        for (int i = 0; i < 20; ++i) {
            Watcher watcher = db.watch("b", all(), throwing);
            failing.push_back(co_await start(watcher));
        }
        const Recorder healthy;
        Watcher healthy_watcher = db.watch("b", all(), healthy);
        const Run healthy_run = co_await start(healthy_watcher);
        const Revision last = co_await put_many(db, "b", 10);
        co_await healthy_watcher.reached(last);
        BOOST_TEST(healthy.size() == 10U);
        int failed = 0;
        for (const Run& each : failing) {
            try {
                co_await each.end();
            } catch (const std::logic_error&) {
                ++failed;
            }
        }
        BOOST_TEST(failed == 20);
        co_await db.close();
    });
}

// W9: a watcher that reads a long history does not affect what a live one receives.
BOOST_AUTO_TEST_CASE(catching_up_does_not_delay_a_live_watcher)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 300);
        WatchOptions from_start = small_and_patient();
        from_start.from = From::revision(1);
        int behind = 0;
        const auto slow = [&](const Message&) -> Task {
            co_await yield();
            co_await yield();
            ++behind;
        };
        const Recorder live;
        Watcher slow_watcher = db.watch("b", all(), slow, from_start);
        Watcher live_watcher = db.watch("b", all(), live);
        const Run slow_run = co_await start(slow_watcher);
        const Run live_run = co_await start(live_watcher);
        const Revision last = co_await put_many(db, "b", 3);
        co_await live_watcher.reached(last);
        BOOST_TEST(live.size() == 3U);
        BOOST_TEST(behind < 304);
        co_await slow_watcher.reached(last);
        BOOST_TEST(behind == 304);
        co_await db.close();
    });
}

// W12, trap 8: stop() waits for the running callback, and no callback runs after it.
BOOST_AUTO_TEST_CASE(after_stop_no_callback_runs)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Gate gate;
        int inside = 0;
        int calls = 0;
        const auto callback = [&](const Message&) -> Task {
            const Inside guard(inside);
            ++calls;
            co_await gate.pass();
        };
        Watcher watcher = db.watch("b", all(), callback, small_and_patient());
        const Run run = co_await start(watcher);
        co_await put_many(db, "b", 5);
        co_await until([&] { return inside == 1; });
        const Job stopping = co_await spawn(watcher.stop());
        for (int i = 0; i < 50; ++i) {
            co_await yield();
        }
        BOOST_TEST(!stopping.done());
        gate.open();
        co_await stopping.join();
        BOOST_TEST(inside == 0);
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.position.revision == 2U);
        co_await put_many(db, "b", 5);
        BOOST_TEST(calls == 1);
        co_await db.close();
        BOOST_TEST(calls == 1);
    });
}

// W12, trap 8: when a cancelled run() has returned, the callback has ended, even if that took long.
BOOST_AUTO_TEST_CASE(a_cancelled_callback_is_awaited)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        int inside = 0;
        bool cleaned_up = false;
        const auto callback = [&](const Message&) -> Task {
            const Inside guard(inside);
            const auto error = co_await failure_of(for_ever());
            BOOST_TEST(error == asio::error::operation_aborted);
            co_await asio::this_coro::reset_cancellation_state();
            for (int i = 0; i < 10; ++i) {
                co_await yield();
            }
            cleaned_up = true;
        };
        Watcher watcher = db.watch("b", all(), callback, small_and_patient());
        const Run run = co_await start(watcher);
        co_await put_many(db, "b", 2);
        co_await until([&] { return inside == 1; });
        run.cancel();
        const WatchEnd end = co_await run.end();
        BOOST_TEST(inside == 0);
        BOOST_TEST(cleaned_up);
        BOOST_TEST(end.reason == EndReason::cancelled);
        // The callback returned, so the commit counts as delivered.
        BOOST_TEST(end.position.revision == 2U);
        co_await db.close();
    });
}

// W12: the same for close(), with the callback cancelled at the deadline.
BOOST_AUTO_TEST_CASE(after_close_no_callback_runs)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        int inside = 0;
        const auto callback = [&](const Message&) -> Task {
            const Inside guard(inside);
            co_await for_ever();
        };
        std::vector<Run> runs;
        for (int i = 0; i < 5; ++i) {
            Watcher watcher = db.watch("b", all(), callback, small_and_patient());
            runs.push_back(co_await start(watcher));
        }
        co_await put_many(db, "b", 2);
        co_await until([&] { return inside == 5; });
        co_await db.close(std::chrono::milliseconds(0));
        BOOST_TEST(inside == 0);
        for (const Run& each : runs) {
            const WatchEnd end = co_await each.end();
            BOOST_TEST(end.reason == EndReason::database_closed);
            BOOST_TEST(end.position.revision == 1U);
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
