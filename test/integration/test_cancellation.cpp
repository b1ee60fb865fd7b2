// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <thread>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

WatchOptions within(std::chrono::milliseconds timeout)
{
    WatchOptions options;
    options.callback_timeout = timeout;
    return options;
}

/// Blocks the thread and its event loop.
void block(std::chrono::milliseconds time)
{
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
        std::this_thread::yield();
    }
}

}  // namespace

// Cancelled `run()`, `stop()` and `close()`, and callbacks that take too long.
BOOST_FIXTURE_TEST_SUITE(test_cancellation, EventLoop)

// run() in an expression with `||`: if the other operand wins, run() ends with a value, and nothing
// is lost.
BOOST_AUTO_TEST_CASE(run_can_be_cancelled_by_a_parent)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        WatchEnd end;
        const auto watching = [&]() -> Task { end = co_await watcher.run(); };
        const auto enough = [&]() -> Task {
            const Revision revision = co_await put(db, "b", "k", "1");
            co_await watcher.reached(revision);
        };
        const std::size_t winner = co_await race(watching(), enough());
        BOOST_TEST(winner == 1U);
        BOOST_TEST(end.reason == EndReason::cancelled);
        BOOST_TEST(end.position == db.head_position());
        BOOST_TEST(recorder.size() == 1U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(only_terminal_cancellation_ends_a_run)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        run.cancel(asio::cancellation_type::total);
        const Revision revision = co_await put(db, "b", "k", "1");
        co_await watcher.reached(revision);
        BOOST_TEST(!run.done());
        run.cancel(asio::cancellation_type::terminal);
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::cancelled);
        co_await db.close();
    });
}

// The cancellation comes before run() begins, or at any moment while it catches up.
BOOST_AUTO_TEST_CASE(run_may_be_cancelled_at_any_time)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 30);
        for (int turns = 0; turns < 60; ++turns) {
            const Recorder recorder;
            WatchOptions options = watch_from(From::revision(2));
            options.buffer_messages = 4;
            const auto slow = [&](const Message& message) -> Task {
                const OwnedMessage kept(message);
                co_await yield();
                recorder(*kept);
            };
            Watcher watcher = db.watch("b", all(), slow, options);
            const Run run(co_await asio::this_coro::executor, watcher);
            for (int i = 0; i < turns; ++i) {
                co_await yield();
            }
            run.cancel();
            const WatchEnd end = co_await run.end();
            BOOST_TEST(end.position.revision == 1 + recorder.size());
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(waiting_can_be_cancelled_and_changes_nothing)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Job not_ready = co_await spawn(watcher.wait_ready(patience));
        co_await yield();
        not_ready.cancel();
        BOOST_TEST(co_await failure_of(not_ready.join()) == asio::error::operation_aborted);
        const Run run = co_await start(watcher);
        const Job waiting = co_await spawn(watcher.reached(100));
        co_await yield();
        waiting.cancel();
        BOOST_TEST(co_await failure_of(waiting.join()) == asio::error::operation_aborted);
        const Revision revision = co_await put(db, "b", "k", "1");
        co_await watcher.reached(revision);
        BOOST_TEST(recorder.size() == 1U);
        co_await db.close();
    });
}

// Cancelling a coroutine that awaits stop() or close() does not undo them.
BOOST_AUTO_TEST_CASE(a_cancelled_stop_and_a_cancelled_close_happen_nevertheless)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Gate gate;
        const auto callback = [&](const Message&) -> Task { co_await gate.pass(); };
        Watcher watcher = db.watch("b", all(), callback, within(10 * patience));
        const Run run = co_await start(watcher);
        co_await put(db, "b", "k", "1");
        co_await until([&] { return gate.reached() == 1; });
        const Job stopping = co_await spawn(watcher.stop());
        const Job closing = co_await spawn(db.close());
        co_await yield();
        stopping.cancel();
        closing.cancel();
        BOOST_TEST(co_await failure_of(stopping.join()) == asio::error::operation_aborted);
        BOOST_TEST(co_await failure_of(closing.join()) == asio::error::operation_aborted);
        BOOST_TEST(!run.done());
        gate.open();
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::stopped);
        co_await db.close();
        BOOST_TEST(failure_of([&] { db.watch("b", all(), Recorder()); }) == code(Error::closed));
    });
}

// A coroutine that overruns is cancelled, and the watch waits for it.
BOOST_AUTO_TEST_CASE(an_overrunning_coroutine_is_cancelled_and_awaited)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        bool cancelled = false;
        const auto callback = [&](const Message& message) -> Task {
            if (message.key == "k1") {
                const auto error = co_await failure_of(for_ever());
                cancelled = error == asio::error::operation_aborted;
                throw boost::system::system_error(error);
            }
        };
        Watcher watcher = db.watch("b", all(), callback, within(20ms));
        const Run run = co_await start(watcher);
        co_await put_many(db, "b", 3);
        BOOST_TEST(co_await run.error() == code(Error::callback_timeout));
        BOOST_TEST(cancelled);
        BOOST_TEST(watcher.position().revision == 2U);
        co_await db.close();
    });
}

// A coroutine that ignores its cancellation and returns has overrun nevertheless.
BOOST_AUTO_TEST_CASE(swallowing_the_cancellation_does_not_help)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        int calls = 0;
        const auto callback = [&](const Message&) -> Task {
            ++calls;
            co_await failure_of(for_ever());
        };
        Watcher watcher = db.watch("b", all(), callback, within(20ms));
        const Run run = co_await start(watcher);
        co_await put_many(db, "b", 3);
        BOOST_TEST(co_await run.error() == code(Error::callback_timeout));
        BOOST_TEST(calls == 1);
        co_await db.close();
    });
}

// An operation_aborted that was not caused by a cancellation of the library is rethrown like any
// exception.
BOOST_AUTO_TEST_CASE(an_abort_caused_by_the_callback_is_rethrown)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto callback = [](const Message&) -> Task {
            co_await yield();
            throw boost::system::system_error(make_error_code(asio::error::operation_aborted));
        };
        Watcher watcher = db.watch("b", all(), callback);
        const Run run = co_await start(watcher);
        co_await put(db, "b", "k", "1");
        BOOST_TEST(co_await run.error() == asio::error::operation_aborted);
        co_await db.close();
    });
}

// A plain callback cannot be interrupted; the watch ends after it has returned.
BOOST_AUTO_TEST_CASE(an_overrunning_plain_callback_ends_its_watch)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        int calls = 0;
        const auto callback = [&](const Message&) {
            ++calls;
            block(30ms);
        };
        Watcher watcher = db.watch("b", all(), callback, within(5ms));
        const Run run = co_await start(watcher);
        co_await put_many(db, "b", 3);
        BOOST_TEST(co_await run.error() == code(Error::callback_timeout));
        BOOST_TEST(calls == 1);
        co_await db.close();
    });
}

// If other code blocks the event loop for longer than the timeout, then healthy watches do not end.
BOOST_AUTO_TEST_CASE(a_blocked_event_loop_does_not_end_healthy_watches)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        int inside = 0;
        int calls = 0;
        const auto callback = [&](const Message&) -> Task {
            ++inside;
            co_await take(1ms);
            --inside;
            ++calls;
        };
        Watcher watcher = db.watch("b", all(), callback, within(500ms));
        const Run run = co_await start(watcher);
        for (int i = 0; i < 3; ++i) {
            co_await put(db, "b", "k", "1");
            co_await until([&] { return inside == 1 || calls > i; });
            block(700ms);
        }
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(calls == 3);
        co_await db.close();
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::database_closed);
    });
}

// A callback that changes its cancellation state affects only itself.
BOOST_AUTO_TEST_CASE(a_callback_that_disables_cancellation_does_so_for_itself)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        int calls = 0;
        const auto callback = [&](const Message&) -> Task {
            if (++calls == 1) {
                co_await asio::this_coro::throw_if_cancelled(false);
                co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            } else {
                co_await for_ever();
            }
        };
        Watcher watcher = db.watch("b", all(), callback, within(10 * patience));
        const Run run = co_await start(watcher);
        co_await put_many(db, "b", 2);
        co_await until([&] { return calls == 2; });
        run.cancel();
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::cancelled);
        BOOST_TEST(end.position.revision == 2U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
