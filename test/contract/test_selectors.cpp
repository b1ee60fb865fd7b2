// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;

Strings texts_of(const std::vector<OwnedMessage>& messages)
{
    Strings texts;
    for (const OwnedMessage& each : messages) {
        texts.push_back(std::string(each->bucket) + ':' + line_of(*each));
    }
    return texts;
}

/// Returns options that start at a revision, with an inbox of this many messages.
WatchOptions from(Revision revision, std::size_t buffer_messages = 1024)
{
    WatchOptions options = watch_from(From::revision(revision));
    options.buffer_messages = buffer_messages;
    return options;
}

/// Returns what a watch receives up to the newest commit.
asio::awaitable<Recorder> called_back(Database db, Selectors selectors, WatchOptions options)
{
    const Recorder recorder;
    Watcher watcher = db.watch(selectors, recorder, options);
    const Run run = co_await start(watcher);
    co_await watcher.reached(db.head_revision());
    co_await watcher.stop();
    co_await run.end();
    co_return recorder;
}

/// Same as `called_back`, for a pulled watch.
asio::awaitable<Recorder> pulled(Database db, Selectors selectors, WatchOptions options)
{
    const Recorder recorder;
    PullWatcher watcher = db.watch(selectors, options);
    const Job job = co_await spawn(take_all(watcher, recorder));
    co_await watcher.reached(db.head_revision());
    co_await watcher.stop();
    co_await job.join();
    co_return recorder;
}

/// Returns the messages for a watch of these buckets: none of a bucket after its end.
Strings expected_of(const Recorder& everything, std::set<std::string, std::less<>> buckets,
                    Revision first)
{
    Strings texts;
    for (const OwnedMessage& each : everything.messages()) {
        if (each->revision >= first && buckets.contains(each->bucket)) {
            texts.push_back(std::string(each->bucket) + ':' + line_of(*each));
            if (each->ends_bucket) {
                buckets.erase(std::string(each->bucket));
            }
        }
    }
    return texts;
}

/// Puts into b, c and d. The buckets b and c are created and deleted, sometimes several times in
/// one transaction.
Task come_and_go(Database db, std::uint32_t seed, int commits)
{
    std::mt19937 random(seed);
    for (int i = 0; i < commits; ++i) {
        co_await db.update([&](Transaction& tx) {
            for (auto steps = 1 + random() % 4; steps > 0; --steps) {
                const std::string bucket = random() % 2 == 0 ? "b" : "c";
                if (!tx.has_bucket(Structure::btree, bucket)) {
                    tx.create_bucket(Structure::btree, bucket);
                } else if (random() % 8 == 0) {
                    tx.delete_bucket(Structure::btree, bucket);
                    continue;
                }
                tx.btree(bucket).put("k" + std::to_string(random() % 3), std::to_string(i));
            }
            tx.btree("d").put("k", std::to_string(i));
        });
        if (random() % 4 == 0) {
            co_await yield();
        }
    }
}

/// With buckets b and c at revisions 1 and 2, commits revisions 3 to 9: a put into b, its end, its
/// successor with a put, a put into c, the end of c, a put into b.
Task end_two_buckets(Database db)
{
    co_await put(db, "b", "k", "3");
    co_await drop(db, "b");
    co_await create(db, "b");
    co_await put(db, "b", "k", "6");
    co_await put(db, "c", "k", "7");
    co_await drop(db, "c");
    co_await put(db, "b", "k", "9");
}

const Strings two_buckets_end{"b:3.0 put k=3", "b:4.0 bucket_deleted", "c:7.0 put k=7",
                              "c:8.0 bucket_deleted"};

const Selectors two_buckets{in("b", prefix("k")), in("c", all())};

}  // namespace

// Selectors of each kind, and watches of several buckets.
BOOST_FIXTURE_TEST_SUITE(test_selectors, EventLoop)

// W1 W3
BOOST_AUTO_TEST_CASE(each_kind_selects_its_keys_live_from_history_and_pulled)
{
    const std::string zero("\0x", 2);
    const std::vector<std::pair<Selectors, Strings>> cases{
        {in("b", key("u/1")), {"u/1", "u/1"}},
        {in("b", key(zero)), {zero}},
        {in("b", prefix("u/")), {"u/1", "u/2", "u/1"}},
        {in("b", prefix("\xff")), {"\xffy"}},
        {in("b", prefix("")), {"a", "u/1", "u/2", zero, "\xffy", "u/1"}},
        {in("b", range("a", "u/2")), {"a", "u/1", "u/1"}},
        {in("b", range("u/2", "")), {"u/2", "\xffy"}},
        {in("b", range("", "a")), {zero}},
        {in("b", glob("*[1y]")), {"u/1", "\xffy", "u/1"}},
        {in("b", glob("u/?")), {"u/1", "u/2", "u/1"}},
        {in("b", all()), {"a", "u/1", "u/2", zero, "\xffy", "u/1"}},
        {whole_database(), {"a", "u/1", "other", "u/2", zero, "\xffy", "u/1"}},
        {{in("b", key("u/2")), in("c", all()), in("b", prefix("u/"))},
         {"u/1", "other", "u/2", "u/1"}}};
    run([&]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "c");
        std::vector<Recorder> live(cases.size());
        std::vector<Run> runs;
        for (std::size_t i = 0; i < cases.size(); ++i) {
            runs.push_back(co_await start(db.watch(cases[i].first, live[i])));
        }
        co_await db.update([&](Transaction& tx) {
            tx.btree("b").put("a", "1");
            tx.btree("b").put("u/1", "1");
            tx.btree("c").put("other", "1");
            tx.btree("b").put("u/2", "1");
            tx.btree("b").put(zero, "1");
            tx.btree("b").put("\xffy", "1");
        });
        co_await erase(db, "b", "u/1");
        std::vector<Recorder> late;
        std::vector<Recorder> asked;
        for (const auto& [selectors, keys] : cases) {
            late.push_back(co_await called_back(db, selectors, from(3)));
            asked.push_back(co_await pulled(db, selectors, from(3)));
        }
        co_await db.close();
        for (std::size_t i = 0; i < cases.size(); ++i) {
            BOOST_TEST(live[i].keys() == cases[i].second);
            BOOST_TEST(late[i].lines() == live[i].lines());
            BOOST_TEST(asked[i].lines() == live[i].lines());
        }
    });
}

// W1 W4: one stream, in which a message that several selectors match comes once, and the last
// message of a commit is marked regardless of its bucket.
BOOST_AUTO_TEST_CASE(several_buckets_are_one_ordered_stream)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "c");
        const Selectors selectors{in("b", prefix("k")), in("c", key("k")), in("b", key("k")),
                                  in("b", glob("*"))};
        Strings seen;
        std::vector<std::size_t> sizes;
        const auto by_message = [&](const Message& message) {
            seen.push_back(std::string(message.bucket) + ':' + line_of(message) +
                           (message.last_in_commit ? "!" : ""));
        };
        const auto by_commit = [&](const Commit& commit) { sizes.push_back(commit.size()); };
        const Run first = co_await start(db.watch(selectors, by_message));
        const Run second = co_await start(db.watch(selectors, by_commit));
        for (const char* value : {"1", "2"}) {
            co_await db.update([&](Transaction& tx) {
                tx.btree("c").put("k", value);
                tx.btree("b").put("k", value);
                tx.btree("b").put("x", value);
                tx.btree("c").put("k", value);
                tx.btree("c").put("k2", value);
            });
        }
        co_await db.close();
        const Strings expected{"c:3.0 put k=1", "b:3.1 put k=1", "b:3.2 put x=1", "c:3.3 put k=1!",
                               "c:4.0 put k=2", "b:4.1 put k=2", "b:4.2 put x=2", "c:4.3 put k=2!"};
        BOOST_TEST(seen == expected);
        BOOST_TEST(sizes == (std::vector<std::size_t>{4, 4}));
    });
}

// W11
BOOST_AUTO_TEST_CASE(a_live_watcher_of_two_buckets_ends_with_the_last_of_them)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "c");
        const Recorder recorder;
        const Recorder taken;
        Watcher watcher = db.watch(two_buckets, recorder);
        PullWatcher puller = db.watch(two_buckets);
        const Run run = co_await start(watcher);
        const Job job = co_await spawn(take_all(puller, taken));
        co_await puller.wait_ready(patience);
        co_await end_two_buckets(db);
        const WatchEnd end = co_await run.end();
        co_await job.join();
        BOOST_TEST(end.reason == EndReason::bucket_deleted);
        BOOST_TEST(end.position.revision == 8U);
        BOOST_TEST(texts_of(recorder.messages()) == two_buckets_end);
        BOOST_TEST(puller.ended()->reason == EndReason::bucket_deleted);
        BOOST_TEST(texts_of(taken.messages()) == two_buckets_end);
        co_await db.close();
    });
}

// W3 W11: with a large inbox it joins first, and finds the end of b in the history that it still
// has to read. With a small one it reads by itself until it is near the present.
BOOST_AUTO_TEST_CASE(a_catching_up_watch_ends_with_the_last_of_its_buckets_too)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "c");
        co_await end_two_buckets(db);
        for (const std::size_t buffer_messages : {1U, 3U, 1024U}) {
            const Recorder recorder;
            const Recorder taken;
            Watcher watcher = db.watch(two_buckets, recorder, from(3, buffer_messages));
            const WatchEnd end = co_await watcher.run();
            BOOST_TEST(end.reason == EndReason::bucket_deleted);
            BOOST_TEST(end.position.revision == 8U);
            BOOST_TEST(texts_of(recorder.messages()) == two_buckets_end);
            PullWatcher puller = db.watch(two_buckets, from(3, buffer_messages));
            co_await take_all(puller, taken);
            BOOST_TEST(puller.ended()->reason == EndReason::bucket_deleted);
            BOOST_TEST(texts_of(taken.messages()) == two_buckets_end);
        }
        co_await db.close();
    });
}

// W3 W7: a lost bucket stays lost, even if one of the same name is created, and the position
// advances.
BOOST_AUTO_TEST_CASE(a_lost_bucket_does_not_come_back)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "c");
        co_await drop(db, "b");
        co_await create(db, "b");
        co_await put(db, "b", "k", "5");
        std::vector<Recorder> seen;
        std::vector<Run> runs;
        std::vector<Watcher> watchers;
        for (const std::size_t buffer_messages : {1U, 1024U}) {
            seen.emplace_back();
            watchers.push_back(db.watch(two_buckets, seen.back(), from(3, buffer_messages)));
            runs.push_back(co_await start(watchers.back()));
        }
        for (int i = 0; i < 20; ++i) {
            co_await put(db, "b", "k", "no");
            co_await put(db, "c", "k", "yes");
            co_await drop(db, "b");
            co_await create(db, "b");
        }
        for (std::size_t i = 0; i < watchers.size(); ++i) {
            co_await watchers[i].reached(db.head_revision());
            BOOST_TEST(watchers[i].position() == db.head_position());
            BOOST_TEST(seen[i].size() == 21U);
            BOOST_TEST(!runs[i].done());
        }
        co_await db.close();
        for (const Run& each : runs) {
            const WatchEnd end = co_await each.end();
            BOOST_TEST(end.reason == EndReason::database_closed);
        }
    });
}

// W1 W2 W3: the same for every start and every size of the inbox.
BOOST_AUTO_TEST_CASE(randomly_created_and_deleted_buckets_are_followed_correctly)
{
    const std::uint32_t seed = std::random_device()();
    BOOST_TEST_MESSAGE("seed " << seed);
    run([&]() -> Task {
        Database db = co_await open_with("d");
        std::mt19937 random(seed);
        const Selectors selectors{in("b", all()), in("c", all()), in("d", key("k"))};
        const Recorder everything;
        const Run whole = co_await start(db.watch(whole_database(), everything));
        const Job writer = co_await spawn(come_and_go(db, seed, 300));
        std::vector<std::pair<Revision, Recorder>> seen;
        std::vector<Run> runs;
        std::vector<Job> jobs;
        while (!writer.done()) {
            const Revision first = 2 + random() % db.head_revision();
            const WatchOptions options = from(first, random() % 2 == 0 ? 2 : 100);
            seen.emplace_back(first, Recorder());
            if (random() % 2 == 0) {
                runs.push_back(co_await start(db.watch(selectors, seen.back().second, options)));
            } else {
                jobs.push_back(
                    co_await spawn(take_all(db.watch(selectors, options), seen.back().second)));
            }
            for (auto turns = random() % 20; turns > 0; --turns) {
                co_await yield();
            }
        }
        co_await writer.join();
        co_await db.close();
        for (const Job& each : jobs) {
            co_await each.join();
        }
        BOOST_TEST(seen.size() > 5U);
        for (const auto& [first, recorder] : seen) {
            BOOST_TEST(texts_of(recorder.messages()) ==
                       expected_of(everything, {"b", "c", "d"}, first));
        }
    });
}

// W11
BOOST_AUTO_TEST_CASE(the_whole_database_has_no_end_and_includes_new_buckets)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder live;
        Watcher watcher = db.watch(whole_database(), live);
        const Run run = co_await start(watcher);
        co_await drop(db, "b");
        co_await create(db, "new", Structure::list);
        co_await db.update([](Transaction& tx) { tx.list("new").push_back("l", "v"); });
        co_await create(db, "b");
        co_await put(db, "b", "k", "v");
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(!run.done());
        const Strings expected{"b:2.0 bucket_deleted", "new:3.0 bucket_created",
                               "new:4.0 push_back l=v", "b:5.0 bucket_created", "b:6.0 put k=v"};
        BOOST_TEST(texts_of(live.messages()) == expected);
        const Recorder late = co_await called_back(db, whole_database(), from(2));
        BOOST_TEST(texts_of(late.messages()) == expected);
        const Recorder asked = co_await pulled(db, whole_database(), from(2));
        BOOST_TEST(texts_of(asked.messages()) == expected);
        co_await db.close();
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::database_closed);
    });
}

BOOST_AUTO_TEST_CASE(invalid_selectors_are_refused)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const std::vector<std::pair<Selectors, Error>> cases{
            {in("b", key("")), Error::empty_key},
            {in("", all()), Error::invalid_name},
            {in(std::string(65536, 'b'), all()), Error::invalid_name},
            {in("b", range("b", "a")), Error::invalid_option},
            {in("b", range("b", "b")), Error::invalid_option},
            {in("b", glob("[")), Error::invalid_pattern},
            {Selectors(std::vector<BucketSelector>()), Error::invalid_option},
            {{whole_database(), in("b", glob("a\\"))}, Error::invalid_pattern}};
        for (const auto& [selectors, error] : cases) {
            BOOST_TEST(failure_of([&] { db.watch(selectors, Recorder()); }) == code(error));
            BOOST_TEST(failure_of([&] { db.watch(selectors); }) == code(error));
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
