// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;

WatchOptions small_and_patient(From from = From::now())
{
    WatchOptions options = watch_from(from);
    options.buffer_messages = 3;
    options.callback_timeout = 10 * patience;
    return options;
}

/// A callback that ignores cancellation until the gate is open.
Task stubborn(Gate gate)
{
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await gate.pass();
}

Task put_one(Database db, std::string key)
{
    co_await put(db, "b", key, "1");
}

bool elapsed_less(std::chrono::steady_clock::time_point since, std::chrono::milliseconds limit)
{
    return std::chrono::steady_clock::now() - since < limit;
}

}  // namespace

// `Database::close`: what watches receive before it returns (W13).
BOOST_FIXTURE_TEST_SUITE(test_drain, EventLoop)

// W13
BOOST_AUTO_TEST_CASE(close_delivers_everything_to_live_and_to_catching_up_watchers)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 50);
        int slow_calls = 0;
        const auto slow = [&](const Message&) -> Task {
            co_await yield();
            ++slow_calls;
        };
        const Recorder live;
        Watcher live_watcher = db.watch("b", all(), live);
        Watcher late_watcher = db.watch("b", all(), slow, small_and_patient(From::revision(1)));
        const Run live_run = co_await start(live_watcher);
        const Run late_run = co_await start(late_watcher);
        co_await put_many(db, "b", 50, 50);
        const Position head = db.head_position();
        co_await db.close();
        BOOST_TEST(live_run.done());
        BOOST_TEST(late_run.done());
        const WatchEnd live_end = co_await live_run.end();
        const WatchEnd late_end = co_await late_run.end();
        BOOST_TEST(live_end.reason == EndReason::database_closed);
        BOOST_TEST(late_end.reason == EndReason::database_closed);
        BOOST_TEST(live_end.position == head);
        BOOST_TEST(late_end.position == head);
        BOOST_TEST(live.size() == 50U);
        BOOST_TEST(slow_calls == 101);
    });
}

// W13: transactions that wait for their turn are finished and delivered; new watches are refused.
BOOST_AUTO_TEST_CASE(queued_transactions_finish_and_new_watches_are_refused)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        Watcher never_run = db.watch("b", all(), recorder);
        Watcher forgotten = db.watch("b", all(), recorder);
        Watcher waited_for = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        std::vector<Job> writers;
        for (int i = 0; i < 5; ++i) {
            writers.push_back(co_await spawn([](Database database, int first) -> Task {
                co_await put_many(database, "b", 1, first);
            }(db, i)));
        }
        co_await yield();
        const Job early = co_await spawn(waited_for.reached(1000));
        const Job closing = co_await spawn(db.close());
        co_await yield();
        BOOST_TEST(failure_of([&] { db.watch("b", all(), recorder); }) == code(Error::closed));
        const auto run_error =
            co_await failure_of([](Watcher late) -> Task { co_await late.run(); }(never_run));
        BOOST_TEST(run_error == code(Error::closed));
        BOOST_TEST(co_await failure_of(never_run.wait_ready(patience)) == code(Error::closed));
        BOOST_TEST(co_await failure_of(never_run.reached(1000)) == code(Error::closed));
        co_await closing.join();
        BOOST_TEST(co_await failure_of(early.join()) == code(Error::closed));
        BOOST_TEST(co_await failure_of(put_one(db, "too late")) == code(Error::closed));
        BOOST_TEST(failure_of([&] { db.bulk_writer(); }) == code(Error::closed));
        for (const Job& each : writers) {
            co_await each.join();
        }
        BOOST_TEST(recorder.size() == 5U);
        const auto view_error = co_await failure_of(
            [](Database database) -> Task { co_await get(database, "b", "k0"); }(db));
        BOOST_TEST(view_error == code(Error::closed));
        BOOST_TEST(co_await failure_of(forgotten.reached(1000)) == code(Error::closed));
        co_await db.close();  // no effect the second time
    });
}

// W13: at the deadline, delivery is cancelled, and the watch can be resumed from its position.
BOOST_AUTO_TEST_CASE(what_was_not_delivered_by_the_deadline_can_be_resumed)
{
    const TemporaryDirectory directory;
    WatchEnd end;
    const Recorder delivered;
    run([&]() -> Task {
        Database db = co_await open_with(watched_options(directory / "db"), "b");
        const Gate gate;
        const auto callback = [&](const Message& message) -> Task {
            const OwnedMessage kept(message);
            if (delivered.size() == 4) {
                co_await gate.pass();
            }
            delivered(*kept);
        };
        Watcher watcher = db.watch("b", all(), callback, small_and_patient());
        const Run watch = co_await start(watcher);
        co_await put_many(db, "b", 10);
        co_await until([&] { return gate.reached() == 1; });
        co_await db.close(50ms);
        BOOST_TEST(watch.done());
        end = co_await watch.end();
    });
    BOOST_TEST(end.reason == EndReason::database_closed);
    BOOST_TEST(end.position.revision == 5U);
    BOOST_TEST(delivered.size() == 4U);
    run([&]() -> Task {
        Database db = co_await open_database(watched_options(directory / "db"));
        const Strings rest = co_await history_of(db, "b", all(), From::after(end.position));
        BOOST_TEST(rest.size() == 6U);
        BOOST_TEST(rest.front() == "6.0 put k4=4");
        co_await db.close();
    });
}

// W12 W13: the one exception is a callback that does not end. The database is closed nevertheless.
BOOST_AUTO_TEST_CASE(a_callback_that_ignores_cancellation_makes_close_time_out)
{
    const TemporaryDirectory directory;
    run([&]() -> Task {
        Database db = co_await open_with(watched_options(directory / "db"), "b");
        const Gate gate;
        const auto callback = [&](const Message&) -> Task { co_await stubborn(gate); };
        Watcher watcher = db.watch("b", all(), callback, small_and_patient());
        const Run watch = co_await start(watcher);
        co_await put_many(db, "b", 10);
        co_await until([&] { return gate.reached() == 1; });
        BOOST_TEST(co_await failure_of(db.close(10ms)) == code(Error::close_timeout));
        BOOST_TEST(!watch.done());
        Database again = co_await open_database(watched_options(directory / "db"));
        co_await again.close();
        gate.open();
        const WatchEnd end = co_await watch.end();
        BOOST_TEST(end.reason == EndReason::database_closed);
        BOOST_TEST(end.position.revision == 2U);
        BOOST_TEST(co_await failure_of(put_one(db, "late")) == code(Error::closed));
    });
}

// W13, trap 9: a callback closes the database while other watches have yet to be drained.
BOOST_AUTO_TEST_CASE(a_callback_may_close_the_database)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto began = std::chrono::steady_clock::now();
        int calls = 0;
        const auto closing = [&](const Message&) -> Task {
            ++calls;
            co_await db.close();
        };
        const Recorder other;
        Watcher closing_watcher = db.watch("b", key("k4"), closing, small_and_patient());
        Watcher other_watcher = db.watch("b", all(), other);
        const Run closing_run = co_await start(closing_watcher);
        const Run other_run = co_await start(other_watcher);
        for (int i = 0; i < 10; ++i) {
            const auto error = co_await failure_of([](Database database, int first) -> Task {
                co_await put_many(database, "b", 1, first);
            }(db, i));
            BOOST_TEST((!error || error == code(Error::closed)));
        }
        const WatchEnd end = co_await closing_run.end();
        const WatchEnd other_end = co_await other_run.end();
        BOOST_TEST(end.reason == EndReason::database_closed);
        BOOST_TEST(calls == 1);
        BOOST_TEST(other.size() >= 5U);
        BOOST_TEST(other_end.position.revision == 1 + other.size());
        BOOST_TEST(elapsed_less(began, 9s));  // less than the timeout of close()
    });
}

// W13, trap 9: two callbacks that close, and one close from outside, do not wait for the timeout.
BOOST_AUTO_TEST_CASE(closing_from_several_callbacks_at_once_does_not_deadlock)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto began = std::chrono::steady_clock::now();
        const auto closing = [&](const Message&) -> Task { co_await db.close(); };
        Watcher first = db.watch("b", all(), closing, small_and_patient());
        Watcher second = db.watch("b", all(), closing, small_and_patient());
        const Run first_run = co_await start(first);
        const Run second_run = co_await start(second);
        co_await put(db, "b", "k", "close");
        co_await db.close();
        const WatchEnd first_end = co_await first_run.end();
        const WatchEnd second_end = co_await second_run.end();
        BOOST_TEST(first_end.reason == EndReason::database_closed);
        BOOST_TEST(second_end.reason == EndReason::database_closed);
        BOOST_TEST(first_end.position.revision == 2U);
        BOOST_TEST(elapsed_less(began, 9s));
    });
}

// Trap 9
BOOST_AUTO_TEST_CASE(a_callback_may_stop_its_own_watcher)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::optional<Watcher> watcher;
        int calls = 0;
        const auto callback = [&](const Message&) -> Task {
            ++calls;
            co_await watcher->stop();
        };
        watcher = db.watch("b", all(), callback, small_and_patient());
        const Run run = co_await start(*watcher);
        co_await put_many(db, "b", 3);
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::stopped);
        BOOST_TEST(end.position.revision == 2U);
        BOOST_TEST(calls == 1);
        co_await db.close();
    });
}

// Trap 9: a callback that waits for its own watch is refused, unless there is nothing to wait for.
BOOST_AUTO_TEST_CASE(a_callback_that_waits_for_its_own_watcher_is_refused)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::optional<Watcher> watcher;
        std::vector<boost::system::error_code> errors;
        const auto callback = [&](const Message& message) -> Task {
            const Revision revision = message.revision;
            errors.push_back(co_await failure_of(watcher->reached(revision - 1)));
            errors.push_back(co_await failure_of(watcher->reached(revision)));
        };
        watcher = db.watch("b", all(), callback);
        const Run run = co_await start(*watcher);
        co_await put(db, "b", "k", "1");
        co_await db.close();
        BOOST_TEST_REQUIRE(errors.size() == 2U);
        BOOST_TEST(!errors[0]);
        BOOST_TEST(errors[1] == code(Error::would_deadlock));
    });
}

// Trap 9: a callback commits, and waits until another watcher has received that commit.
BOOST_AUTO_TEST_CASE(a_callback_may_commit_and_wait_for_another_watcher)
{
    run([]() -> Task {
        Database db = co_await open_with("orders");
        co_await create(db, "bills");
        const Recorder bills;
        Watcher bills_watcher = db.watch("bills", all(), bills);
        std::vector<std::size_t> seen;
        const auto bill = [&](const Message& message) -> Task {
            const std::string key(message.key);
            const Revision revision = co_await put(db, "bills", key, "due");
            co_await bills_watcher.reached(revision);
            seen.push_back(bills.size());
        };
        Watcher orders_watcher = db.watch("orders", all(), bill, small_and_patient());
        const Run bills_run = co_await start(bills_watcher);
        const Run orders_run = co_await start(orders_watcher);
        const Revision last = co_await put_many(db, "orders", 5);
        co_await orders_watcher.reached(last);
        const std::vector<std::size_t> expected{1, 2, 3, 4, 5};
        BOOST_TEST(seen == expected);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
