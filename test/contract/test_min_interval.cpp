// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/held_watch.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;

/// Options with which a watch pauses after a delivery for longer than any test lasts.
WatchOptions resting(std::chrono::milliseconds interval = 1h)
{
    WatchOptions options;
    options.overflow = Overflow::latest;
    options.min_interval = interval;
    return options;
}

/// Waits until everything routed so far would have been delivered to a watch without an interval.
Task given_time(Database db)
{
    const Recorder recorder;
    Watcher watcher = db.watch("b", all(), recorder);
    const Run run = co_await start(watcher);
    const Revision revision = co_await put(db, "b", "time", "");
    co_await watcher.reached(revision);
    for (int i = 0; i < 20; ++i) {
        co_await yield();
    }
    co_await watcher.stop();
    co_await run.end();
}

/// A watch that has received its first message and pauses after it, with more in its inbox.
struct Resting {
    Database db;
    Watcher watcher;
    Recorder recorder;
    Run run;
};

asio::awaitable<Resting> rest(WatchOptions options = resting())
{
    Database db = co_await open_with("b");
    const Recorder recorder;
    Watcher watcher = db.watch("b", all(), recorder, options);
    Run run = co_await start(watcher);
    co_await until([&] { return watcher.info().state == WatcherState::live; });
    co_await put(db, "b", "first", "");
    co_await until([&] { return recorder.size() == 1; });
    co_await put(db, "b", "a", "1");
    co_await put(db, "b", "a", "2");
    co_await given_time(db);
    BOOST_TEST(recorder.size() == 1U);
    co_return Resting{db, watcher, recorder, run};
}

}  // namespace

// `WatchOptions::min_interval`: the time between the starts of two deliveries.
BOOST_FIXTURE_TEST_SUITE(test_min_interval, EventLoop)

// W13
BOOST_AUTO_TEST_CASE(close_delivers_the_newest_and_does_not_wait_for_the_time)
{
    run([]() -> Task {
        Resting resting = co_await rest();
        co_await resting.db.close();
        BOOST_TEST((co_await resting.run.end()).reason == EndReason::database_closed);
        BOOST_TEST(lines_with_intervals(resting.recorder) ==
                   (Strings{"2.0 put first=", "3-4.0 put a=2", "5.0 put time="}));
    });
}

// W12
BOOST_AUTO_TEST_CASE(stop_and_cancel_do_not_wait_for_the_time)
{
    run([]() -> Task {
        Resting stopped = co_await rest();
        co_await stopped.watcher.stop();
        BOOST_TEST((co_await stopped.run.end()).reason == EndReason::stopped);
        BOOST_TEST(stopped.recorder.size() == 1U);
        BOOST_TEST(stopped.watcher.position().revision == 2U);
        co_await stopped.db.close();

        Resting cancelled = co_await rest();
        cancelled.run.cancel();
        BOOST_TEST((co_await cancelled.run.end()).reason == EndReason::cancelled);
        BOOST_TEST(cancelled.watcher.position().revision == 2U);
        co_await cancelled.db.close();
    });
}

BOOST_AUTO_TEST_CASE(the_end_of_its_bucket_does_not_wait_for_the_time)
{
    run([]() -> Task {
        Resting resting = co_await rest();
        co_await drop(resting.db, "b");
        BOOST_TEST((co_await resting.run.end()).reason == EndReason::bucket_deleted);
        BOOST_TEST(resting.recorder.lines().back() == "6.0 bucket_deleted");
        BOOST_TEST(resting.recorder.size() == 4U);
        co_await resting.db.close();
    });
}

// Neither a key that changes all the time nor one that changed once waits indefinitely.
BOOST_AUTO_TEST_CASE(no_key_starves)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder busy;
        const Recorder quiet;
        Watcher watcher = db.watch(
            "b", all(),
            [&](const Message& message) { (message.key == "busy" ? busy : quiet)(message); },
            resting(1ms));
        const Run run = co_await start(watcher);
        co_await until([&] { return watcher.info().state == WatcherState::live; });
        int i = 0;
        while (busy.size() < 20 || quiet.size() < 5) {
            co_await put(db, "b", "busy", std::to_string(++i));
            if (busy.size() >= 3 * quiet.size()) {
                const std::size_t before = quiet.size();
                co_await put(db, "b", "quiet", std::to_string(before));
                while (quiet.size() == before) {
                    co_await put(db, "b", "busy", std::to_string(++i));
                    BOOST_TEST_REQUIRE(i < 1000000);
                }
            }
        }
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(busy.messages().back()->value == std::to_string(i));
        BOOST_TEST(busy.size() + quiet.size() + watcher.info().coalesced == db.head_revision() - 1);
        co_await db.close();
        co_await run.end();
    });
}

// The predicate is applied first; then the newest of the messages that passed is delivered.
BOOST_AUTO_TEST_CASE(the_newest_message_is_chosen_after_the_predicate)
{
    run([]() -> Task {
        WatchOptions options = resting();
        options.filter.predicate = [](const Message& message) { return message.value != "2"; };
        Resting resting = co_await rest(options);
        co_await resting.db.close();
        co_await resting.run.end();
        BOOST_TEST(lines_with_intervals(resting.recorder) ==
                   (Strings{"2.0 put first=", "3.0 put a=1", "5.0 put time="}));
        BOOST_TEST(resting.watcher.position().revision == 5U);
    });
}

BOOST_AUTO_TEST_CASE(a_predicate_that_throws_ends_the_watch_after_earlier_commits)
{
    run([]() -> Task {
        WatchOptions options = resting();
        options.filter.predicate = [](const Message& message) {
            if (message.value == "2") {
                throw std::runtime_error("predicate");
            }
            return true;
        };
        Resting resting = co_await rest(options);
        co_await resting.db.close();
        BOOST_CHECK_THROW(co_await resting.run.end(), std::runtime_error);
        BOOST_TEST(resting.recorder.lines().back() == "3.0 put a=1");
        BOOST_TEST(resting.watcher.position().revision == 3U);
    });
}

BOOST_AUTO_TEST_CASE(a_snapshot_counts_as_a_delivery)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put(db, "b", "a", "0");
        WatchOptions options = resting();
        options.from = From::snapshot();
        const Recorder called;
        const Recorder taken;
        Watcher watcher = db.watch("b", all(), called, options);
        PullWatcher puller = db.watch("b", all(), options);
        const Run run = co_await start(watcher);
        const Job job = co_await spawn(take_all(puller, taken));
        co_await until([&] {
            return watcher.info().state == WatcherState::live &&
                   puller.info().state == WatcherState::live;
        });
        co_await put(db, "b", "a", "1");
        co_await put(db, "b", "a", "2");
        co_await given_time(db);
        BOOST_TEST(called.size() == 3U);  // the bucket, the key and the marker
        BOOST_TEST(taken.size() == 3U);
        co_await db.close();
        co_await run.end();
        co_await job.join();
        const Strings expected{"3-4.0 put a=2", "5.0 put time="};
        for (const Recorder& each : {called, taken}) {
            const Strings lines = lines_with_intervals(each);
            BOOST_TEST(Strings(lines.begin() + 3, lines.end()) == expected);
        }
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_pauses_as_well)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        PullWatcher watcher = db.watch("b", all(), resting());
        const Recorder recorder;
        const Job taking = co_await spawn(take_all(watcher, recorder));
        co_await until([&] { return watcher.info().state == WatcherState::live; });
        co_await put(db, "b", "first", "");
        co_await until([&] { return recorder.size() == 1; });
        co_await put(db, "b", "a", "1");
        co_await put(db, "b", "a", "2");
        co_await given_time(db);
        BOOST_TEST(recorder.size() == 1U);
        co_await db.close();
        co_await taking.join();
        BOOST_TEST(lines_with_intervals(recorder) ==
                   (Strings{"2.0 put first=", "3-4.0 put a=2", "5.0 put time="}));
    });
}

// All pieces of history together are one delivery.
BOOST_AUTO_TEST_CASE(catching_up_does_not_pause_between_its_pieces)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 100);
        WatchOptions options = resting();
        options.from = From::revision(2);
        options.buffer_messages = 4;
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, options);
        const Run run = co_await start(watcher);
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(recorder.size() == 100U);
        co_await until([&] { return watcher.info().state == WatcherState::live; });
        co_await given_time(db);
        BOOST_TEST(recorder.size() == 100U);  // it pauses now
        co_await db.close();
        co_await run.end();
        BOOST_TEST(recorder.size() == 101U);
    });
}

// W3
BOOST_AUTO_TEST_CASE(an_overflow_during_the_interval_loses_no_newest_value)
{
    run([]() -> Task {
        WatchOptions options = resting();
        options.buffer_messages = 2;
        Resting resting = co_await rest(options);
        co_await put_many(resting.db, "b", 20);
        co_await put_many(resting.db, "b", 20);
        co_await given_time(resting.db);
        BOOST_TEST(resting.recorder.size() == 1U);
        co_await resting.db.close();
        co_await resting.run.end();
        Strings keys = resting.recorder.keys();
        std::sort(keys.begin(), keys.end());
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        BOOST_TEST(keys.size() == 23U);
        BOOST_TEST(resting.watcher.position().revision == resting.db.head_revision());
    });
}

BOOST_AUTO_TEST_CASE(invalid_intervals_are_refused)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        WatchOptions negative = resting(-1ms);
        WatchOptions alone = resting(1ms);
        alone.overflow = Overflow::catch_up;
        for (const WatchOptions& each : {negative, alone}) {
            BOOST_TEST(failure_of([&] { db.watch("b", all(), Recorder(), each); }) ==
                       code(Error::invalid_option));
            BOOST_TEST(failure_of([&] { db.watch("b", all(), each); }) ==
                       code(Error::invalid_option));
        }
        Resting longest = co_await rest(resting(std::chrono::milliseconds::max()));
        co_await longest.db.close();
        co_await longest.run.end();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
