// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

using namespace keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;

/// Options with all buffers as small as possible, so that every path around a full buffer is taken.
Options tiny_pipeline()
{
    Options options = watched_options();
    options.hub_messages = 2;
    options.batch_messages = 2;
    options.distribute_batches = 1;
    options.victim_sets = 1;
    return options;
}

WatchOptions tiny_inbox(From from = From::now())
{
    WatchOptions options = watch_from(from);
    options.buffer_messages = 2;
    return options;
}

/// A recorder that takes several turns of the loop for each message.
struct Slow {
    Recorder recorder;
    int turns = 3;

    Task operator()(const Message& message) const
    {
        const Slow self = *this;
        const OwnedMessage kept(message);
        for (int i = 0; i < self.turns; ++i) {
            co_await yield();
        }
        self.recorder(*kept);
    }
};

Task write_one_to_four(Database db, std::uint32_t seed, int commits)
{
    std::mt19937 random(seed);
    for (int i = 0; i < commits; ++i) {
        co_await db.update([&](Transaction& tx) {
            for (auto messages = 1 + random() % 4; messages > 0; --messages) {
                tx.btree("b").put("k" + std::to_string(random() % 3), std::to_string(i));
            }
        });
    }
}

Task put_big(Database db, std::string key, std::size_t bytes)
{
    co_await db.update([&](Transaction& tx) {
        tx.btree("b").put("padding", std::string(bytes, 'x'));
        tx.btree("b").put(key, "small");
    });
}

}  // namespace

// Small buffers, large commits and many writers: nothing is lost.
BOOST_FIXTURE_TEST_SUITE(test_reliability, EventLoop)

// W3, traps 2 and 5: every buffer overflows repeatedly. What arrives is what history contains.
BOOST_AUTO_TEST_CASE(slow_watchers_with_tiny_buffers_lose_nothing)
{
    const std::uint32_t seed = std::random_device()();
    BOOST_TEST_MESSAGE("seed " << seed);
    run([&]() -> Task {
        Database db = co_await open_with(tiny_pipeline(), "b");
        const Slow bucket_callback;
        const Slow key_callback{{}, 1};
        const Recorder fast;
        Watcher bucket_watcher = db.watch("b", keywatch::all(), bucket_callback, tiny_inbox());
        Watcher key_watcher = db.watch("b", key("k1"), key_callback, tiny_inbox());
        Watcher fast_watcher = db.watch("b", keywatch::all(), fast);
        const Run bucket_run = co_await start(bucket_watcher);
        const Run key_run = co_await start(key_watcher);
        const Run fast_run = co_await start(fast_watcher);
        co_await write_one_to_four(db, seed, 300);
        co_await bucket_watcher.reached(db.head_revision());
        co_await key_watcher.reached(db.head_revision());
        const Strings all = co_await history_of(db, "b", keywatch::all(), From::revision(2));
        const Strings k1 = co_await history_of(db, "b", key("k1"), From::revision(2));
        BOOST_TEST(bucket_callback.recorder.lines() == all);
        BOOST_TEST(key_callback.recorder.lines() == k1);
        BOOST_TEST(fast.lines() == all);
        co_await db.close();
    });
}

// W3: the writers do not wait for each other, so that commits are made in groups.
BOOST_AUTO_TEST_CASE(many_writers_at_once_lose_nothing)
{
    run([]() -> Task {
        Database db = co_await open_with(tiny_pipeline(), "b");
        const Slow callback{{}, 1};
        Watcher watcher = db.watch("b", keywatch::all(), callback, tiny_inbox());
        const Run run = co_await start(watcher);
        std::vector<Job> writers;
        for (std::uint32_t seed = 1; seed <= 8; ++seed) {
            writers.push_back(co_await spawn(write_one_to_four(db, seed, 30)));
        }
        for (const Job& each : writers) {
            co_await each.join();
        }
        co_await watcher.reached(db.head_revision());
        const Strings all = co_await history_of(db, "b", keywatch::all(), From::revision(2));
        BOOST_TEST(callback.recorder.lines() == all);
        co_await db.close();
    });
}

// W3 W4 W10, trap 1: a transaction larger than hub, batch and inbox arrives whole and in one piece,
// live and from history.
BOOST_AUTO_TEST_CASE(a_transaction_larger_than_every_buffer_arrives_whole)
{
    run([]() -> Task {
        Options options = tiny_pipeline();
        options.hub_bytes = 1;
        options.distribute_bytes = 1;
        Database db = co_await open_with(options, "b");
        std::vector<std::size_t> live;
        std::vector<std::size_t> later;
        WatchOptions watch_options = tiny_inbox();
        watch_options.buffer_bytes = 1;
        Watcher watcher = db.watch(
            "b", all(), [&](const Commit& commit) { live.push_back(commit.size()); },
            watch_options);
        const Run run = co_await start(watcher);
        for (const int size : {3000, 1, 2000}) {
            co_await db.update([&](Transaction& tx) {
                for (int i = 0; i < size; ++i) {
                    tx.btree("b").put("k" + std::to_string(i), "v");
                }
            });
        }
        co_await watcher.reached(db.head_revision());
        watch_options.from = From::revision(2);
        Watcher second = db.watch(
            "b", all(), [&](const Commit& commit) { later.push_back(commit.size()); },
            watch_options);
        const Run second_run = co_await start(second);
        co_await second.reached(db.head_revision());
        const std::vector<std::size_t> expected{3000, 1, 2000};
        BOOST_TEST(live == expected);
        BOOST_TEST(later == expected);
        co_await db.close();
    });
}

// W3 W10, trap 4: the pipeline does not block, whatever is queued before a commit that is larger
// than the limit of all batches.
BOOST_AUTO_TEST_CASE(a_huge_commit_after_a_small_one_is_delivered)
{
    run([]() -> Task {
        Options options = watched_options();
        options.distribute_bytes = 10'000;
        Database db = co_await open_with(options, "b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", key("k"), recorder);
        const Run run = co_await start(watcher);
        std::vector<Job> writers;
        for (const std::size_t bytes : {1, 1, 100'000, 1, 6'000, 100'000, 1}) {
            writers.push_back(co_await spawn(put_big(db, "k", bytes)));
        }
        for (const Job& each : writers) {
            co_await each.join();
        }
        const std::size_t winner =
            co_await race(watcher.reached(db.head_revision()), take(patience / 2));
        BOOST_TEST(winner == 0U);
        BOOST_TEST(recorder.size() == writers.size());
        co_await db.close();
    });
}

// W10, trap 16: small matches that keep huge commits in memory are not queued without limit. A
// short history makes that visible from outside: a commit that is no longer queued cannot be read.
BOOST_AUTO_TEST_CASE(pinned_bytes_are_bounded)
{
    run([]() -> Task {
        Options options = watched_options();
        options.history.commits = 3;
        Database db = co_await open_with(options, "b");
        for (const bool huge : {false, true}) {
            const Gate gate;
            int calls = 0;
            const auto callback = [&](const Message&) -> Task {
                co_await gate.pass();
                ++calls;
            };
            WatchOptions watch_options;
            watch_options.buffer_messages = 100;
            watch_options.buffer_bytes = 100'000;
            watch_options.callback_timeout = 10 * patience;
            Watcher watcher = db.watch("b", key("k"), callback, watch_options);
            const Run run = co_await start(watcher);
            for (int i = 0; i < 30; ++i) {
                co_await put_big(db, "k", huge ? 20'000 : 10);
            }
            co_await until([&] { return db.oldest_revision() + 4 > db.head_revision(); });
            gate.open();
            if (huge) {
                BOOST_TEST(co_await run.error() == code(Error::compacted));
                BOOST_TEST(calls < 20);
            } else {
                co_await watcher.reached(db.head_revision());
                BOOST_TEST(calls == 30);
                co_await watcher.stop();
            }
        }
        co_await db.close();
    });
}

// W3 W11, traps 4 and 6: subscribers of a deleted bucket have full inboxes, and the victim channel
// has one place. Each subscriber still receives every message, then its end.
BOOST_AUTO_TEST_CASE(a_full_inbox_does_not_lose_the_end)
{
    run([]() -> Task {
        Database db = co_await open_with(tiny_pipeline(), "b");
        co_await create(db, "other");
        std::vector<Slow> callbacks(12);
        std::vector<Run> runs;
        for (std::size_t i = 0; i < callbacks.size(); ++i) {
            callbacks[i].turns = static_cast<int>(i % 4);
            Watcher watcher =
                db.watch("b", i % 3 == 0 ? key("k1") : all(), Slow(callbacks[i]), tiny_inbox());
            runs.push_back(co_await start(watcher));
        }
        co_await put_many(db, "b", 20);
        co_await drop(db, "b");
        co_await create(db, "b");  // a new bucket, which the old watchers must not see
        co_await put(db, "b", "k1", "new");
        co_await drop(db, "b");
        for (std::size_t i = 0; i < runs.size(); ++i) {
            const WatchEnd end = co_await runs[i].end();
            BOOST_TEST(end.reason == EndReason::bucket_deleted);
            BOOST_TEST(end.position.revision == 23U);
            BOOST_TEST(callbacks[i].recorder.size() == (i % 3 == 0 ? 2U : 21U));
            BOOST_TEST(callbacks[i].recorder.lines().back() == "23.0 bucket_deleted");
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
