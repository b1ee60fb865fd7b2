// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;

struct OwnFailure {
    int number;
};

/// Makes three commits of three messages each: revisions 2, 3 and 4.
Task put_nine(Database db)
{
    for (const char* value : {"1", "2", "3"}) {
        co_await db.update([&](Transaction& tx) {
            for (const char* key : {"a", "b", "c"}) {
                tx.btree("b").put(key, value);
            }
        });
    }
}

/// Runs a watcher of these nine messages, all committed before, to its end. It reads them from
/// history, or is live with all of them in the inbox at once.
asio::awaitable<WatchEnd> end_of(Database db, WatchCallback callback)
{
    Watcher watcher = db.watch("b", all(), callback, watch_from(From::revision(2)));
    const Run run = co_await start(watcher);
    co_return co_await run.end();
}

}  // namespace

// The ends of a watch, and what it reports (W8).
BOOST_FIXTURE_TEST_SUITE(test_ends, EventLoop)

// W11
BOOST_AUTO_TEST_CASE(stop_ends_with_stopped)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        const Revision revision = co_await put(db, "b", "k", "1");
        co_await watcher.reached(revision);
        co_await watcher.stop();
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::stopped);
        BOOST_TEST(end.position == db.head_position());
        BOOST_TEST(watcher.position() == end.position);
        co_await watcher.stop();  // no effect the second time
        co_await db.close();
    });
}

// W11
BOOST_AUTO_TEST_CASE(a_stop_before_run_ends_it_before_the_first_callback)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, watch_from(From::revision(1)));
        co_await watcher.stop();
        const WatchEnd end = co_await watcher.run();
        BOOST_TEST(end.reason == EndReason::stopped);
        BOOST_TEST(end.position.revision == 0U);
        BOOST_TEST(recorder.size() == 0U);
        co_await db.close();
    });
}

// W2 W11: at whichever message a callback stops, the position is the last commit before it that was
// delivered whole, or its own commit if it was the last message. A resume continues exactly there.
BOOST_AUTO_TEST_CASE(flow_stop_ends_at_the_last_whole_commit)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_nine(db);
        for (int stop_at = 1; stop_at <= 9; ++stop_at) {
            int calls = 0;
            const auto plain = [&](const Message&) {
                return ++calls == stop_at ? Flow::stop : Flow::go_on;
            };
            const auto coroutine = [&](const Message&) -> asio::awaitable<Flow> {
                co_await yield();
                co_return ++calls == stop_at ? Flow::stop : Flow::go_on;
            };
            for (const bool suspends : {false, true}) {
                calls = 0;
                const WatchCallback callback =
                    suspends ? WatchCallback(coroutine) : WatchCallback(plain);
                const WatchEnd end = co_await end_of(db, callback);
                BOOST_TEST(end.reason == EndReason::stopped);
                BOOST_TEST(calls == stop_at);
                const auto whole = static_cast<Revision>(1 + stop_at / 3);
                BOOST_TEST(end.position.revision == whole);
            }
        }
        co_await db.close();
    });
}

// W2 W11, trap 2: the same for a live watcher with several commits in its inbox.
BOOST_AUTO_TEST_CASE(a_live_watcher_that_stops_has_not_passed_its_queued_commits)
{
    run([]() -> Task {
        for (int stop_at = 1; stop_at <= 9; ++stop_at) {
            Database db = co_await open_with("b");
            const Gate gate;
            int calls = 0;
            std::optional<Watcher> self;
            const auto callback = [&](const Message&) -> Task {
                co_await gate.pass();
                if (calls++ == stop_at) {
                    self->request_stop();
                }
            };
            self = db.watch("b", all(), callback);
            const Run run = co_await start(*self);
            // Holds the callback, so that the following commits are queued.
            co_await put(db, "b", "first", "");
            co_await until([&] { return gate.reached() == 1; });
            for (const char* value : {"1", "2", "3"}) {
                co_await db.update([&](Transaction& tx) {
                    for (const char* key : {"a", "b", "c"}) {
                        tx.btree("b").put(key, value);
                    }
                });
            }
            gate.open();
            const WatchEnd end = co_await run.end();
            BOOST_TEST(end.reason == EndReason::stopped);
            const auto whole = static_cast<Revision>(2 + stop_at / 3);
            BOOST_TEST(end.position.revision == whole);
            const Strings rest = co_await history_of(db, "b", all(), From::after(end.position));
            BOOST_TEST(rest.size() == 9U - static_cast<std::size_t>(stop_at / 3) * 3);
            co_await db.close();
        }
    });
}

// W11
BOOST_AUTO_TEST_CASE(cancellation_ends_with_cancelled)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        const Revision revision = co_await put(db, "b", "k", "1");
        co_await watcher.reached(revision);
        run.cancel();
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::cancelled);
        BOOST_TEST(end.position == db.head_position());
        co_await db.close();
    });
}

// W11 W2: the callback's exception is rethrown unchanged; the position is before that commit.
BOOST_AUTO_TEST_CASE(the_exception_of_a_callback_is_rethrown_unchanged)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_nine(db);
        int calls = 0;
        const auto plain = [&](const Message&) {
            if (++calls == 5) {
                throw OwnFailure{calls};
            }
        };
        const auto coroutine = [&](const Message&) -> Task {
            co_await yield();
            plain(Message{});
        };
        for (const bool suspends : {false, true}) {
            calls = 0;
            const WatchCallback callback =
                suspends ? WatchCallback(coroutine) : WatchCallback(plain);
            Watcher watcher = db.watch("b", all(), callback, watch_from(From::revision(2)));
            int caught = 0;
            try {
                co_await watcher.run();
            } catch (const OwnFailure& failure) {
                caught = failure.number;
            }
            BOOST_TEST(caught == 5);
            BOOST_TEST(watcher.position().revision == 2U);
            int waiting = 0;
            try {
                co_await watcher.reached(4);
            } catch (const OwnFailure& failure) {
                waiting = failure.number;
            }
            BOOST_TEST(waiting == 5);
        }
        co_await db.close();
    });
}

// W11
BOOST_AUTO_TEST_CASE(a_deleted_bucket_ends_its_watchers_live_and_catching_up)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder live;
        Watcher live_watcher = db.watch("b", all(), live);
        Watcher late_watcher = db.watch("b", all(), Recorder());
        const Run live_run = co_await start(live_watcher);
        co_await put(db, "b", "k", "1");
        const Revision deleted = co_await drop(db, "b");
        co_await create(db, "b");
        co_await put(db, "b", "k", "of the new bucket");
        const WatchEnd live_end = co_await live_run.end();
        BOOST_TEST(live_end.reason == EndReason::bucket_deleted);
        BOOST_TEST(live_end.position.revision == deleted);
        BOOST_TEST(live.messages().back()->ends_bucket);
        BOOST_TEST(live.messages().back()->last_in_commit);
        BOOST_TEST(live.size() == 2U);
        const WatchEnd late_end = co_await late_watcher.run();
        BOOST_TEST(late_end.reason == EndReason::bucket_deleted);
        BOOST_TEST(late_end.position.revision == deleted);
        // After the deletion, a watch follows the new bucket.
        const Strings rest = co_await history_of(db, "b", all(), From::after(late_end.position));
        BOOST_TEST(rest.size() == 2U);
        co_await db.close();
    });
}

// W11: the transaction also creates the bucket again. The watch receives the end and nothing after
// it.
BOOST_AUTO_TEST_CASE(a_bucket_replaced_within_a_transaction_ends_its_watchers)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder live;
        Watcher live_watcher = db.watch("b", key("k"), live);
        Watcher late_watcher = db.watch("b", all(), Recorder(live));
        const Run live_run = co_await start(live_watcher);
        co_await db.update([](Transaction& tx) {
            tx.btree("b").put("k", "old");
            tx.delete_bucket(Structure::btree, "b");
            tx.create_bucket(Structure::btree, "b");
            tx.btree("b").put("k", "new");
        });
        const WatchEnd end = co_await live_run.end();
        BOOST_TEST(end.reason == EndReason::bucket_deleted);
        const WatchEnd late_end = co_await late_watcher.run();
        BOOST_TEST(late_end.reason == EndReason::bucket_deleted);
        const Strings expected{"2.0 put k=old", "2.1 bucket_deleted", "2.0 put k=old",
                               "2.1 bucket_deleted"};
        BOOST_TEST(live.lines() == expected);
        co_await db.close();
    });
}

// W11: if the name has another structure left, then the deletion is a message and not an end.
BOOST_AUTO_TEST_CASE(only_the_last_structure_of_a_name_ends_a_watch)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "b", Structure::set);
        const Recorder recorder;
        Watcher watcher = db.watch("b", key("k"), recorder);
        const Run run = co_await start(watcher);
        const Revision first = co_await drop(db, "b");
        co_await watcher.reached(first);
        BOOST_TEST(!run.done());
        co_await create(db, "b");
        co_await put(db, "b", "k", "1");
        co_await drop(db, "b", Structure::set);
        co_await drop(db, "b");
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::bucket_deleted);
        const Strings expected{"3.0 bucket_deleted", "5.0 put k=1", "6.0 bucket_deleted",
                               "7.0 bucket_deleted"};
        BOOST_TEST(recorder.lines() == expected);
        co_await db.close();
    });
}

// W11, traps 5 and 7: if history is trimmed under a watcher that lags, the result is `compacted`,
// never a skipped commit.
BOOST_AUTO_TEST_CASE(a_watcher_overtaken_by_trimming_ends_with_compacted)
{
    run([]() -> Task {
        Options options = watched_options();
        options.history.commits = 5;
        Database db = co_await open_with(options, "b");
        const Gate gate;
        std::vector<Revision> delivered;
        const auto callback = [&](const Message& message) -> Task {
            const Revision revision = message.revision;
            co_await gate.pass();
            delivered.push_back(revision);
        };
        WatchOptions watch_options;
        watch_options.buffer_messages = 2;
        watch_options.callback_timeout = 10 * patience;
        Watcher watcher = db.watch("b", all(), callback, watch_options);
        const Run run = co_await start(watcher);
        co_await put_many(db, "b", 40);
        co_await until([&] { return db.oldest_revision() > 30; });
        gate.open();
        std::optional<Compacted> compacted;
        try {
            co_await run.end();
        } catch (const Compacted& error) {
            compacted = error;
        }
        BOOST_REQUIRE(compacted.has_value());
        BOOST_TEST(compacted->code() == code(Error::compacted));
        BOOST_TEST(compacted->requested() == watcher.position().revision + 1);
        BOOST_TEST(compacted->oldest() > compacted->requested());
        BOOST_REQUIRE(!delivered.empty());
        BOOST_TEST(delivered.back() == watcher.position().revision);
        for (std::size_t i = 0; i < delivered.size(); ++i) {
            BOOST_TEST(delivered[i] == 2 + i);
        }
        co_await db.close();
    });
}

// W11: callers that wait for a watcher receive `watch_ended` when it ends.
BOOST_AUTO_TEST_CASE(waits_for_a_watcher_fail_when_it_ends)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Watcher watcher = db.watch("b", all(), Recorder());
        const Run run = co_await start(watcher);
        const Job waiting = co_await spawn(watcher.reached(1000));
        co_await yield();
        co_await watcher.stop();
        BOOST_TEST(co_await failure_of(waiting.join()) == code(Error::watch_ended));
        BOOST_TEST(co_await failure_of(watcher.reached(1001)) == code(Error::watch_ended));
        BOOST_TEST(co_await failure_of(watcher.wait_ready(patience)) == code(Error::watch_ended));
        BOOST_TEST(!(co_await failure_of(watcher.reached(1))));
        co_await db.close();
    });
}

// Ends are delivered in slices. A close before the last slice does not change the reason.
BOOST_AUTO_TEST_CASE(watches_end_with_their_bucket_even_if_the_database_closes_at_once)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::vector<Run> runs;
        for (int i = 0; i < 1'000; ++i) {
            runs.push_back(co_await start(db.watch("b", all(), [](const Message&) {})));
        }
        const Revision last = co_await drop(db, "b");
        co_await db.close();
        for (const Run& each : runs) {
            const WatchEnd end = co_await each.end();
            BOOST_TEST(end.reason == EndReason::bucket_deleted);
            BOOST_TEST(end.position.revision == last);
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
