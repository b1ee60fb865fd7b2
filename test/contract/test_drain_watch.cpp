// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/held_watch.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

constexpr Overflow policies[] = {Overflow::catch_up, Overflow::latest, Overflow::skip,
                                 Overflow::stop};

WatchOptions roomy(Overflow policy, From from = From::now())
{
    WatchOptions options = slow_watch(policy, from);
    options.buffer_messages = 1000;
    return options;
}

/// Commits until `enough` is set.
Task write_on(Database db, const bool& enough)
{
    int next = 1000;
    while (!enough) {
        co_await put_many(db, "b", 1, next++);
    }
}

Task consume(PullWatcher watcher, Recorder recorder)
{
    while (co_await watcher.wait()) {
        while (const auto commit = watcher.try_next()) {
            recorder((*commit)[0]);
            co_await yield();
        }
    }
}

}  // namespace

// Draining one watch: W11 W12 W13.
BOOST_FIXTURE_TEST_SUITE(test_drain_watch, EventLoop)

BOOST_AUTO_TEST_CASE(what_was_committed_before_is_delivered_then_the_watch_ends)
{
    for (const Overflow policy : policies) {
        run([&]() -> Task {
            Database db = co_await open_with("b");
            const HeldWatch held = co_await hold(db, in("b", all()), roomy(policy));
            const Revision head = co_await put_many(db, "b", 20);
            const Job draining = co_await spawn(held.watcher.drain());
            co_await yield();
            BOOST_TEST(!draining.done());
            held.held.gate.open();
            co_await draining.join();
            const WatchEnd end = co_await held.run.end();
            BOOST_TEST(end.reason == EndReason::drained);
            BOOST_TEST(end.position.revision == head);
            BOOST_TEST(held.held.recorder.size() == 21U);
            co_await put(db, "b", "k", "later");
            for (int turn = 0; turn < 20; ++turn) {
                co_await yield();
            }
            BOOST_TEST(held.held.recorder.size() == 21U);
            co_await held.watcher.drain();  // it has been drained
            co_await db.close();
        });
    }
}

BOOST_AUTO_TEST_CASE(a_watch_that_is_catching_up_is_drained)
{
    for (const Overflow policy : policies) {
        run([&]() -> Task {
            Database db = co_await open_with("b");
            const Revision head = co_await put_many(db, "b", 50);
            const Recorder recorder;
            const auto callback = [&](const Message& message) -> Task {
                recorder(message);
                co_await yield();
            };
            Watcher watcher = db.watch("b", all(), callback, slow_watch(policy, From::revision(1)));
            const Run run = co_await start(watcher);
            co_await watcher.drain();
            const WatchEnd end = co_await run.end();
            BOOST_TEST(end.reason == EndReason::drained);
            BOOST_TEST(end.position.revision == head);
            BOOST_TEST(recorder.size() == 51U);
            co_await db.close();
        });
    }
}

// While a watch is drained, others commit: it does not overflow with commits that it will not
// receive.
BOOST_AUTO_TEST_CASE(continuing_commits_neither_prolong_draining_nor_cause_overflow)
{
    for (const Overflow policy : policies) {
        run([&]() -> Task {
            Database db = co_await open_with("b");
            const HeldWatch held = co_await hold(db, in("b", all()), slow_watch(policy));
            const Revision head = co_await put_many(db, "b", 1);
            co_await routed(db);
            const Job draining = co_await spawn(held.watcher.drain());
            co_await yield();
            bool enough = false;
            const Job writing = co_await spawn(write_on(db, enough));
            co_await until([&] { return db.head_revision() > head + 50; });
            held.held.gate.open();
            co_await draining.join();
            enough = true;
            co_await writing.join();
            const WatchEnd end = co_await held.run.end();
            BOOST_TEST(end.reason == EndReason::drained);
            BOOST_TEST(end.position.revision >= head);
            co_await db.close();
        });
    }
}

BOOST_AUTO_TEST_CASE(the_rest_of_a_snapshot_is_delivered_first)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Revision head = co_await put_many(db, "b", 20);
        const Held held;
        Watcher watcher =
            db.watch("b", prefix("k"), held, slow_watch(Overflow::catch_up, From::snapshot()));
        const Run run = co_await start(watcher);
        co_await until([&] { return held.gate.reached() == 1; });
        watcher.request_drain();
        held.gate.open();
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::drained);
        BOOST_TEST(end.position.revision == head);
        BOOST_TEST(held.recorder.size() == 21U);
        BOOST_TEST(held.recorder.messages().back()->operation == Operation::synced);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_watch_without_anything_to_deliver_ends)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher idle = db.watch("b", key("none"), recorder);
        Watcher ahead = db.watch("b", all(), recorder, watch_from(From::revision(100)));
        const Run idle_run = co_await start(idle);
        const Run ahead_run = co_await start(ahead);
        const Revision head = co_await put_many(db, "b", 3);
        co_await idle.drain();
        co_await ahead.drain();
        const WatchEnd idle_end = co_await idle_run.end();
        const WatchEnd ahead_end = co_await ahead_run.end();
        BOOST_TEST(idle_end.reason == EndReason::drained);
        BOOST_TEST(idle_end.position.revision >= head);
        BOOST_TEST(ahead_end.reason == EndReason::drained);
        BOOST_TEST(ahead_end.position.revision == 99U);
        BOOST_TEST(recorder.size() == 0U);
        co_await db.close();
    });
}

// If the watch ends in another way before it is drained, then `drain()` throws.
BOOST_AUTO_TEST_CASE(drain_fails_if_the_watch_ends_in_another_way)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        for (const bool cancel : {false, true}) {
            const HeldWatch held = co_await hold(db, in("b", all()), roomy(Overflow::catch_up));
            co_await put_many(db, "b", 5);
            const Job draining = co_await spawn(held.watcher.drain());
            co_await yield();
            if (cancel) {
                held.run.cancel();
            } else {
                held.watcher.request_stop();
                held.held.gate.open();
            }
            BOOST_TEST(co_await failure_of(draining.join()) == code(Error::watch_ended));
            const WatchEnd end = co_await held.run.end();
            BOOST_TEST(end.reason == (cancel ? EndReason::cancelled : EndReason::stopped));
            BOOST_TEST(co_await failure_of(held.watcher.drain()) == code(Error::watch_ended));
        }
        Watcher failing =
            db.watch("b", all(), [](const Message&) { throw std::runtime_error("callback"); });
        const Run run = co_await start(failing);
        co_await put(db, "b", "k", "1");
        BOOST_CHECK_THROW(co_await failing.drain(), std::runtime_error);
        BOOST_CHECK_THROW(co_await run.end(), std::runtime_error);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(closing_and_the_end_of_the_bucket_complete_a_drain)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const HeldWatch first = co_await hold(db, in("b", all()), roomy(Overflow::catch_up));
        co_await put_many(db, "b", 5);
        const Job draining = co_await spawn(first.watcher.drain());
        const Job closing = co_await spawn(db.close());
        co_await yield();
        first.held.gate.open();
        co_await draining.join();
        co_await closing.join();
        const WatchEnd end = co_await first.run.end();
        BOOST_TEST(end.reason == EndReason::drained);
        BOOST_TEST(first.held.recorder.size() == 6U);
    });
    run([]() -> Task {
        Database db = co_await open_with("b");
        const HeldWatch held = co_await hold(db, in("b", all()), roomy(Overflow::catch_up));
        co_await drop(db, "b");
        const Job draining = co_await spawn(held.watcher.drain());
        co_await yield();
        held.held.gate.open();
        co_await draining.join();
        const WatchEnd end = co_await held.run.end();
        BOOST_TEST(end.reason == EndReason::bucket_deleted);
        co_await db.close();
    });
}

// Trap 9
BOOST_AUTO_TEST_CASE(a_callback_may_drain_its_own_watch)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::optional<Watcher> watcher;
        const Recorder recorder;
        const auto callback = [&](const Message& message) -> Task {
            recorder(message);
            co_await watcher->drain();
        };
        watcher = db.watch("b", all(), callback, watch_from(From::revision(1)));
        const Revision head = co_await put_many(db, "b", 5);
        const Run run = co_await start(*watcher);
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::drained);
        BOOST_TEST(end.position.revision == head);
        BOOST_TEST(recorder.size() == 6U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_watch_that_is_not_running_yet_is_drained_when_it_runs)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Watcher never_run = db.watch("b", all(), recorder);
        co_await put_many(db, "b", 3);
        const Job draining = co_await spawn(watcher.drain());
        const Job waiting = co_await spawn(never_run.drain());
        co_await yield();
        const Revision head = db.head_revision();
        co_await put_many(db, "b", 1);
        BOOST_TEST(!draining.done());
        const Run run(co_await asio::this_coro::executor, watcher);
        co_await draining.join();
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::drained);
        BOOST_TEST(end.position.revision >= head);
        BOOST_TEST(recorder.size() >= 3U);
        co_await db.close();
        BOOST_TEST(co_await failure_of(waiting.join()) == code(Error::closed));
    });
}

BOOST_AUTO_TEST_CASE(a_wait_for_it_that_is_cancelled_leaves_the_watch_being_drained)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const HeldWatch held = co_await hold(db, in("b", all()), roomy(Overflow::catch_up));
        co_await put_many(db, "b", 5);
        const Job draining = co_await spawn(held.watcher.drain());
        co_await yield();
        draining.cancel();
        BOOST_TEST(co_await failure_of(draining.join()) == asio::error::operation_aborted);
        held.held.gate.open();
        const WatchEnd end = co_await held.run.end();
        BOOST_TEST(end.reason == EndReason::drained);
        BOOST_TEST(held.held.recorder.size() == 6U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_ends_when_its_consumer_has_taken_everything)
{
    for (const Overflow policy : policies) {
        run([&]() -> Task {
            Database db = co_await open_with("b");
            const PullWatcher watcher = db.watch("b", all(), roomy(policy, From::revision(1)));
            const Recorder recorder;
            const Job consuming = co_await spawn(consume(watcher, recorder));
            co_await watcher.wait_ready(patience);
            const Revision head = co_await put_many(db, "b", 20);
            co_await watcher.drain();
            co_await consuming.join();
            BOOST_TEST(watcher.ended()->reason == EndReason::drained);
            BOOST_TEST(watcher.position().revision == head);
            BOOST_TEST(recorder.size() == 21U);
            co_await db.close();
        });
    }
}

BOOST_AUTO_TEST_CASE(a_consumer_that_waits_for_something_else_does_not_delay_draining)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        PullWatcher watcher = db.watch("b", all(), watch_from(From::revision(1)));
        BOOST_TEST(co_await watcher.wait());
        const auto commit = watcher.try_next();
        co_await watcher.drain();
        BOOST_TEST(watcher.ended()->reason == EndReason::drained);
        BOOST_TEST(watcher.position().revision == 0U);  // the consumer still holds the commit
        BOOST_TEST(!watcher.try_next());
        BOOST_TEST(watcher.position().revision == 1U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_consumer_may_have_its_own_watch_drained)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 5);
        PullWatcher watcher =
            db.watch("b", all(), slow_watch(Overflow::catch_up, From::revision(1)));
        BOOST_TEST(co_await watcher.wait());
        watcher.request_drain();
        const Recorder recorder;
        co_await consume(watcher, recorder);
        BOOST_TEST(watcher.ended()->reason == EndReason::drained);
        BOOST_TEST(recorder.size() == 6U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
