// SPDX-License-Identifier: BSL-1.0
#include "support/loop/hand_clock.hpp"
#include "support/printing.hpp"
#include "support/watch/held_watch.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;
using Revisions = std::vector<Revision>;

WatchOptions telling(std::chrono::milliseconds interval = 1ms)
{
    WatchOptions options;
    options.progress_interval = interval;
    return options;
}

/// Returns the revisions of the progress markers.
Revisions progress_of(const Recorder& recorder)
{
    Revisions revisions;
    for (const OwnedMessage& each : recorder.messages()) {
        if (each->operation == Operation::progress) {
            revisions.push_back(each->revision);
        }
    }
    return revisions;
}

/// Returns everything except the progress markers.
Strings changes_of(const Recorder& recorder)
{
    Strings lines;
    for (const OwnedMessage& each : recorder.messages()) {
        if (each->operation != Operation::progress) {
            lines.push_back(line_of(*each));
        }
    }
    return lines;
}

Task until_progress(const Recorder& recorder, Revision revision)
{
    co_await until([&] {
        const Revisions told = progress_of(recorder);
        return !told.empty() && told.back() >= revision;
    });
}

}  // namespace

// `WatchOptions::progress_interval`: messages that only report a position (W7).
BOOST_FIXTURE_TEST_SUITE(test_progress, EventLoop)

BOOST_AUTO_TEST_CASE(an_idle_watch_receives_progress_repeatedly)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, telling());
        const Run run = co_await start(watcher);
        co_await put(db, "b", "a", "1");
        co_await until([&] { return progress_of(recorder).size() >= 3; });
        co_await put(db, "b", "a", "2");
        co_await until_progress(recorder, 3);
        BOOST_TEST(changes_of(recorder) == (Strings{"2.0 put a=1", "3.0 put a=2"}));
        const Revisions told = progress_of(recorder);
        BOOST_TEST(std::is_sorted(told.begin(), told.end()));
        co_await db.close();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_CASE(a_marker_is_a_message_of_no_bucket)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, telling());
        const Run run = co_await start(watcher);
        co_await until([&] { return recorder.size() > 0; });
        const OwnedMessage marker = recorder.messages().front();
        BOOST_TEST(marker->operation == Operation::progress);
        BOOST_TEST(marker->revision == 1U);
        BOOST_TEST(marker->first_revision == 1U);
        BOOST_TEST(marker->bucket.empty());
        BOOST_TEST(marker->key.empty());
        BOOST_TEST(marker->last_in_commit);
        BOOST_TEST(!marker->count);
        BOOST_TEST(marker->time != Time{});
        co_await db.close();
        co_await run.end();
    });
}

// A marker passes messages that do not match, and is never ahead of those that do.
BOOST_AUTO_TEST_CASE(progress_passes_only_what_does_not_match)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        WatchOptions options = telling();
        options.filter.predicate = [](const Message& message) { return message.value == "wanted"; };
        const Recorder recorder;
        Watcher watcher = db.watch("b", key("k"), recorder, options);
        const Run run = co_await start(watcher);
        for (int i = 0; i < 200; ++i) {
            co_await put(db, "b", i % 2 == 0 ? "k" : "other", i % 20 == 0 ? "wanted" : "");
        }
        co_await until_progress(recorder, db.head_revision());
        Revision seen = 0;
        for (const OwnedMessage& each : recorder.messages()) {
            BOOST_TEST(each->revision >= seen);
            if (each->operation != Operation::progress) {
                BOOST_TEST(each->revision > seen);  // no marker was ahead of it
            }
            seen = each->revision;
        }
        BOOST_TEST(changes_of(recorder).size() == 10U);
        co_await db.close();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_CASE(there_is_none_while_there_is_something_to_deliver)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Held held;
        WatchOptions options = telling();
        options.callback_timeout = 2 * patience;
        Watcher watcher = db.watch("b", all(), held, options);
        const Run run = co_await start(watcher);
        co_await until([&] { return held.gate.reached() > 0; });  // possibly of a marker
        co_await put_many(db, "b", 10);
        co_await routed(db);
        co_await take(20ms);
        held.gate.open();
        co_await until([&] { return changes_of(held.recorder).size() == 10; });
        const std::vector<OwnedMessage>& given = held.recorder.messages();
        const auto first = std::find_if(given.begin(), given.end(), [](const auto& each) {
            return each->operation == Operation::put;
        });
        for (auto each = first; each != first + 10; ++each) {
            BOOST_TEST((*each)->operation == Operation::put);
        }
        co_await db.close();
        co_await run.end();
    });
}

// W8: there is no progress before the snapshot has been delivered whole.
BOOST_AUTO_TEST_CASE(there_is_no_progress_before_the_snapshot_has_been_delivered)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 5);
        WatchOptions options = telling();
        options.from = From::snapshot();
        options.buffer_messages = 1;
        const Recorder recorder;
        Watcher watcher = db.watch(
            "b", all(),
            [&](const Message& message) -> Task {
                const OwnedMessage kept(message);
                co_await take(3ms);
                recorder(*kept);
            },
            options);
        const Run run = co_await start(watcher);
        co_await until_progress(recorder, 6);
        const Strings lines = recorder.lines();
        BOOST_TEST(lines[6] == "6.0 synced");
        BOOST_TEST(lines[7] == "6.0 progress");
        co_await db.close();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_receives_progress_as_well)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        PullWatcher watcher = db.watch("b", key("none"), telling());
        const Recorder recorder;
        const Job taking = co_await spawn(take_all(watcher, recorder));
        co_await until_progress(recorder, 1);
        co_await put_many(db, "b", 10);
        co_await until_progress(recorder, 11);
        BOOST_TEST(changes_of(recorder).empty());
        BOOST_TEST(watcher.position().revision == 11U);
        co_await db.close();
        co_await taking.join();
    });
}

// W6: the position of a marker can be resumed from, even if nothing has matched for a long time.
BOOST_AUTO_TEST_CASE(an_idle_consumer_can_resume_from_the_position_of_a_marker)
{
    run([]() -> Task {
        Options options = watched_options();
        options.history.commits = 10;
        Database db = co_await open_with(options, "b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", key("rare"), recorder, telling());
        const Run run = co_await start(watcher);
        const Revision stored = co_await put_many(db, "b", 200);
        co_await until_progress(recorder, stored);
        co_await watcher.stop();
        co_await run.end();
        const Position position{db.head_position().history, progress_of(recorder).back()};
        co_await put(db, "b", "rare", "1");
        const Strings rest = co_await history_of(db, "b", key("rare"), From::after(position));
        BOOST_TEST(rest == Strings{"202.0 put rare=1"});
        co_await db.close();
    });
}

// Other waits of a watch do not make it forget its next marker.
BOOST_AUTO_TEST_CASE(a_watch_with_a_minimum_interval_receives_progress_as_well)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        WatchOptions options = telling(20ms);
        options.overflow = Overflow::latest;
        options.min_interval = 1ms;
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, options);
        const Run run = co_await start(watcher);
        for (int i = 0; i < 5; ++i) {
            // It pauses after the first of these, when a marker has already been scheduled.
            co_await until_progress(recorder, db.head_revision());
            co_await put_many(db, "b", 2);
            co_await watcher.reached(db.head_revision());
        }
        co_await until_progress(recorder, db.head_revision());
        co_await db.close();
        co_await run.end();
    });
}

// W12
BOOST_AUTO_TEST_CASE(no_end_waits_for_the_time_of_a_marker)
{
    run([]() -> Task {
        for (const auto interval :
             {std::chrono::milliseconds(1h), std::chrono::milliseconds::max()}) {
            Database db = co_await open_with("b");
            const Recorder recorder;
            Watcher stopped = db.watch("b", all(), recorder, telling(interval));
            Watcher closed = db.watch("b", all(), recorder, telling(interval));
            const Run stopped_run = co_await start(stopped);
            const Run closed_run = co_await start(closed);
            co_await put(db, "b", "a", "1");
            co_await stopped.reached(2);
            co_await stopped.stop();
            BOOST_TEST((co_await stopped_run.end()).reason == EndReason::stopped);
            co_await db.close();
            BOOST_TEST((co_await closed_run.end()).reason == EndReason::database_closed);
            BOOST_TEST(progress_of(recorder).empty());
        }
    });
}

BOOST_AUTO_TEST_CASE(a_negative_interval_is_refused)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        BOOST_TEST(failure_of([&] { db.watch("b", all(), Recorder(), telling(-1ms)); }) ==
                   code(Error::invalid_option));
        BOOST_TEST(failure_of([&] { db.watch("b", all(), telling(-1ms)); }) ==
                   code(Error::invalid_option));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(the_time_of_a_marker_is_not_before_that_of_a_commit)
{
    run([]() -> Task {
        const HandClock clock;
        Options options = watched_options();
        options.clock = clock.clock();
        Database db = co_await open_with(options, "b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, telling());
        const Run run = co_await start(watcher);
        co_await put(db, "b", "a", "1");
        clock.advance(-1h);
        const std::size_t before = recorder.size();
        co_await until([&] { return recorder.size() >= before + 2; });
        for (const OwnedMessage& each : recorder.messages()) {
            BOOST_TEST(each->time == clock.now() + 1h);
        }
        co_await db.close();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_SUITE_END()

// The event loop is destroyed while a timer is armed.
BOOST_AUTO_TEST_CASE(a_loop_may_be_destroyed_while_a_marker_is_awaited)
{
    for (const auto interval : {std::chrono::milliseconds(1), std::chrono::milliseconds(1h)}) {
        EventLoop loop;
        bool live = false;
        const Recorder recorder;
        const Job job(loop.executor(),
                      [](std::chrono::milliseconds every, Recorder given, bool& is_live) -> Task {
                          Database db = co_await open_with("b");
                          Watcher watcher = db.watch("b", all(), given, telling(every));
                          const Run run = co_await start(watcher);
                          co_await put(db, "b", "a", "1");
                          co_await watcher.reached(2);
                          is_live = true;
                          co_await for_ever();
                      }(interval, recorder, live));
        loop.run_until([&] { return live; });
        loop.destroy();
        BOOST_TEST(!job.done());
    }
}
