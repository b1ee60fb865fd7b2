// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/held_watch.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;

/// Returns the names of the watches that a change of this key would reach.
Strings told_of(const Database& db, const std::string& bucket)
{
    Strings names;
    for (const WatcherInfo& each : db.explain(bucket, "k")) {
        names.push_back(each.name);
    }
    return names;
}

WatchOptions skipping(From from = From::now())
{
    return slow_watch(Overflow::skip, from);
}

}  // namespace

// `Overflow::skip`: messages that do not fit are skipped, and a gap reports them.
BOOST_FIXTURE_TEST_SUITE(test_overflow_skip, EventLoop)

BOOST_AUTO_TEST_CASE(a_gap_reports_what_was_skipped)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const HeldWatch one = co_await hold(db, in("b", all()), skipping());
        co_await put_many(db, "b", 10);
        co_await one.release(db);  // no commit follows, and the gap is delivered nevertheless
        BOOST_TEST(one.lines() ==
                   (Strings{"2.0 put held=", "3.0 put k0=0", "4.0 put k1=1", "5-12.0 gap x8"}));
        BOOST_TEST(one.watcher.position().revision == 12U);
        BOOST_TEST(one.watcher.info().gaps == 1U);
        BOOST_TEST(one.watcher.info().skipped == 8U);
        BOOST_TEST(one.watcher.info().fell_behind == 0U);
        co_await put(db, "b", "later", "");
        co_await one.watcher.reached(db.head_revision());
        BOOST_TEST(one.lines().back() == "13.0 put later=");
        co_await db.close();
        co_await one.run.end();
    });
}

// W3: a watch that began at the present receives a gap, even for commits made before it ran.
BOOST_AUTO_TEST_CASE(commits_missed_before_it_had_caught_up_are_a_gap)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Held held;
        Watcher watcher = db.watch("b", all(), held, skipping());
        co_await put(db, "b", "late", "");
        const Run run = co_await start(watcher);
        co_await until([&] { return held.gate.reached() == 1; });
        co_await put_many(db, "b", 20);
        co_await routed(db);
        BOOST_TEST(watcher.info().overflowed);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(lines_with_intervals(held.recorder) ==
                   (Strings{"2.0 put late=", "3-22.0 gap x20"}));
        BOOST_TEST(!watcher.info().overflowed);
        BOOST_TEST(watcher.info().skipped == 20U);
        co_await db.close();
        co_await run.end();
    });
}

// `info()` of a watch that is stuck shows what it loses.
BOOST_AUTO_TEST_CASE(a_gap_is_counted_before_it_is_delivered)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const HeldWatch one = co_await hold(db, in("b", all()), skipping());
        co_await put_many(db, "b", 10);
        co_await routed(db);
        BOOST_TEST(one.watcher.info().gaps == 1U);
        BOOST_TEST(one.watcher.info().skipped == 8U);
        co_await one.release(db);
        BOOST_TEST(one.watcher.info().skipped == 8U);
        co_await db.close();
        co_await one.run.end();
    });
}

BOOST_AUTO_TEST_CASE(a_gap_is_a_message_of_no_bucket)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const HeldWatch one = co_await hold(db, in("b", all()), skipping());
        co_await put_many(db, "b", 3);
        co_await one.release(db);
        const OwnedMessage gap = one.held.recorder.messages().back();
        BOOST_TEST(gap->operation == Operation::gap);
        BOOST_TEST(gap->last_in_commit);
        BOOST_TEST(!gap->snapshot);
        BOOST_TEST(gap->bucket.empty());
        BOOST_TEST(gap->key.empty());
        BOOST_TEST(gap->time != Time{});
        co_await db.close();
        co_await one.run.end();
    });
}

BOOST_AUTO_TEST_CASE(only_what_the_watch_selects_is_counted)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        WatchOptions options = skipping();
        options.filter.except_origin = "self";
        const Selectors both{in("b", key("held")), in("b", key("k"))};
        const HeldWatch one = co_await hold(db, both, options);
        for (int i = 0; i < 6; ++i) {
            co_await db.update([&](Transaction& tx) {
                tx.btree("b").put("k", "1");
                tx.btree("b").put("other", "1");
                tx.btree("b").put("k", "2");
                tx.set_origin(i % 2 == 0 ? "" : "self");
            });
        }
        co_await one.release(db);
        // Revisions 3, 5 and 7 match with two messages each; the first fits. Revision 8 has the
        // excluded origin.
        BOOST_TEST(one.lines().back() == "5-7.0 gap x4");
        BOOST_TEST(one.watcher.info().skipped == 4U);
        co_await db.close();
        co_await one.run.end();
    });
}

// The predicate is the program's code: it is called neither for skipped messages nor for the gap.
BOOST_AUTO_TEST_CASE(a_predicate_does_not_hide_a_gap)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        WatchOptions options = skipping();
        options.filter.predicate = [](const Message& message) {
            BOOST_TEST(message.operation == Operation::put);
            return message.key == "held";
        };
        const HeldWatch one = co_await hold(db, in("b", all()), options);
        co_await put_many(db, "b", 10);
        co_await one.release(db);
        BOOST_TEST(one.lines() == (Strings{"2.0 put held=", "5-12.0 gap x8"}));
        co_await db.close();
        co_await one.run.end();
    });
}

// W11: the end of a bucket is never skipped.
BOOST_AUTO_TEST_CASE(a_bucket_deleted_in_a_gap_ends_the_watch_after_the_gap)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const HeldWatch one = co_await hold(db, in("b", all()), skipping());
        co_await put_many(db, "b", 4);
        const auto put_and_drop = [](Transaction& tx) {
            tx.btree("b").put("last", "");
            tx.delete_bucket(Structure::btree, "b");
        };
        const Revision deleted = co_await db.update(put_and_drop);
        co_await create(db, "b");
        co_await put(db, "b", "new", "");
        co_await routed(db);
        one.held.gate.open();
        const WatchEnd end = co_await one.run.end();
        BOOST_TEST(end.reason == EndReason::bucket_deleted);
        BOOST_TEST(end.position.revision == deleted);
        BOOST_TEST(one.lines() == (Strings{"2.0 put held=", "3.0 put k0=0", "4.0 put k1=1",
                                           "5-6.0 gap x2", "7.0 put last=", "7.1 bucket_deleted"}));
        // W6: a consumer that stored the gap's revision receives the end.
        const Recorder rest;
        const Position gap{db.head_position().history, 6};
        Watcher resumed = db.watch("b", all(), rest, watch_from(From::after(gap)));
        const Run run = co_await start(resumed);
        BOOST_TEST((co_await run.end()).reason == EndReason::bucket_deleted);
        BOOST_TEST(rest.lines() == (Strings{"7.0 put last=", "7.1 bucket_deleted"}));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(of_several_buckets_only_the_one_that_was_deleted_in_a_gap_is_lost)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "c");
        WatchOptions options = skipping();
        options.name = "both";
        const Selectors both{in("b", all()), in("c", all())};
        const HeldWatch one = co_await hold(db, both, options);
        co_await put_many(db, "b", 4);
        co_await drop(db, "c");
        co_await create(db, "c");
        co_await put(db, "b", "k", "");
        co_await one.release(db);
        BOOST_TEST(one.lines() == (Strings{"3.0 put held=", "4.0 put k0=0", "5.0 put k1=1",
                                           "6-7.0 gap x2", "8.0 bucket_deleted", "10.0 gap x1"}));
        BOOST_TEST(told_of(db, "b") == Strings{"both"});
        BOOST_TEST(told_of(db, "c") == Strings{});
        const std::size_t before = one.held.recorder.size();
        co_await put(db, "c", "new", "");
        co_await put(db, "b", "last", "");
        co_await one.watcher.reached(db.head_revision());
        BOOST_TEST(one.lines().back() == "12.0 put last=");
        BOOST_TEST(one.held.recorder.size() == before + 1);
        co_await db.close();
        BOOST_TEST((co_await one.run.end()).reason == EndReason::database_closed);
    });
}

// Messages that history still has are not skipped.
BOOST_AUTO_TEST_CASE(catching_up_skips_nothing)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 100);
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, skipping(From::oldest()));
        const Run run = co_await start(watcher);
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(recorder.size() == 101U);
        co_await db.close();
        co_await run.end();
    });
}

// This also applies while it has joined and reads the history before its join.
BOOST_AUTO_TEST_CASE(commits_made_while_it_catches_up_are_not_skipped)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 2);
        const Held held;
        Watcher watcher = db.watch("b", all(), held, skipping(From::revision(2)));
        const Run run = co_await start(watcher);
        co_await until([&] { return held.gate.reached() == 1; });
        co_await put_many(db, "b", 10, 2);
        co_await routed(db);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(held.recorder.size() == 12U);
        BOOST_TEST(watcher.info().gaps == 0U);
        co_await db.close();
        co_await run.end();
    });
}

// W6: a consumer can read from history what a gap skipped.
BOOST_AUTO_TEST_CASE(a_gap_can_be_filled_from_history_and_is_not_repeated)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const HeldWatch one = co_await hold(db, in("b", all()), skipping());
        co_await put_many(db, "b", 10);
        co_await one.release(db);
        co_await one.watcher.stop();
        const OwnedMessage gap = one.held.recorder.messages().back();
        BOOST_TEST((co_await one.run.end()).position.revision == gap->revision);
        const Strings filled =
            co_await history_of(db, "b", all(), From::revision(gap->first_revision));
        BOOST_TEST(filled.size() == 8U);
        BOOST_TEST(filled.front() == "5.0 put k2=2");
        const Strings resumed =
            co_await history_of(db, "b", all(), From::after(one.watcher.position()));
        BOOST_TEST(resumed.empty());
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_receives_gaps_as_well)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const PullWatcher watcher = co_await hold_pulled(db, skipping());
        co_await put_many(db, "b", 10);
        co_await routed(db);
        const Recorder recorder;
        const Job taking = co_await spawn(take_all(watcher, recorder));
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(lines_with_intervals(recorder) ==
                   (Strings{"2.0 put held=", "3.0 put k0=0", "4.0 put k1=1", "5-12.0 gap x8"}));
        BOOST_TEST(watcher.info().skipped == 8U);
        co_await db.close();
        co_await taking.join();
    });
}

BOOST_AUTO_TEST_SUITE_END()
