// SPDX-License-Identifier: BSL-1.0
#include "support/engine/expiry_tools.hpp"
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

asio::awaitable<std::optional<std::chrono::milliseconds>> ttl(Database db, std::string key)
{
    co_return co_await db.view(
        [&](const Snapshot& snapshot) { return snapshot.btree("b").ttl(key); });
}

}  // namespace

// Keys with deadlines, and how they are removed.
BOOST_FIXTURE_TEST_SUITE(test_expiry, Expiry)

BOOST_AUTO_TEST_CASE(an_expired_key_is_removed_with_a_message_that_has_its_value)
{
    run([this]() -> Task {
        Database db = co_await open();
        Watcher watcher = db.watch("b", key("k"), recorder);
        const Run run = co_await start(watcher);
        co_await db.put("b", "k", "v", 100ms);
        co_await db.put("b", "forever", "v");
        clock.advance(100ms);
        co_await until_expired(1);
        BOOST_TEST(recorder.size() == 2U);
        BOOST_TEST(expired() == Strings{"k=v"});
        BOOST_TEST(recorder.messages()[0]->deadline == recorder.messages()[1]->time);
        BOOST_TEST(db.stats().engine.expired == 1U);
        BOOST_TEST(co_await get(db, "b", "forever") == "v");
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(an_expired_key_is_invisible_even_before_a_sweep)
{
    run([this]() -> Task {
        Database db = co_await open();
        co_await db.put("b", "k", "v", 100ms);
        clock.advance(100ms);
        // There was no suspension since then, so nothing else can have run on this loop.
        const bool there = co_await db.view(
            [](const Snapshot& snapshot) { return snapshot.btree("b").contains("k"); });
        BOOST_TEST(!there);
        BOOST_TEST(db.stats().engine.expired == 0U);
        co_await until([&] { return db.stats().engine.expired == 1; });
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(time_stands_still_within_a_transaction_and_a_view)
{
    run([this]() -> Task {
        Database db = co_await open();
        co_await db.put("b", "k", "v", 10ms);
        const auto look = [this](const BTreeView tree) {
            BOOST_TEST(tree.ttl("k") == 10ms);
            clock.advance(10ms);
            BOOST_TEST(tree.ttl("k") == 10ms);
            BOOST_TEST(tree.get("k") == "v");
            BOOST_TEST(tree.first_key() == "k");
        };
        co_await db.view([&](const Snapshot& snapshot) { look(snapshot.btree("b")); });
        co_await db.update([&](Transaction& tx) {
            tx.btree("b").put("k", "v", 10ms);
            look(tx.btree("b"));
        });
        co_await db.close();
    });
}

// A store that counts in whole ticks would expire a key at the beginning of its tick.
BOOST_AUTO_TEST_CASE(no_key_expires_before_its_millisecond)
{
    run([this]() -> Task {
        Database db = co_await open();
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        co_await db.put("b", "late", "v", 100ms);
        clock.advance(999us);
        co_await db.put("b", "early", "v", 99ms);
        clock.advance(99ms);  // one microsecond before the deadline of the other key
        co_await until_expired(1);
        BOOST_TEST(expired() == Strings{"early=v"});
        BOOST_TEST(co_await get(db, "b", "late") == "v");
        BOOST_TEST(co_await ttl(db, "late") == 1ms);
        clock.advance(1us);
        BOOST_TEST(co_await get(db, "b", "late") == std::nullopt);
        co_await until_expired(2);
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

// A store with a timer for each deadline would fire for a key whose deadline has changed since.
BOOST_AUTO_TEST_CASE(renewing_clearing_and_overwriting_cancel_the_old_deadline)
{
    run([this]() -> Task {
        Database db = co_await open();
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        co_await db.update([](Transaction& tx) {
            BTree tree = tx.btree("b");
            for (const char* key : {"cleared", "overwritten", "renewed", "reset", "exchanged"}) {
                tree.put(key, "v", 10ms);
            }
            tree.put("cleared in it", "v", 10ms);
            tree.clear_ttl("cleared in it");
        });
        co_await db.update([](Transaction& tx) {
            BTree tree = tx.btree("b");
            BOOST_TEST(tree.clear_ttl("cleared"));
            tree.put("overwritten", "w");
            tree.put("renewed", "w", 30ms);
            BOOST_TEST(tree.set_ttl("reset", 30ms));
            BOOST_TEST(tree.exchange("exchanged", "w") == "v");
        });
        clock.advance(28ms);
        co_await sweep_up_to_now(db);
        BOOST_TEST(expired() == Strings{"marker=m"});
        BOOST_TEST(co_await ttl(db, "renewed") == 1ms);
        clock.advance(1ms);
        co_await until_expired(3);
        BOOST_TEST(expired() == (Strings{"marker=m", "renewed=w", "reset=v"}));
        for (const std::string key : {"cleared", "overwritten", "exchanged", "cleared in it"}) {
            BOOST_TEST((co_await get(db, "b", key)).has_value(), key);
            BOOST_TEST(!(co_await ttl(db, key)).has_value(), key);
        }
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(after_a_reopen_only_the_remaining_time_counts)
{
    run([this]() -> Task {
        const TemporaryDirectory directory;
        Database db = co_await open_with(options(directory / "db"), "b");
        co_await db.put("b", "away", "v", 10ms);
        co_await db.put("b", "k", "v", 100ms);
        co_await db.close();
        clock.advance(60ms);
        db = co_await open_database(options(directory / "db"));
        Watcher watcher = db.watch("b", all(), recorder, watch_from(From::revision(1)));
        const Run run = co_await start(watcher);
        BOOST_TEST(co_await get(db, "b", "away") == std::nullopt);
        BOOST_TEST(co_await ttl(db, "k") == 40ms);
        co_await until_expired(1);
        BOOST_TEST(expired() == Strings{"away=v"});
        clock.advance(40ms);
        co_await until_expired(2);
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(the_same_key_in_two_buckets_has_two_deadlines)
{
    run([this]() -> Task {
        Database db = co_await open();
        co_await create(db, "c");
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        co_await db.update([](Transaction& tx) {
            tx.btree("b").put("k", "in b", 20ms);
            tx.btree("c").put("k", "in c", 20ms);
            tx.btree("c").set_ttl("k", 40ms);
        });
        clock.advance(20ms);
        co_await until_expired(1);
        BOOST_TEST(co_await get(db, "c", "k") == "in c");
        clock.advance(20ms);
        co_await until([&] { return db.stats().engine.expired == 2; });
        BOOST_TEST(expired() == Strings{"k=in b"});
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(deadlines_of_a_deleted_bucket_do_not_affect_its_successor)
{
    run([this]() -> Task {
        Database db = co_await open();
        co_await create(db, "c");
        co_await db.update([](Transaction& tx) {
            for (int i = 0; i < 1000; ++i) {
                tx.btree("c").put("k" + std::to_string(i), "v", 20ms);
            }
        });
        co_await drop(db, "c");
        co_await create(db, "c");
        co_await db.put("c", "k0", "w");
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        clock.advance(20ms);
        const Revision before = db.head_revision();
        co_await sweep_up_to_now(db);
        BOOST_TEST(co_await get(db, "c", "k0") == "w");
        BOOST_TEST(db.stats().engine.expired == 1U);
        // Commits without messages removed the index entries; watchers skip them.
        BOOST_TEST(db.head_revision() > before + 2);
        co_await watcher.reached(db.head_revision());
        const Strings history = co_await history_of(db, "b", all(), From::revision(1));
        BOOST_TEST(history.size() == 3U);
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_write_to_an_expired_key_removes_it_first)
{
    run([this]() -> Task {
        Database db = co_await open();
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        co_await db.put("b", "k", "v", 10ms);
        clock.advance(10ms);
        // This is called before the loop can start a sweep.
        const Revision revision = co_await db.put("b", "k", "w");
        co_await watcher.reached(revision);
        const auto& messages = recorder.messages();
        BOOST_TEST_REQUIRE(messages.size() == 3U);
        BOOST_TEST(messages[1]->revision == revision);
        BOOST_TEST(messages[1]->cause == Cause::expired);
        BOOST_TEST(messages[1]->previous == "v");
        BOOST_TEST(messages[2]->operation == Operation::put);
        BOOST_TEST(messages[2]->cause == Cause::user);
        clock.advance(10ms);
        co_await sweep_up_to_now(db);
        BOOST_TEST(expired() == (Strings{"k=v", "marker=m"}));
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

// The expiry is not an effect of the excluded origin. Without it, a copy would keep the old
// content.
BOOST_AUTO_TEST_CASE(a_watch_without_its_own_writes_receives_expiries_caused_by_them)
{
    run([this]() -> Task {
        Database db = co_await open();
        co_await create(db, "b", Structure::list);
        WatchOptions others;
        others.filter.except_origin = "self";
        Watcher watcher = db.watch("b", all(), recorder, others);
        const Run run = co_await start(watcher);
        const auto push = [](Transaction& tx) {
            tx.set_origin("self");
            tx.list("b").push_back("l", "x");
            tx.list("b").set_ttl("l", 10ms);
        };
        co_await db.update(push);
        clock.advance(10ms);
        const Revision revision = co_await db.update(push);
        co_await watcher.reached(revision);
        BOOST_TEST_REQUIRE(recorder.size() == 1U);
        BOOST_TEST(recorder.messages()[0]->revision == revision);
        BOOST_TEST(recorder.messages()[0]->cause == Cause::expired);
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_database_without_watches_is_swept_too)
{
    run([this]() -> Task {
        Options unwatched = options();
        unwatched.enable_watch = false;
        Database db = co_await open_with(unwatched, "b");
        co_await db.put("b", "k", "v", 10ms);
        clock.advance(10ms);
        co_await until([&] { return db.stats().engine.expired == 1; });
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(large_values_are_removed_a_few_at_a_time)
{
    run([this]() -> Task {
        const TemporaryDirectory directory;
        Database db = co_await open_with(options(directory / "db"), "b");
        co_await db.put("b", "later", "v", 1h);
        for (int i = 0; i < 10; ++i) {
            co_await db.put("b", "k" + std::to_string(i), std::string(400'000, 'v'), 10ms);
        }
        co_await db.close();
        clock.advance(10ms);
        Options smaller = options(directory / "db");
        smaller.max_transaction_bytes = 1000;
        db = co_await open_database(smaller);
        co_await until([&] { return db.stats().engine.expired == 10; });
        // Three commits with three values each, and one with one.
        BOOST_TEST(db.head_revision() == 12U + 4U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_deadline_does_not_keep_the_event_loop_running)
{
    Database db;
    run([&]() -> Task {
        db = co_await open();
        co_await db.put("b", "k", "v", 24h);
        co_await db.put("b", "due", "v", 1ms);
        clock.advance(1ms);
    });
    run([&]() -> Task {
        // The sweep continues when the loop runs.
        co_await until([&] { return db.stats().engine.expired == 1; });
        BOOST_TEST(co_await get(db, "b", "k") == "v");
    });
    clock.advance(24h);
    destroy();  // possibly with a sweep that was about to begin
    BOOST_TEST(db.stats().engine.expired == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
