// SPDX-License-Identifier: BSL-1.0
#include "support/model/mirror.hpp"
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

WatchOptions tiny(std::size_t messages = 2)
{
    WatchOptions options;
    options.buffer_messages = messages;
    return options;
}

/// Returns lists of selectors of the buckets `one` and `two`, of every kind.
std::vector<Selectors> all_selectors()
{
    return {
        whole_database(),
        in("one", all()),
        in("one", key("ab")),
        in("one", key("nothing")),
        in("one", prefix("a")),
        in("one", prefix("")),
        in("one", range("a", "b")),
        in("one", range("ab", "")),
        in("one", glob("a?")),
        in("one", glob("*b")),
        in("nothing", all()),
        {in("one", prefix("a")), in("one", range("aa", "c")), in("one", key("ab"))},
        {in("two", key("a")), in("one", key("b"))},
        {in("two", all()), in("one", glob("*b*")), in("nothing", all())},
        {in("one", key("b")), whole_database()},
    };
}

ModelState read_now(const Snapshot& snapshot)
{
    return read_state(snapshot, Time{});
}

}  // namespace

// `From::snapshot`: the state of a bucket, its marker, and the changes after it.
BOOST_FIXTURE_TEST_SUITE(test_snapshot, EventLoop)

// W8: exactly one marker, whatever the snapshot contains.
BOOST_AUTO_TEST_CASE(an_empty_snapshot_has_a_marker_too)
{
    run([]() -> Task {
        Database db = co_await open_database(watched_options());
        const auto executor = co_await asio::this_coro::executor;
        for (const Way way : all_ways) {
            const Mirrored none(executor, db, in("nothing", all()), {}, way);
            co_await until([&] { return none.mirror().synced().has_value(); });
            BOOST_TEST(*none.mirror().synced() == db.head_revision());
            BOOST_TEST(none.mirror().state_messages() == 0U);
            co_await create(db, "later");
            co_await none.reached(db.head_revision());
            none.request_stop();
            BOOST_TEST((co_await none.end()).position == db.head_position());
            co_await drop(db, "later");
        }
        co_await db.close();
    });
}

// W8 W13: the same for a database in which nothing was ever committed.
BOOST_AUTO_TEST_CASE(closing_delivers_the_marker_of_an_empty_database)
{
    run([]() -> Task {
        for (const Way way : all_ways) {
            Database db = co_await open_database(watched_options());
            const auto executor = co_await asio::this_coro::executor;
            const Mirrored watch(executor, db, whole_database(), {}, way);
            co_await yield();
            co_await db.close();
            BOOST_TEST((co_await watch.end()).position.revision == 0U);
            BOOST_TEST(watch.mirror().synced() == 0U);
        }
    });
}

// W8 W10: every selector, in every way, with commits between any two parts.
BOOST_AUTO_TEST_CASE(snapshot_and_changes_equal_the_database)
{
    run([]() -> Task {
        const auto executor = co_await asio::this_coro::executor;
        for (const Way way : all_ways) {
            Database db = co_await open_database(watched_options());
            co_await fill_every_structure(db, "one");
            co_await fill_every_structure(db, "two");
            std::vector<Mirrored> watches;
            for (const Selectors& selectors : all_selectors()) {
                watches.emplace_back(executor, db, selectors, tiny(), way, 3);
            }
            const auto change = [&](Transaction& tx) {
                const std::string round = std::to_string(db.head_revision());
                for (const std::string bucket : {"one", "two"}) {
                    tx.btree(bucket).put("ab", round);
                    tx.btree(bucket).put("a" + round, round);
                    tx.list(bucket).push_front("b", round);
                    tx.list(bucket).pop_back("a");
                    tx.set(bucket).add("ab", round);
                    tx.set(bucket).pop("b");
                    tx.sorted_set(bucket).increment("ab", "low", 3);
                }
            };
            const auto all_synced = [&] {
                return std::ranges::all_of(watches, [](const Mirrored& each) {
                    return each.mirror().synced().has_value();
                });
            };
            while (!all_synced()) {
                co_await db.update(change);
            }
            co_await db.update(change);
            const auto reader = [](const Snapshot& snapshot) { return read_now(snapshot); };
            const ModelState state = co_await db.view(reader);
            std::size_t at = 0;
            for (const Selectors& selectors : all_selectors()) {
                const Mirrored& watch = watches[at++];
                co_await watch.reached(db.head_revision());
                BOOST_TEST_CONTEXT("way " << static_cast<int>(way) << ", selectors " << at)
                {
                    BOOST_TEST(*watch.mirror().synced() < db.head_revision());
                    BOOST_TEST(describe(selected(watch.mirror().state(), selectors)) ==
                               describe(selected(state, selectors)));
                    BOOST_TEST(selected(watch.mirror().state(), selectors) ==
                               selected(watch.mirror().state(), {whole_database()}));
                }
                watch.request_stop();
                co_await watch.end();
            }
            co_await db.close();
        }
    });
}

// W8: a commit between any two messages of a snapshot, to keys before and after the current place.
BOOST_AUTO_TEST_CASE(each_part_may_be_followed_by_a_commit)
{
    run([]() -> Task {
        for (const Selectors& selectors : all_selectors()) {
            Database db = co_await open_database(watched_options());
            co_await fill_every_structure(db, "one");
            co_await fill_every_structure(db, "two");
            const Mirror mirror;
            const auto callback = [mirror, db](const Message& message) -> Task {
                mirror(message);
                if (message.snapshot) {
                    const auto change = [&](Transaction& tx) {
                        const std::string key(message.key.empty() ? "a" : message.key);
                        tx.btree("one").put(key + "0", key);
                        tx.btree("one").erase("a");
                        tx.list("two").push_back(key, key);
                        tx.set("one").add("b", key + "member");
                        tx.sorted_set("two").increment("ab", key, 1);
                    };
                    Database database = db;
                    co_await database.update(change);
                }
            };
            WatchOptions options = tiny(1);
            options.from = From::snapshot();
            Watcher watcher = db.watch(selectors, callback, options);
            const Run run = co_await start(watcher);
            co_await until([&] { return mirror.synced().has_value(); });
            co_await watcher.reached(db.head_revision());
            const auto read = [](const Snapshot& snapshot) { return read_now(snapshot); };
            const ModelState state = co_await db.view(read);
            BOOST_TEST(*mirror.synced() == 2U);
            BOOST_TEST(db.head_revision() == 2U + mirror.state_messages());
            BOOST_TEST(describe(selected(mirror.state(), selectors)) ==
                       describe(selected(state, selectors)));
            co_await watcher.stop();
            co_await run.end();
            co_await db.close();
        }
    });
}

// W9: a watch that never takes the second part of its snapshot delays nothing, and its database can
// close.
BOOST_AUTO_TEST_CASE(a_snapshot_that_is_never_read_delays_nothing)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 10);
        WatchOptions options = tiny();
        options.from = From::snapshot();
        PullWatcher stuck = db.watch("b", all(), options);
        BOOST_TEST(co_await stuck.wait());
        const auto first = stuck.try_next();
        const auto executor = co_await asio::this_coro::executor;
        const Mirrored other(executor, db, in("b", all()), tiny(), Way::coroutine);
        co_await put_many(db, "b", 10);
        co_await other.reached(db.head_revision());
        BOOST_TEST(other.mirror().state().btrees.at("b").size() == 10U);
        co_await db.close(1ms);
        co_await other.end();
        BOOST_TEST((*first)[0].snapshot);
        BOOST_TEST(!co_await stuck.wait());
        BOOST_TEST(stuck.position().revision == 0U);
    });
}

BOOST_AUTO_TEST_SUITE_END()
