// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;

/// Options with small buffers everywhere, so that one commit overflows all of them.
Options tiny_pipeline()
{
    Options options = watched_options();
    options.hub_messages = 2;
    options.batch_messages = 2;
    options.distribute_batches = 1;
    options.victim_sets = 1;
    return options;
}

void put_numbered(BTree tree, int count)
{
    for (int i = 0; i < count; ++i) {
        tree.put("k" + std::to_string(i), "v");
    }
}

}  // namespace

// Defects that comparable stores are known for. Each case is named after what must hold here.
BOOST_FIXTURE_TEST_SUITE(test_peer_defects, EventLoop)

// W3 W11. The end of a bucket is the last of thousands of messages of one transaction.
BOOST_AUTO_TEST_CASE(a_deletion_after_thousands_of_puts_in_its_transaction_is_delivered)
{
    run([]() -> Task {
        Database db = co_await open_with(tiny_pipeline(), "b");
        const Recorder all;
        const Recorder one;
        Watcher whole_watcher = db.watch("b", keywatch::all(), all);
        Watcher single_watcher = db.watch("b", key("k4999"), one);
        const Run whole = co_await start(whole_watcher);
        const Run single = co_await start(single_watcher);
        co_await db.update([](Transaction& tx) {
            put_numbered(tx.btree("b"), 5'000);
            tx.delete_bucket(Structure::btree, "b");
        });
        co_await create(db, "b");
        co_await put(db, "b", "k4999", "of a later bucket");
        const WatchEnd end_of_whole = co_await whole.end();
        const WatchEnd end_of_single = co_await single.end();
        BOOST_TEST(end_of_whole.reason == EndReason::bucket_deleted);
        BOOST_TEST(end_of_single.reason == EndReason::bucket_deleted);
        BOOST_TEST(all.size() == 5'001U);
        const Strings expected{"2.4999 put k4999=v", "2.5000 bucket_deleted"};
        BOOST_TEST(one.lines() == expected);
        co_await db.close();
    });
}

// W2 W11. A watch that begins with the new bucket is not ended by the deletion of the old one.
BOOST_AUTO_TEST_CASE(a_deletion_is_delivered_once_and_not_to_watches_of_the_next_bucket)
{
    run([]() -> Task {
        Database db = co_await open_with(tiny_pipeline(), "b");
        std::vector<Recorder> recorders(8);
        std::vector<Run> runs;
        for (std::size_t i = 0; i < recorders.size(); ++i) {
            if (i > 0) {
                co_await create(db, "b");
            }
            Watcher watcher = db.watch("b", key("k"), recorders[i]);
            runs.push_back(co_await start(watcher));
            co_await put(db, "b", "k", std::to_string(i));
            if (i + 1 < recorders.size()) {
                co_await drop(db, "b");
            }
        }
        co_await db.close();
        for (std::size_t i = 0; i < runs.size(); ++i) {
            const bool last = i + 1 == runs.size();
            const WatchEnd end = co_await runs[i].end();
            BOOST_TEST(end.reason ==
                       (last ? EndReason::database_closed : EndReason::bucket_deleted));
            BOOST_TEST(recorders[i].size() == (last ? 1U : 2U));
        }
    });
}

// Durable puts are visible at once, regardless of what else is in their transaction.
BOOST_AUTO_TEST_CASE(puts_in_the_transaction_that_deletes_their_bucket_are_durable)
{
    run([]() -> Task {
        const TemporaryDirectory directory;
        const Options options = watched_options(directory / "db");
        Database db = co_await open_with(options, "b");
        co_await create(db, "other");
        co_await db.update([](Transaction& tx) {
            tx.btree("b").put("k", "v");
            tx.btree("other").put("before", "v");
            tx.delete_bucket(Structure::btree, "b");
            tx.btree("other").put("after", "v");
        });
        for (int opened = 0; opened < 2; ++opened) {
            co_await db.view([](const Snapshot& snapshot) {
                BOOST_TEST(!snapshot.has_bucket(Structure::btree, "b"));
                BOOST_TEST(snapshot.btree("other").get("before") == "v");
                BOOST_TEST(snapshot.btree("other").get("after") == "v");
            });
            co_await db.close();
            db = co_await open_database(options);
        }
        co_await db.close();
    });
}

// W1. Values and messages do not change when the string that they were created from is reused.
BOOST_AUTO_TEST_CASE(reused_strings_change_neither_values_nor_messages)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::string key = "k1";
        std::string value = "AAAA";
        co_await db.update([&](Transaction& tx) {
            tx.btree("b").put(key, value);
            key = "k2";
            value = "BBBB";
            tx.btree("b").put(key, value);
            key = "k3";
            value = "CCCC";
        });
        BOOST_TEST(co_await get(db, "b", "k1") == "AAAA");
        BOOST_TEST(co_await get(db, "b", "k2") == "BBBB");
        const Strings expected{"2.0 put k1=AAAA", "2.1 put k2=BBBB"};
        BOOST_TEST(co_await history_of(db, "b", all(), From::revision(2)) == expected);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(bits_set_in_a_transaction_that_fails_are_as_they_were)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put(db, "b", "k", "AAAA");
        const auto fails = [](Transaction& tx) {
            tx.btree("b").set_bit("k", 3, true);
            BOOST_TEST(tx.btree("b").get("k") == "QAAA");
            throw std::out_of_range("on purpose");
        };
        BOOST_CHECK_THROW(co_await db.update(fails), std::out_of_range);
        BOOST_TEST(co_await get(db, "b", "k") == "AAAA");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(messages_of_all_structures_tell_the_time_in_the_same_unit)
{
    run([]() -> Task {
        Time now{123'456'789us};
        Options options = watched_options();
        options.clock = [&] { return now; };
        Database db = co_await open_with(options, "b");
        std::vector<OwnedMessage> seen;
        const auto take = [&](const Message& message) { seen.emplace_back(message); };
        Watcher watcher = db.watch("b", all(), take);
        const Run run = co_await start(watcher);
        co_await put(db, "b", "k", "v");
        co_await create(db, "b", Structure::set);
        co_await db.update([](Transaction& tx) { tx.set("b").add("k", "m"); });
        co_await drop(db, "b", Structure::set);
        co_await drop(db, "b");
        co_await run.end();
        BOOST_TEST(seen.size() == 5U);
        for (const OwnedMessage& each : seen) {
            BOOST_TEST(each->time == now);
        }
        co_await db.close();
    });
}

// W1. Changes that the store makes to its files are not messages.
BOOST_AUTO_TEST_CASE(compacting_and_reopening_make_no_messages)
{
    run([]() -> Task {
        const TemporaryDirectory directory;
        Options options = watched_options(directory / "db");
        options.write_buffer_bytes = 65536;
        Database db = co_await open_with(options, "b");
        for (int round = 0; round < 20; ++round) {  // creates many tables that overlap
            co_await db.update([](Transaction& tx) { put_numbered(tx.btree("b"), 1'000); });
        }
        const Position position = db.head_position();
        for (int opened = 0; opened < 3; ++opened) {
            co_await db.close();
            db = co_await open_database(options);
        }
        BOOST_TEST(db.head_revision() == position.revision);
        co_await put(db, "b", "k", "new");
        const Strings expected{"22.0 put k=new"};
        BOOST_TEST(co_await history_of(db, "b", all(), From::after(position)) == expected);
        co_await db.close();
    });
}

// A function that throws releases the writer lock, whatever it throws.
BOOST_AUTO_TEST_CASE(after_a_function_has_thrown_other_transactions_continue)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto updating = [](Transaction& tx) {
            tx.btree("b").put("k", "v");
            throw 7;
        };
        const auto viewing = [](const Snapshot&) { throw "text"; };
        BOOST_CHECK_THROW(co_await db.update(updating), int);
        BOOST_CHECK_THROW(co_await db.view(viewing), const char*);
        co_await put(db, "b", "k2", "v");
        BOOST_TEST(!(co_await get(db, "b", "k")));
        BOOST_TEST(co_await get(db, "b", "k2") == "v");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(operations_of_a_transaction_see_those_before_them)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 3);
        co_await db.update([](Transaction& tx) {
            BTree tree = tx.btree("b");
            BOOST_TEST(tree.erase("k0"));
            BOOST_TEST(!tree.erase("k0"));
            BOOST_TEST(tree.erase("k1"));
            BOOST_TEST(tree.put_if_absent("k1", "again"));
            tree.put("j", "first");
            tree.put("k15", "between");
            tree.put("l", "last");
            BOOST_TEST(tree.range("", "z").keys() == (Strings{"j", "k1", "k15", "k2", "l"}));
            BOOST_TEST(tree.prefix("k").keys() == (Strings{"k1", "k15", "k2"}));
            BOOST_TEST(tree.first_key() == "j");
            BOOST_TEST(tree.last_key() == "l");
        });
        BOOST_TEST(co_await get(db, "b", "k1") == "again");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(operations_that_change_a_value_use_the_one_on_disk)
{
    run([]() -> Task {
        const TemporaryDirectory directory;
        const Options options = watched_options(directory / "db");
        Database db = co_await open_with(options, "b");
        co_await db.update([](Transaction& tx) {
            tx.btree("b").put("text", "hello");
            tx.btree("b").put("number", "41");
        });
        co_await db.close();
        db = co_await open_database(options);
        co_await db.update([](Transaction& tx) {
            BTree tree = tx.btree("b");
            BOOST_TEST(tree.append("text", "!") == 6U);
            BOOST_TEST(tree.increment("number") == 42);
            BOOST_TEST(!tree.set_bit("text", 0, true));
            BOOST_TEST(tree.exchange("text", "bye") ==
                       "\xe8"
                       "ello!");
        });
        BOOST_TEST(co_await get(db, "b", "number") == "42");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
