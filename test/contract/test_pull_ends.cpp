// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

WatchOptions from_start()
{
    return watch_from(From::revision(1));
}

Task wait_once(PullWatcher& watcher)
{
    co_await watcher.wait();
}

/// Consumes everything up to the end of the watch, which it returns.
asio::awaitable<WatchEnd> consume(PullWatcher watcher, Recorder recorder)
{
    while (co_await watcher.wait()) {
        while (const auto commit = watcher.try_next()) {
            for (const Message& each : *commit) {
                recorder(each);
            }
            co_await yield();
        }
    }
    co_return watcher.ended().value();
}

/// Runs `consume` concurrently with the test.
struct Consumer {
    explicit Consumer(const asio::any_io_executor& executor, PullWatcher watcher)
        : job(executor, run(std::move(watcher), recorder, end))
    {
    }
    static Task run(PullWatcher watcher, Recorder recorder,
                    std::shared_ptr<std::optional<WatchEnd>> end)
    {
        *end = co_await consume(std::move(watcher), std::move(recorder));
    }

    Recorder recorder;
    std::shared_ptr<std::optional<WatchEnd>> end = std::make_shared<std::optional<WatchEnd>>();
    Job job;
};

}  // namespace

// The ends of a `PullWatcher`.
BOOST_FIXTURE_TEST_SUITE(test_pull_ends, EventLoop)

// W11: stop() completes a consumer's wait, and delivers nothing more to a consumer that does not
// wait.
BOOST_AUTO_TEST_CASE(stop_ends_a_waiting_consumer)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const PullWatcher watcher = db.watch("b", all());
        const Consumer consumer(co_await asio::this_coro::executor, watcher);
        co_await watcher.wait_ready(patience);
        co_await put_many(db, "b", 3);
        co_await watcher.reached(db.head_revision());
        co_await watcher.stop();
        co_await consumer.job.join();
        BOOST_TEST(consumer.end->value().reason == EndReason::stopped);
        BOOST_TEST(consumer.end->value().position == db.head_position());
        BOOST_TEST(consumer.recorder.size() == 3U);
        BOOST_TEST(co_await failure_of(watcher.reached(100)) == code(Error::watch_ended));
        co_await watcher.stop();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_watch_that_was_stopped_before_its_first_wait_delivers_nothing)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        PullWatcher watcher = db.watch("b", all(), from_start());
        BOOST_TEST(!watcher.try_next());  // the watch has not begun
        co_await watcher.stop();
        BOOST_TEST(!co_await watcher.wait());
        BOOST_TEST(watcher.ended()->reason == EndReason::stopped);
        BOOST_TEST(watcher.ended()->position.revision == 0U);
        co_await db.close();
    });
}

// W13: consumers that wait, catch up or are busy receive everything.
BOOST_AUTO_TEST_CASE(close_drains_consumers)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 50);
        const auto executor = co_await asio::this_coro::executor;
        WatchOptions small = from_start();
        small.buffer_messages = 3;
        const PullWatcher live = db.watch("b", all());
        const Consumer first(executor, live);
        const Consumer second(executor, db.watch("b", all(), small));
        const Consumer third(executor, db.watch("nothing", all()));
        co_await live.wait_ready(patience);
        co_await put_many(db, "b", 50, 50);
        const Position head = db.head_position();
        co_await db.close();
        for (const Consumer* each : {&first, &second, &third}) {
            co_await each->job.join();
            BOOST_TEST(each->end->value().reason == EndReason::database_closed);
            BOOST_TEST(each->end->value().position == head);
        }
        BOOST_TEST(first.recorder.size() == 50U);
        BOOST_TEST(second.recorder.size() == 101U);
        BOOST_TEST(third.recorder.size() == 0U);
    });
}

// W13: the consumer may be waiting for something else, such as this close().
BOOST_AUTO_TEST_CASE(a_consumer_that_has_taken_everything_does_not_delay_close)
{
    for (const bool from_history : {false, true}) {
        run([&]() -> Task {
            Database db = co_await open_with("b");
            PullWatcher watcher =
                db.watch("b", all(), from_history ? from_start() : WatchOptions());
            if (!from_history) {
                const Job waiting = co_await spawn(wait_once(watcher));
                co_await watcher.wait_ready(patience);
                co_await put(db, "b", "k", "1");
                co_await waiting.join();
            }
            const Revision head = db.head_revision();
            BOOST_TEST(co_await watcher.wait());
            const auto commit = watcher.try_next();
            BOOST_TEST(commit->revision() == head);
            co_await db.close(10 * patience);  // longer than any test may take
            BOOST_TEST(watcher.ended()->reason == EndReason::database_closed);
            // The consumer still holds the last commit.
            BOOST_TEST(watcher.position().revision == head - 1);
            BOOST_TEST(!co_await watcher.wait());
            BOOST_TEST(watcher.ended()->position == db.head_position());
        });
    }
}

// W13: close() knows whether there is more after the commit that the consumer holds.
BOOST_AUTO_TEST_CASE(close_waits_for_a_consumer_that_has_taken_only_its_batch)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 10);
        WatchOptions small = from_start();
        small.buffer_messages = 3;
        PullWatcher watcher = db.watch("b", all(), small);
        const Recorder recorder;
        BOOST_TEST(co_await watcher.wait());
        recorder((*watcher.try_next())[0]);
        const Job closing = co_await spawn(db.close());
        while (co_await watcher.wait()) {
            const auto commit = watcher.try_next();
            BOOST_TEST(!closing.done());
            recorder((*commit)[0]);
            for (int turn = 0; turn < 20; ++turn) {
                co_await yield();
            }
        }
        co_await closing.join();
        BOOST_TEST(watcher.ended()->reason == EndReason::database_closed);
        BOOST_TEST(watcher.ended()->position == db.head_position());
        BOOST_TEST(recorder.size() == 11U);
    });
}

// W12 W13: no callback runs, so close() has no reason to fail.
BOOST_AUTO_TEST_CASE(a_consumer_that_does_not_ask_again_is_abandoned_at_the_deadline)
{
    const TemporaryDirectory directory;
    Position position;
    run([&]() -> Task {
        Database db = co_await open_with(watched_options(directory / "db"), "b");
        co_await put_many(db, "b", 10);
        PullWatcher watcher = db.watch("b", all(), from_start());
        BOOST_TEST(co_await watcher.wait());
        BOOST_TEST(watcher.try_next()->revision() == 1U);
        BOOST_TEST(watcher.try_next()->revision() == 2U);
        co_await db.close(20ms);
        BOOST_TEST(watcher.ended()->reason == EndReason::database_closed);
        position = watcher.position();
        BOOST_TEST(position.revision == 1U);
        BOOST_TEST(!co_await watcher.wait());
    });
    run([&]() -> Task {
        Database db = co_await open_database(watched_options(directory / "db"));
        BOOST_TEST((co_await history_of(db, "b", all(), From::after(position))).size() == 10U);
        co_await db.close();
    });
}

// W11: the message comes first, then the end: live, from history, and after a full inbox.
BOOST_AUTO_TEST_CASE(the_deletion_of_the_bucket_is_delivered_before_the_end)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto executor = co_await asio::this_coro::executor;
        WatchOptions small;
        small.buffer_messages = 1;
        const PullWatcher live = db.watch("b", all());
        const PullWatcher behind = db.watch("b", all(), small);
        const PullWatcher late = db.watch("b", all(), from_start());
        const Consumer first(executor, live);
        const Consumer second(executor, behind);
        co_await live.wait_ready(patience);
        co_await behind.wait_ready(patience);
        co_await put_many(db, "b", 5);
        const Revision end = co_await drop(db, "b");
        co_await create(db, "b");  // a new bucket, which the old watchers must not see
        co_await put(db, "b", "k", "new");
        const Consumer third(executor, late);
        for (const Consumer* each : {&first, &second, &third}) {
            co_await each->job.join();
            BOOST_TEST(each->end->value().reason == EndReason::bucket_deleted);
            BOOST_TEST(each->end->value().position.revision == end);
            BOOST_TEST(each->recorder.lines().back() == std::to_string(end) + ".0 bucket_deleted");
        }
        BOOST_TEST(first.recorder.size() == 6U);
        BOOST_TEST(second.recorder.size() == 6U);
        BOOST_TEST(third.recorder.size() == 7U);
        co_await db.close();
    });
}

// Cancelling a wait() neither ends the watch nor loses a commit.
BOOST_AUTO_TEST_CASE(cancelled_waits_lose_nothing)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        PullWatcher watcher = db.watch("b", all());
        for (int turns = 0; turns < 12; ++turns) {
            const Job waiting = co_await spawn(wait_once(watcher));
            co_await put(db, "b", "k", std::to_string(turns));
            for (int i = 0; i < turns; ++i) {
                co_await yield();
            }
            const bool partial = turns % 2 == 0;
            waiting.cancel(partial ? asio::cancellation_type::partial
                                   : asio::cancellation_type::terminal);
            const auto error = co_await failure_of(waiting.join());
            BOOST_TEST((!error || error == asio::error::operation_aborted));
        }
        const Job last = co_await spawn(wait_once(watcher));
        co_await last.join();
        const Recorder recorder;
        while (recorder.size() < 12) {
            BOOST_TEST(co_await watcher.wait());
            while (const auto commit = watcher.try_next()) {
                recorder((*commit)[0]);
            }
        }
        BOOST_TEST(recorder.revisions().front() == 2U);
        BOOST_TEST(recorder.revisions().back() == 13U);
        BOOST_TEST(!watcher.ended());
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(several_watchers_are_pulled_by_one_consumer)
{
    run([]() -> Task {
        using namespace asio::experimental::awaitable_operators;
        Database db = co_await open_with("b");
        co_await create(db, "c");
        PullWatcher first = db.watch("b", all());
        PullWatcher second = db.watch("c", all());
        std::vector<Revision> seen;
        const auto write = [](Database database) -> Task {
            for (int i = 0; i < 50; ++i) {
                co_await put(database, i % 3 == 0 ? "c" : "b", "k", std::to_string(i));
            }
        };
        const Job writing = co_await spawn(write(db));
        while (seen.size() < 50) {
            co_await (first.wait() || second.wait());
            for (PullWatcher* each : {&first, &second}) {
                while (const auto commit = each->try_next()) {
                    seen.push_back(commit->revision());
                }
            }
        }
        co_await writing.join();
        std::sort(seen.begin(), seen.end());
        for (std::size_t i = 0; i < seen.size(); ++i) {
            BOOST_TEST(seen[i] == 3 + i);
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(there_is_one_consumer)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        PullWatcher watcher = db.watch("b", all());
        const Job waiting = co_await spawn(wait_once(watcher));
        co_await watcher.wait_ready(patience);
        BOOST_TEST(co_await failure_of(wait_once(watcher)) == code(Error::already_running));
        co_await put(db, "b", "k", "1");
        co_await waiting.join();
        BOOST_TEST(co_await watcher.wait());
        BOOST_TEST(watcher.try_next()->revision() == 2U);
        co_await db.close(0ms);
    });
}

BOOST_AUTO_TEST_CASE(mistakes_are_refused_as_those_of_a_watch_with_a_callback)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        WatchOptions no_room;
        no_room.buffer_messages = 0;
        BOOST_TEST(failure_of([&] { db.watch("b", all(), no_room); }) ==
                   code(Error::invalid_option));
        BOOST_TEST(failure_of([&] { db.watch("", all()); }) == code(Error::invalid_name));
        BOOST_TEST(failure_of([&] { db.watch("b", key("")); }) == code(Error::empty_key));
        WatchOptions named;
        named.name = "a name";
        PullWatcher watcher = db.watch("b", all(), named);
        BOOST_TEST(watcher.name() == "a name");
        BOOST_TEST(watcher.id() == 1U);
        co_await db.close();
        BOOST_TEST(co_await failure_of(wait_once(watcher)) == code(Error::closed));
        BOOST_TEST(co_await failure_of(wait_once(watcher)) == code(Error::closed));
        BOOST_TEST(!watcher.try_next());
        BOOST_TEST(!watcher.ended());
        BOOST_TEST(failure_of([&] { db.watch("b", all()); }) == code(Error::closed));
    });
}

// W11: nothing could take commits from it any longer.
BOOST_AUTO_TEST_CASE(the_last_handle_ends_the_watch)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        for (const bool busy : {false, true}) {
            std::optional<PullWatcher> watcher = db.watch("b", all(), from_start());
            BOOST_TEST(co_await watcher->wait());
            while (watcher->try_next() && !busy) {
            }
            std::optional<PullWatcher> copy = watcher;
            watcher.reset();
            co_await put(db, "b", "k", "1");
            BOOST_TEST(db.stats().watchers.running == 1U);
            BOOST_TEST(co_await copy->wait());
            copy.reset();
            co_await until([&] { return db.stats().watchers.running == 0; });
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(an_assigned_handle_ends_its_old_watch_and_continues_with_the_other)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        PullWatcher watcher = db.watch("b", all(), from_start());
        PullWatcher other = db.watch("b", all(), from_start());
        for (PullWatcher* each : {&watcher, &other}) {
            const bool there = co_await each->wait();
            BOOST_TEST(there);
        }
        const auto running = [&] { return db.stats().watchers.running; };
        BOOST_TEST(running() == 2U);
        const std::uint64_t id = other.id();
        watcher = std::move(other);
        BOOST_TEST(watcher.id() == id);
        co_await until([&] { return running() == 1; });
        const auto commit = watcher.try_next();
        BOOST_TEST_REQUIRE(commit.has_value());
        BOOST_TEST(commit->revision() == 1U);
        BOOST_TEST(!watcher.try_next());
        co_await db.close();
        const bool more = co_await watcher.wait();
        BOOST_TEST(!more);
        BOOST_TEST(watcher.ended()->reason == EndReason::database_closed);
    });
}

BOOST_AUTO_TEST_SUITE_END()
