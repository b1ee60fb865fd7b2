// SPDX-License-Identifier: BSL-1.0
#include "support/model/mirror.hpp"
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

constexpr int keys = 12;

/// Options for a snapshot in parts of one message each, so that each test covers every part.
WatchOptions one_by_one()
{
    WatchOptions options = watch_from(From::snapshot());
    options.buffer_messages = 1;
    options.callback_timeout = 10 * patience;
    return options;
}

asio::awaitable<Database> open_filled()
{
    Database db = co_await open_with("b");
    co_await put_many(db, "b", keys);
    co_return db;
}

/// A message callback that runs `what` at one message, counted from 1; the marker is the last.
class At {
public:
    At(int when, std::function<Task()> what) : when_(when), what_(std::move(what)) {}

    Task operator()(const Message& message) const
    {
        mirror(message);
        if (++*seen_ == when_) {
            co_await what_();
        }
    }

    int seen() const { return *seen_; }

    Mirror mirror;

private:
    int when_;
    std::function<Task()> what_;
    std::shared_ptr<int> seen_ = std::make_shared<int>(0);
};

/// The creation of the bucket, its keys and the marker.
constexpr int all_messages = 1 + keys + 1;

}  // namespace

// Watches that end, fail or are closed while they receive a snapshot.
BOOST_FIXTURE_TEST_SUITE(test_snapshot_ends, EventLoop)

// W8 W11: before the marker, the position is before all revisions, so nothing is skipped silently.
BOOST_AUTO_TEST_CASE(an_incomplete_snapshot_cannot_be_resumed)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        for (int stop_at = 1; stop_at <= all_messages; ++stop_at) {
            int seen = 0;
            Watcher watcher = db.watch(
                "b", all(),
                [&](const Message&) {
                    BOOST_TEST(watcher.position().revision == 0U);
                    return ++seen == stop_at ? Flow::stop : Flow::go_on;
                },
                one_by_one());
            const WatchEnd end = co_await watcher.run();
            BOOST_TEST(end.reason == EndReason::stopped);
            BOOST_TEST(end.position.revision == (stop_at == all_messages ? db.head_revision() : 0));
            BOOST_TEST(end.position.history == db.head_position().history);
        }
        co_await db.close();
    });
}

// W8 W11: the same for a pulled watch, where asking for the next part delivers the previous one.
BOOST_AUTO_TEST_CASE(an_incomplete_pulled_snapshot_cannot_be_resumed)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        for (int parts = 0; parts <= all_messages; ++parts) {
            PullWatcher watcher = db.watch("b", all(), one_by_one());
            for (int i = 0; i < parts; ++i) {
                BOOST_TEST(co_await watcher.wait());
                BOOST_TEST(watcher.position().revision == 0U);
                BOOST_TEST(watcher.try_next().has_value());
            }
            BOOST_TEST(!watcher.try_next());
            co_await watcher.stop();
            const Revision reached = parts == all_messages ? db.head_revision() : 0;
            BOOST_TEST(watcher.position().revision == reached);
        }
        co_await db.close();
    });
}

// W11 W12
BOOST_AUTO_TEST_CASE(it_may_be_stopped_anywhere)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        for (int when = 1; when <= all_messages; ++when) {
            std::optional<Watcher> watcher;
            const At callback(when, [&]() -> Task { co_await watcher->stop(); });
            watcher.emplace(db.watch("b", all(), callback, one_by_one()));
            const WatchEnd end = co_await watcher->run();
            BOOST_TEST(end.reason == EndReason::stopped);
            BOOST_TEST(callback.seen() == when);
            BOOST_TEST(end.position.revision == (when == all_messages ? db.head_revision() : 0));
            watcher.reset();
        }
        co_await db.close();
    });
}

// W11 W12
BOOST_AUTO_TEST_CASE(it_may_be_cancelled_anywhere)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        for (int when = 1; when <= all_messages; ++when) {
            const At callback(when, for_ever);
            Watcher watcher = db.watch("b", all(), callback, one_by_one());
            const Run run = co_await start(watcher);
            co_await until([&] { return callback.seen() == when; });
            run.cancel();
            BOOST_TEST((co_await run.end()).reason == EndReason::cancelled);
            BOOST_TEST(watcher.position().revision == 0U);
            BOOST_TEST(callback.seen() == when);
        }
        co_await db.close();
    });
}

// W11: the callback's exception is rethrown, at every message.
BOOST_AUTO_TEST_CASE(a_callback_may_throw_anywhere)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        for (int when = 1; when <= all_messages; ++when) {
            const auto fails = []() -> Task {
                throw std::range_error("mine");
                co_return;
            };
            const At callback(when, fails);
            Watcher watcher = db.watch("b", all(), callback, one_by_one());
            BOOST_CHECK_THROW(co_await watcher.run(), std::range_error);
            BOOST_TEST(watcher.position().revision == 0U);
        }
        co_await db.close();
    });
}

// W13: closing delivers the rest of the snapshot, the marker, and what was committed in between.
BOOST_AUTO_TEST_CASE(close_delivers_the_rest_of_the_snapshot_and_the_commits_after_it)
{
    run([]() -> Task {
        const auto executor = co_await asio::this_coro::executor;
        for (int when = 0; when <= all_messages; ++when) {
            Database db = co_await open_filled();
            std::optional<Job> closing;
            const auto close = [&]() -> Task {
                co_await put_many(db, "b", 3, 100);
                closing.emplace(executor, db.close());  // not on the strand of the callback
            };
            const At callback(when, close);
            Watcher watcher = db.watch("b", all(), callback, one_by_one());
            const Run run = co_await start(watcher);
            if (when == 0) {
                co_await close();
            }
            BOOST_TEST((co_await run.end()).reason == EndReason::database_closed);
            co_await closing->join();
            BOOST_TEST(watcher.position() == db.head_position());
            BOOST_TEST(callback.mirror.synced().has_value());
            BOOST_TEST(callback.mirror.state().btrees.at("b").size() == keys + 3U);
        }
    });
}

// W13: the same for a pulled watch, at every moment.
BOOST_AUTO_TEST_CASE(close_drains_a_pulled_snapshot)
{
    run([]() -> Task {
        const auto executor = co_await asio::this_coro::executor;
        for (int turns = 0; turns < 40; turns += 3) {
            Database db = co_await open_filled();
            const Mirrored pulled(executor, db, in("b", all()), one_by_one(), Way::pull, 2);
            for (int i = 0; i < turns; ++i) {
                co_await yield();
            }
            co_await put_many(db, "b", 3, 100);
            co_await db.close();
            BOOST_TEST((co_await pulled.end()).reason == EndReason::database_closed);
            BOOST_TEST(pulled.position() == db.head_position());
            BOOST_TEST(pulled.mirror().state().btrees.at("b").size() == keys + 3U);
        }
    });
}

// W12 W13: a close that times out cancels the snapshot.
BOOST_AUTO_TEST_CASE(close_may_time_out_anywhere)
{
    run([]() -> Task {
        for (int when = 1; when <= all_messages; ++when) {
            Database db = co_await open_filled();
            const At callback(when, for_ever);
            Watcher watcher = db.watch("b", all(), callback, one_by_one());
            const Run run = co_await start(watcher);
            co_await until([&] { return callback.seen() == when; });
            co_await db.close(1ms);
            BOOST_TEST((co_await run.end()).reason == EndReason::database_closed);
            BOOST_TEST(watcher.position().revision == 0U);
        }
    });
}

// W12: a close in the watch's own callback does not wait for it, and the snapshot is read no
// further.
BOOST_AUTO_TEST_CASE(its_own_callback_may_close_the_database)
{
    run([]() -> Task {
        for (int when = 1; when <= all_messages; ++when) {
            Database db = co_await open_filled();
            const At callback(when, [&]() -> Task { co_await db.close(); });
            Watcher watcher = db.watch("b", all(), callback, one_by_one());
            BOOST_TEST((co_await watcher.run()).reason == EndReason::database_closed);
            BOOST_TEST(callback.seen() == when);
        }
    });
}

// W7: a wait for a revision of the snapshot completes when all of the snapshot is delivered.
BOOST_AUTO_TEST_CASE(a_revision_of_the_snapshot_is_reached_with_the_marker)
{
    run([]() -> Task {
        Database db = co_await open_filled();
        const Gate gate;
        const At callback(all_messages - 1, [&]() -> Task { co_await gate.pass(); });
        Watcher watcher = db.watch("b", all(), callback, one_by_one());
        const Job early = co_await spawn(watcher.reached(1));
        const Job late = co_await spawn(watcher.reached(db.head_revision() + 1));
        const Run run = co_await start(watcher);
        co_await until([&] { return gate.reached() == 1; });
        BOOST_TEST(!early.done());
        gate.open();
        co_await early.join();
        BOOST_TEST(callback.mirror.synced().has_value());
        BOOST_TEST(!late.done());
        co_await put(db, "b", "new", "v");
        co_await late.join();
        BOOST_TEST(callback.mirror.changes() == 1U);
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

// W6 W8: commits after the snapshot are read from history, and may have been trimmed by then.
BOOST_AUTO_TEST_CASE(history_trimmed_during_the_snapshot_ends_the_watch)
{
    run([]() -> Task {
        Options options = watched_options();
        options.history.commits = 4;
        Database db = co_await open_with(options, "b");
        co_await put_many(db, "b", keys);
        const Revision head = db.head_revision();
        const auto commit_much = [&]() -> Task {
            co_await put_many(db, "b", 100);
            co_await until([&] { return db.oldest_revision() > head + 1; });
        };
        const At callback(3, commit_much);
        Watcher watcher = db.watch("b", all(), callback, one_by_one());
        try {
            co_await watcher.run();
            BOOST_ERROR("it should have thrown");
        } catch (const Compacted& compacted) {
            BOOST_TEST(compacted.requested() == head + 1);
            BOOST_TEST(compacted.oldest() == db.oldest_revision());
        }
        BOOST_TEST(watcher.position().revision == head);
        BOOST_TEST(callback.mirror.synced().value() == head);
        co_await db.close();
    });
}

// A bucket that is deleted and created again is not the one of the snapshot.
BOOST_AUTO_TEST_CASE(a_bucket_recreated_during_the_snapshot_is_a_different_one)
{
    run([]() -> Task {
        for (int when = 1; when <= all_messages; ++when) {
            Database db = co_await open_filled();
            const auto replace = [&]() -> Task {
                co_await drop(db, "b");
                co_await create(db, "b");
                co_await put(db, "b", "k0", "of another one");
            };
            const At named(when, replace);
            Watcher watcher = db.watch("b", all(), named, one_by_one());
            const WatchEnd end = co_await watcher.run();
            BOOST_TEST(end.reason == EndReason::bucket_deleted);
            BOOST_TEST(named.mirror.state_messages() == keys + 1U);
            BOOST_TEST(named.mirror.changes() == 1U);
            BOOST_TEST(named.mirror.state().btrees.empty());
            co_await db.close();
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
