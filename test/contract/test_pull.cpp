// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

using Revisions = std::vector<Revision>;
using Strings = std::vector<std::string>;

WatchOptions tiny_inbox(From from = From::now())
{
    WatchOptions options = watch_from(from);
    options.buffer_messages = 2;
    return options;
}

/// The usual loop of a consumer, held by the gate.
Task consume(PullWatcher watcher, Recorder recorder, Gate gate)
{
    while (co_await watcher.wait()) {
        co_await gate.pass();
        while (const auto commit = watcher.try_next()) {
            for (const Message& each : *commit) {
                recorder(each);
            }
        }
        co_await yield();
    }
}

/// Takes commits until the position has reached `revision`.
Task consume_until(PullWatcher& watcher, Recorder recorder, Revision revision)
{
    while (watcher.position().revision < revision) {
        BOOST_REQUIRE(co_await watcher.wait());
        while (const auto commit = watcher.try_next()) {
            for (const Message& each : *commit) {
                recorder(each);
            }
        }
    }
}

Task put_three(Database db)
{
    co_await db.update([](Transaction& tx) {
        for (const char* key : {"a", "b", "c"}) {
            tx.btree("b").put(key, "v");
        }
    });
}

Task wait_once(PullWatcher& watcher)
{
    co_await watcher.wait();
}

}  // namespace

// `PullWatcher`: waiting for commits, taking them, and the position.
BOOST_FIXTURE_TEST_SUITE(test_pull, EventLoop)

// W1 W2 W4
BOOST_AUTO_TEST_CASE(commits_come_whole_in_order_and_once)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        PullWatcher watcher = db.watch("b", all(), watch_from(From::revision(1)));
        co_await put_three(db);
        co_await put_many(db, "b", 2);
        Revisions commits;
        Strings lines;
        while (commits.size() < 4) {
            BOOST_TEST(co_await watcher.wait());
            while (const auto commit = watcher.try_next()) {
                commits.push_back(commit->revision());
                BOOST_TEST(commit->previous() == commit->revision() - 1);
                for (const Message& each : *commit) {
                    lines.push_back(line_of(each));
                    BOOST_TEST(each.last_in_commit == (each.index + 1 == commit->size()));
                }
            }
        }
        const Revisions expected{1, 2, 3, 4};
        const Strings messages{"1.0 bucket_created", "2.0 put a=v",  "2.1 put b=v",
                               "2.2 put c=v",        "3.0 put k0=0", "4.0 put k1=1"};
        BOOST_TEST(commits == expected);
        BOOST_TEST(lines == messages);
        co_await watcher.stop();
        co_await db.close();
    });
}

// W4: only the matching messages of a commit are delivered, live and from history.
BOOST_AUTO_TEST_CASE(only_selected_messages_are_delivered)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_three(db);
        PullWatcher watcher = db.watch("b", key("b"), watch_from(From::revision(1)));
        BOOST_TEST(co_await watcher.wait());
        const auto old = watcher.try_next();
        BOOST_TEST(!watcher.try_next());
        co_await put_three(db);
        BOOST_TEST(co_await watcher.wait());
        auto live = watcher.try_next();
        BOOST_REQUIRE((old && live));
        const PulledCommit copy = *live;
        const PulledCommit moved = std::move(*live);
        live.reset();
        for (const PulledCommit* each : {&*old, &copy, &moved}) {
            BOOST_TEST_REQUIRE(each->size() == 1U);
            BOOST_TEST((*each)[0].key == "b");
            BOOST_TEST((*each)[0].index == 1U);
            BOOST_TEST((*each)[0].last_in_commit);
        }
        BOOST_TEST(old->revision() == 2U);
        BOOST_TEST(moved.revision() == 3U);
        BOOST_TEST(!watcher.try_next());
        co_await db.close();
    });
}

// W7: a commit is delivered when the consumer asks for more, in either way.
BOOST_AUTO_TEST_CASE(the_position_is_the_last_commit_followed_by_a_request_for_more)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        PullWatcher watcher = db.watch("b", key("k1"));
        const Job waiting = co_await spawn(wait_once(watcher));
        co_await watcher.wait_ready(patience);
        const Revision first = co_await put_many(db, "b", 2);  // only the second one matches
        co_await put(db, "b", "other", "1");
        const Revision second = co_await put(db, "b", "k1", "2");
        co_await put(db, "b", "other", "2");
        co_await waiting.join();
        BOOST_TEST(watcher.try_next()->revision() == first);
        BOOST_TEST(watcher.position().revision == first - 1);
        BOOST_TEST(co_await watcher.wait());
        BOOST_TEST(watcher.position().revision >= first);
        BOOST_TEST(watcher.position().revision < second);
        BOOST_TEST(watcher.try_next()->revision() == second);
        BOOST_TEST(watcher.position().revision == second - 1);
        BOOST_TEST(!watcher.try_next());
        BOOST_TEST(watcher.position().revision >= second);
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(watcher.position() == db.head_position());
        co_await put_many(db, "b", 1);  // nothing matches, and the position advances nevertheless
        co_await watcher.reached(db.head_revision());
        co_await db.close();
    });
}

// W2 W6: a commit that was taken and not followed by a request for more comes again, and nothing
// before it.
BOOST_AUTO_TEST_CASE(a_consumer_resumes_after_its_position)
{
    const TemporaryDirectory directory;
    Position position;
    run([&]() -> Task {
        Database db = co_await open_with(watched_options(directory / "db"), "b");
        co_await put_many(db, "b", 10);
        PullWatcher watcher = db.watch("b", all(), watch_from(From::revision(2)));
        BOOST_TEST(co_await watcher.wait());
        for (Revision revision = 2; revision <= 5; ++revision) {
            BOOST_TEST(watcher.try_next()->revision() == revision);
        }
        co_await watcher.stop();
        position = watcher.position();
        BOOST_TEST(watcher.ended().has_value());
        BOOST_TEST(watcher.ended()->reason == EndReason::stopped);
        BOOST_TEST(watcher.ended()->position == position);
        co_await db.close();
    });
    BOOST_TEST(position.revision == 4U);
    run([&]() -> Task {
        Database db = co_await open_database(watched_options(directory / "db"));
        PullWatcher watcher = db.watch("b", all(), watch_from(From::after(position)));
        const Recorder recorder;
        co_await consume_until(watcher, recorder, db.head_revision());
        BOOST_TEST(recorder.revisions().front() == 5U);
        BOOST_TEST(recorder.size() == 7U);
        co_await db.close();
    });
}

// W2: a consumer that asks after the end has delivered the commit that it had, and receives nothing
// more.
BOOST_AUTO_TEST_CASE(a_commit_counts_when_its_consumer_asks_for_more_after_the_end)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 5);
        PullWatcher watcher = db.watch("b", all(), watch_from(From::revision(1)));
        BOOST_TEST(co_await watcher.wait());
        BOOST_TEST(watcher.try_next()->revision() == 1U);
        BOOST_TEST(watcher.try_next()->revision() == 2U);
        watcher.request_stop();
        BOOST_TEST(watcher.position().revision == 1U);
        BOOST_TEST(!watcher.try_next());
        BOOST_TEST(watcher.position().revision == 2U);
        BOOST_TEST(!co_await watcher.wait());
        BOOST_TEST(!co_await watcher.wait());
        BOOST_TEST(!watcher.try_next());
        BOOST_TEST(watcher.ended()->position.revision == 2U);
        co_await db.close();
    });
}

// W3 W10
BOOST_AUTO_TEST_CASE(slow_consumers_with_tiny_buffers_lose_nothing)
{
    run([]() -> Task {
        Options options = watched_options();
        options.hub_messages = 3;
        options.batch_messages = 2;
        options.distribute_batches = 1;
        Database db = co_await open_with(options, "b");
        const Recorder live;
        const Recorder late;
        const Gate gate;
        const PullWatcher live_watcher = db.watch("b", all(), tiny_inbox());
        const PullWatcher late_watcher =
            db.watch("b", keywatch::key("k7"), tiny_inbox(From::revision(1)));
        const Job live_job = co_await spawn(consume(live_watcher, live, gate));
        const Job late_job = co_await spawn(consume(late_watcher, late, gate));
        for (int i = 0; i < 20; ++i) {
            if (i == 10) {
                gate.open();
            }
            std::vector<Job> writers;
            for (int k = 0; k < 10; ++k) {
                writers.push_back(co_await spawn([](Database database, int key) -> Task {
                    co_await put_many(database, "b", 1, key);
                }(db, k)));
            }
            for (const Job& each : writers) {
                co_await each.join();
            }
        }
        co_await live_watcher.reached(db.head_revision());
        co_await late_watcher.reached(db.head_revision());
        BOOST_TEST(live.size() == 200U);
        BOOST_TEST(std::ranges::is_sorted(live.revisions(), std::less_equal<>()));
        BOOST_TEST(late.size() == 20U);
        BOOST_TEST(db.stats().watchers.fell_behind > 0U);
        co_await db.close();
        co_await live_job.join();
        co_await late_job.join();
    });
}

// W3 W10: the watch of an idle consumer holds no more than its buffers. A short history makes that
// visible.
BOOST_AUTO_TEST_CASE(an_idle_consumer_holds_no_more_than_its_buffers)
{
    run([]() -> Task {
        Options options = watched_options();
        options.history.commits = 5;
        Database db = co_await open_with(options, "b");
        PullWatcher watcher = db.watch("b", all(), tiny_inbox());
        const Job waiting = co_await spawn(wait_once(watcher));
        co_await watcher.wait_ready(patience);
        co_await put_many(db, "b", 100);
        co_await waiting.join();
        co_await until([&] { return db.oldest_revision() > 80; });
        const Recorder recorder;
        const Gate open_gate;
        open_gate.open();
        const auto error = co_await failure_of(consume(watcher, recorder, open_gate));
        BOOST_TEST(error == code(Error::compacted));
        BOOST_TEST(recorder.size() >= 1U);
        BOOST_TEST(recorder.size() <= 2U);
        BOOST_TEST(watcher.position().revision == 1 + recorder.size());
        BOOST_TEST(!watcher.ended());
        BOOST_TEST(co_await failure_of(wait_once(watcher)) == code(Error::compacted));
        BOOST_TEST(co_await failure_of(watcher.reached(1000)) == code(Error::compacted));
        co_await db.close();
    });
}

// W6
BOOST_AUTO_TEST_CASE(a_start_that_is_trimmed_is_compacted)
{
    run([]() -> Task {
        Options options = watched_options();
        options.history.commits = 5;
        Database db = co_await open_with(options, "b");
        co_await put_many(db, "b", 50);
        co_await until([&] { return db.oldest_revision() > 40; });
        PullWatcher watcher = db.watch("b", all(), watch_from(From::revision(3)));
        try {
            co_await watcher.wait();
            BOOST_ERROR("it should have thrown");
        } catch (const Compacted& compacted) {
            BOOST_TEST(compacted.requested() == 3U);
            BOOST_TEST(compacted.oldest() > 40U);
            BOOST_TEST(compacted.oldest() <= db.head_revision() - 4);
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
