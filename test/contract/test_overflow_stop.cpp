// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/held_watch.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;

Position at(const Database& db, Revision revision)
{
    return {db.head_position().history, revision};
}

WatchOptions stopping(From from = From::now())
{
    return slow_watch(Overflow::stop, from);
}

/// Options of a watch that is held while it reads history after its join. It reads k0 to k2; k3 to
/// k12 follow.
WatchOptions near_start()
{
    WatchOptions options = stopping(From::revision(2));
    options.buffer_messages = 4;  // so that it joins at once
    return options;
}

/// Commits more messages than fit, for a watch with `near_start`: 10 when it has joined, and 20
/// when it reads those.
Task run_away_from(Database db, const Message& message)
{
    const bool joined = message.key == "k0";
    if (joined || message.key == "k3") {
        co_await put_many(db, "b", joined ? 10 : 20, joined ? 3 : 13);
        co_await routed(db);
    }
}

}  // namespace

// `Overflow::stop`: a watch that falls behind ends with `Error::overflow`.
BOOST_FIXTURE_TEST_SUITE(test_overflow_stop, EventLoop)

// W11 W3: the position tells what was delivered. The rest can be read from history, and other
// watches received it.
BOOST_AUTO_TEST_CASE(a_full_inbox_ends_the_watch_where_it_was)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder other;
        Watcher other_watcher = db.watch("b", all(), other);
        const Run other_run = co_await start(other_watcher);
        const HeldWatch one = co_await hold(db, in("b", all()), stopping());
        co_await put_many(db, "b", 10);
        co_await other_watcher.reached(db.head_revision());
        co_await routed(db);
        BOOST_TEST(one.watcher.info().overflowed);  // even while its callback still runs
        BOOST_TEST(one.watcher.info().state == WatcherState::catching_up);
        one.held.gate.open();
        BOOST_TEST(co_await one.run.error() == code(Error::overflow));
        BOOST_TEST(one.held.recorder.revisions() == std::vector<Revision>{2});
        BOOST_TEST(one.watcher.position() == at(db, 2));
        BOOST_TEST(one.watcher.info().fell_behind == 1U);
        BOOST_TEST(!one.watcher.info().error.empty());
        BOOST_TEST(!one.watcher.info().overflowed);
        BOOST_TEST(co_await failure_of(one.watcher.reached(12)) == code(Error::overflow));
        BOOST_TEST(other.size() == 11U);
        const Strings rest =
            co_await history_of(db, "b", all(), From::after(one.watcher.position()));
        BOOST_TEST(rest.size() == 10U);
        BOOST_TEST(rest.front() == "3.0 put k0=0");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(commits_that_fit_are_delivered_and_the_watch_continues)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const HeldWatch one = co_await hold(db, in("b", all()), stopping());
        co_await put_many(db, "b", 2);
        co_await routed(db);
        BOOST_TEST(!one.watcher.info().overflowed);
        co_await one.release(db);
        // One commit may be larger than the inbox if the inbox is empty.
        co_await db.update([](Transaction& tx) {
            for (int i = 0; i < 5; ++i) {
                tx.btree("b").put("many", std::to_string(i));
            }
        });
        co_await db.close();
        BOOST_TEST((co_await one.run.end()).reason == EndReason::database_closed);
        BOOST_TEST(one.held.recorder.size() == 8U);
    });
}

BOOST_AUTO_TEST_CASE(commits_that_do_not_match_do_not_end_the_watch)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const HeldWatch one = co_await hold(db, in("b", key("held")), stopping());
        co_await put_many(db, "b", 10);
        co_await one.release(db);
        co_await db.close();
        BOOST_TEST((co_await one.run.end()).reason == EndReason::database_closed);
    });
}

// A watch that has not caught up yet lags because of earlier commits, which is not its fault.
BOOST_AUTO_TEST_CASE(a_watch_that_has_not_caught_up_is_not_ended)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 3);
        const Held held;
        Watcher watcher = db.watch("b", all(), held, near_start());
        const Run run = co_await start(watcher);
        co_await until([&] { return held.gate.reached() == 1; });
        co_await put_many(db, "b", 10, 3);
        co_await routed(db);
        BOOST_TEST(!watcher.info().overflowed);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(held.recorder.size() == 13U);
        BOOST_TEST(watcher.info().fell_behind == 1U);
        co_await db.close();
        co_await run.end();
    });
}

// A watch that begins at the present has caught up: a commit between watch() and run() does not
// change that.
BOOST_AUTO_TEST_CASE(a_watch_that_began_at_the_present_is_ended_before_it_has_caught_up)
{
    run([]() -> Task {
        for (const bool by_commit : {false, true}) {
            for (const int late : {1, 2, 5}) {
                Database db = co_await open_with("b");
                const Held held;
                const auto whole = [held](const Commit& commit) -> Task {
                    const Message first = commit[0];
                    co_await held(first);
                };
                const WatchCallback callback =
                    by_commit ? WatchCallback(whole) : WatchCallback(held);
                Watcher watcher = db.watch("b", all(), callback, stopping());
                co_await put_many(db, "b", late);
                const Run run = co_await start(watcher);
                co_await until([&] { return held.gate.reached() == 1; });
                BOOST_TEST(!watcher.info().overflowed);
                co_await put_many(db, "b", 20);
                co_await routed(db);
                BOOST_TEST(watcher.info().overflowed);
                held.gate.open();
                BOOST_TEST(co_await run.error() == code(Error::overflow));
                BOOST_TEST(watcher.position().revision < Revision(late) + 4);
                BOOST_TEST(watcher.position().revision == 1 + held.recorder.size());
                co_await db.close();
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_that_began_at_the_present_is_ended_before_it_caught_up)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        PullWatcher watcher = db.watch("b", all(), stopping());
        co_await put(db, "b", "late", "");
        BOOST_TEST(co_await watcher.wait());
        co_await put_many(db, "b", 20);
        co_await routed(db);
        BOOST_TEST(watcher.info().overflowed);
        const Recorder recorder;
        const auto error = co_await failure_of(take_all(watcher, recorder));
        BOOST_TEST(error == code(Error::overflow));
        BOOST_TEST(recorder.keys() == Strings{"late"});
        BOOST_TEST(watcher.position() == at(db, 2));
        co_await db.close();
    });
}

// Commits that do not match do not fill its inbox.
BOOST_AUTO_TEST_CASE(commits_that_do_not_match_do_not_end_a_watch_from_the_present)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Held held;
        Watcher watcher = db.watch("b", key("late"), held, stopping());
        co_await put(db, "b", "late", "");
        const Run run = co_await start(watcher);
        co_await until([&] { return held.gate.reached() == 1; });
        co_await put_many(db, "b", 20);
        co_await routed(db);
        BOOST_TEST(!watcher.info().overflowed);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(watcher.info().fell_behind == 0U);
        co_await db.close();
        BOOST_TEST((co_await run.end()).reason == EndReason::database_closed);
    });
}

// A watch that begins in the past is not too slow before it has caught up once.
BOOST_AUTO_TEST_CASE(a_watch_that_has_never_caught_up_is_not_too_slow)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 3);
        const Recorder recorder;
        const auto change_more = [&db, recorder](const Message& message) -> Task {
            recorder(message);
            co_await run_away_from(db, message);
        };
        Watcher watcher = db.watch("b", all(), change_more, near_start());
        const Run run = co_await start(watcher);
        co_await until([&] { return recorder.size() == 33U; });
        BOOST_TEST(watcher.info().fell_behind == 1U);
        co_await db.close();
        BOOST_TEST((co_await run.end()).reason == EndReason::database_closed);
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_that_has_never_caught_up_is_not_too_slow)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 3);
        PullWatcher watcher = db.watch("b", all(), near_start());
        std::size_t pulled = 0;
        while (pulled < 33) {
            BOOST_TEST_REQUIRE(co_await watcher.wait());
            while (const auto commit = watcher.try_next()) {
                ++pulled;
                co_await run_away_from(db, (*commit)[0]);
            }
        }
        BOOST_TEST(pulled == 33U);
        BOOST_TEST(watcher.info().fell_behind == 1U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_that_has_not_caught_up_is_not_ended)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 3);
        PullWatcher watcher = db.watch("b", all(), near_start());
        BOOST_TEST(co_await watcher.wait());  // history is handed over
        co_await put_many(db, "b", 10, 3);
        co_await routed(db);
        const Recorder recorder;
        const Job taking = co_await spawn(take_all(watcher, recorder));
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(recorder.size() == 13U);
        BOOST_TEST(watcher.info().fell_behind == 1U);
        co_await db.close();
        co_await taking.join();
    });
}

// W8
BOOST_AUTO_TEST_CASE(a_watch_that_receives_its_snapshot_is_not_ended)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 20);
        WatchOptions options = stopping(From::snapshot());
        options.buffer_messages = 4;
        const Recorder recorder;
        // The changes after the snapshot are so few that it joins, and the changes during them more
        // than its inbox holds.
        const auto change_more = [&db, recorder](const Message& message) -> Task {
            recorder(message);
            const bool synced = message.operation == Operation::synced;
            if (synced || message.key == "k20") {
                co_await put_many(db, "b", synced ? 3 : 10, synced ? 20 : 23);
                co_await routed(db);
            }
        };
        Watcher watcher = db.watch("b", all(), change_more, options);
        const Run run = co_await start(watcher);
        co_await until([&] { return recorder.size() >= 35U; });
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(recorder.size() == 35U);  // including bucket_created and synced
        BOOST_TEST(watcher.info().fell_behind == 1U);
        co_await db.close();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_throws_after_its_batch_was_taken)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const PullWatcher watcher = co_await hold_pulled(db, stopping());
        co_await put_many(db, "b", 10);
        co_await routed(db);
        const Recorder recorder;
        const auto error = co_await failure_of(take_all(watcher, recorder));
        BOOST_TEST(error == code(Error::overflow));
        BOOST_TEST(recorder.keys() == Strings{"held"});
        BOOST_TEST(watcher.position() == at(db, 2));
        BOOST_TEST(!watcher.ended());
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
