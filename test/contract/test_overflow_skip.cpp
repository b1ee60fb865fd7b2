// SPDX-License-Identifier: BSL-1.0
#include "support/held_watch.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace kw = keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;

/// The names of those who would be given a change of this key.
Strings told_of(const kw::Database& db, const std::string& bucket)
{
    Strings names;
    for (const kw::WatcherInfo& each : db.explain(bucket, "k")) {
        names.push_back(each.name);
    }
    return names;
}

}  // namespace

// `Overflow::skip`: what has no room is left out, and a gap tells what.
BOOST_FIXTURE_TEST_SUITE(test_overflow_skip, EventLoop)

BOOST_AUTO_TEST_CASE(a_gap_tells_what_was_left_out)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        const Held held;
        kw::Watcher watcher = db.watch("b", kw::all(), held, slow_watch(kw::Overflow::skip));
        const Run run = co_await start(watcher);
        co_await put_and_hold(db, held);
        co_await put_many(db, "b", 10);
        co_await routed(db);
        held.gate.open();
        // Nothing is committed any more, and it is told all the same.
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(lines_with_intervals(held.recorder) ==
                       (Strings{"2.0 put held=", "3.0 put k0=0", "4.0 put k1=1", "5-12.0 gap x8"}),
                   boost::test_tools::per_element());
        BOOST_TEST(watcher.position().revision == 12U);
        BOOST_TEST(watcher.info().gaps == 1U);
        BOOST_TEST(watcher.info().skipped == 8U);
        BOOST_TEST(watcher.info().fell_behind == 0U);
        co_await put(db, "b", "later", "");
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(held.recorder.lines().back() == "13.0 put later=");
        co_await db.close();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_CASE(a_gap_is_a_message_of_no_bucket)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        const Held held;
        kw::Watcher watcher = db.watch("b", kw::all(), held, slow_watch(kw::Overflow::skip));
        const Run run = co_await start(watcher);
        co_await put_and_hold(db, held);
        co_await put_many(db, "b", 3);
        co_await routed(db);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
        const kw::OwnedMessage gap = held.recorder.messages().back();
        BOOST_TEST(gap->operation == kw::Operation::gap);
        BOOST_TEST(gap->last_in_commit);
        BOOST_TEST(!gap->snapshot);
        BOOST_TEST(gap->bucket.empty());
        BOOST_TEST(gap->key.empty());
        BOOST_TEST((gap->time != kw::Time{}));
        co_await db.close();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_CASE(only_what_the_watch_selects_is_counted)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        kw::WatchOptions options = slow_watch(kw::Overflow::skip);
        options.filter.except_origin = "self";
        const Held held;
        kw::Watcher watcher =
            db.watch({kw::in("b", kw::key("held")), kw::in("b", kw::key("k"))}, held, options);
        const Run run = co_await start(watcher);
        co_await put_and_hold(db, held);
        for (int i = 0; i < 6; ++i) {
            co_await db.update([&](kw::Transaction& tx) {
                tx.btree("b").put("k", "1");
                tx.btree("b").put("other", "1");
                tx.btree("b").put("k", "2");
                tx.set_origin(i % 2 == 0 ? "" : "self");
            });
        }
        co_await routed(db);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
        // Of 3, 5 and 7 with two messages each, the first fits. What comes behind 7 is not for it.
        BOOST_TEST(lines_with_intervals(held.recorder).back() == "5-7.0 gap x4");
        BOOST_TEST(watcher.info().skipped == 4U);
        co_await db.close();
        co_await run.end();
    });
}

// The predicate is the program's code: it is not asked about what is left out, nor about the gap.
BOOST_AUTO_TEST_CASE(a_predicate_does_not_hide_a_gap)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        kw::WatchOptions options = slow_watch(kw::Overflow::skip);
        options.filter.predicate = [](const kw::Message& message) {
            BOOST_TEST(message.operation == kw::Operation::put);
            return message.key == "held";
        };
        const Held held;
        kw::Watcher watcher = db.watch("b", kw::all(), held, options);
        const Run run = co_await start(watcher);
        co_await put_and_hold(db, held);
        co_await put_many(db, "b", 10);
        co_await routed(db);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(
            lines_with_intervals(held.recorder) == (Strings{"2.0 put held=", "5-12.0 gap x8"}),
            boost::test_tools::per_element());
        co_await db.close();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_CASE(a_bucket_that_was_deleted_in_a_gap_ends_the_watch_behind_it)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        const Held held;
        kw::Watcher watcher = db.watch("b", kw::all(), held, slow_watch(kw::Overflow::skip));
        const Run run = co_await start(watcher);
        co_await put_and_hold(db, held);
        co_await put_many(db, "b", 4);
        const kw::Revision deleted = co_await drop(db, "b");
        co_await create(db, "b");
        co_await put(db, "b", "new", "");
        co_await routed(db);
        held.gate.open();
        const kw::WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == kw::EndReason::bucket_deleted);
        BOOST_TEST(end.position.revision == deleted);
        BOOST_TEST(lines_with_intervals(held.recorder).back() == "5-7.0 gap x3");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(of_several_buckets_only_the_one_that_was_deleted_in_a_gap_is_lost)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        co_await create(db, "c");
        kw::WatchOptions options = slow_watch(kw::Overflow::skip);
        options.name = "both";
        const Held held;
        kw::Watcher watcher =
            db.watch({kw::in("b", kw::all()), kw::in("c", kw::all())}, held, options);
        const Run run = co_await start(watcher);
        co_await put_and_hold(db, held);
        co_await put_many(db, "b", 4);
        co_await drop(db, "c");
        co_await create(db, "c");
        co_await routed(db);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(lines_with_intervals(held.recorder).back() == "6-8.0 gap x3");
        BOOST_TEST(told_of(db, "b") == Strings{"both"}, boost::test_tools::per_element());
        BOOST_TEST(told_of(db, "c") == Strings{}, boost::test_tools::per_element());
        co_await put(db, "c", "new", "");
        co_await put(db, "b", "last", "");
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(held.recorder.lines().back() == "11.0 put last=");
        BOOST_TEST(held.recorder.size() == 5U);
        co_await db.close();
        BOOST_TEST((co_await run.end()).reason == kw::EndReason::database_closed);
    });
}

// What history has is not skipped.
BOOST_AUTO_TEST_CASE(catching_up_leaves_nothing_out)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        co_await put_many(db, "b", 100);
        const Recorder recorder;
        kw::Watcher watcher =
            db.watch("b", kw::all(), recorder, slow_watch(kw::Overflow::skip, kw::From::oldest()));
        const Run run = co_await start(watcher);
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(recorder.size() == 101U);
        co_await db.close();
        co_await run.end();
    });
}

// W6: who wants to know after all what was left out asks history for it.
BOOST_AUTO_TEST_CASE(a_gap_can_be_filled_from_history_and_is_not_told_again)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        const Held held;
        kw::Watcher watcher = db.watch("b", kw::all(), held, slow_watch(kw::Overflow::skip));
        const Run run = co_await start(watcher);
        co_await put_and_hold(db, held);
        co_await put_many(db, "b", 10);
        co_await routed(db);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
        co_await watcher.stop();
        const kw::OwnedMessage gap = held.recorder.messages().back();
        BOOST_TEST((co_await run.end()).position.revision == gap->revision);
        const Strings filled =
            co_await history_of(db, "b", kw::all(), kw::From::revision(gap->first_revision));
        BOOST_TEST(filled.size() == 8U);
        BOOST_TEST(filled.front() == "5.0 put k2=2");
        const Strings resumed =
            co_await history_of(db, "b", kw::all(), kw::From::after(watcher.position()));
        BOOST_TEST(resumed.empty());
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_is_told_of_gaps_as_well)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        kw::PullWatcher watcher = db.watch("b", kw::all(), slow_watch(kw::Overflow::skip));
        const Recorder recorder;
        const Job waiting = co_await spawn(
            [](kw::PullWatcher pulled) -> Task { BOOST_TEST(co_await pulled.wait()); }(watcher));
        co_await until([&] { return watcher.info().state == kw::WatcherState::live; });
        co_await put(db, "b", "first", "");
        co_await waiting.join();
        co_await put_many(db, "b", 10);
        co_await routed(db);
        const Job taking = co_await spawn(take_all(watcher, recorder));
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(lines_with_intervals(recorder) ==
                       (Strings{"2.0 put first=", "3.0 put k0=0", "4.0 put k1=1", "5-12.0 gap x8"}),
                   boost::test_tools::per_element());
        BOOST_TEST(watcher.info().skipped == 8U);
        co_await db.close();
        co_await taking.join();
    });
}

// W10: what all inboxes together may hold is full with the first byte.
BOOST_AUTO_TEST_CASE(without_memory_for_inboxes_there_are_only_gaps)
{
    run([]() -> Task {
        kw::Options options = watched_options();
        options.watch_bytes = 1;
        kw::Database db = co_await open_with(options, "b");
        const Recorder recorder;
        kw::Watcher watcher = db.watch("b", kw::all(), recorder, slow_watch(kw::Overflow::skip));
        const Run run = co_await start(watcher);
        co_await until([&] { return watcher.info().state == kw::WatcherState::live; });
        co_await put_many(db, "b", 10);
        co_await watcher.reached(db.head_revision());
        kw::Revision next = 2;
        for (const kw::OwnedMessage& each : recorder.messages()) {
            BOOST_TEST(each->operation == kw::Operation::gap);
            BOOST_TEST(each->first_revision == next);
            next = each->revision + 1;
        }
        BOOST_TEST(next == 12U);
        BOOST_TEST(watcher.info().skipped == 10U);
        co_await db.close();
        co_await run.end();
    });
}

// W3 W10: one that stalls takes the memory of all, and others catch up from history.
BOOST_AUTO_TEST_CASE(memory_that_another_watch_holds_loses_nothing_of_one_that_catches_up)
{
    run([]() -> Task {
        kw::Options options = watched_options();
        options.watch_bytes = std::size_t{64} << 10;
        kw::Database db = co_await open_with(options, "b");
        const Held held;
        kw::WatchOptions stalled_options = slow_watch(kw::Overflow::skip);
        stalled_options.buffer_messages = 1000;
        const Recorder recorder;
        kw::Watcher stalled = db.watch("b", kw::all(), held, stalled_options);
        kw::Watcher watcher = db.watch("b", kw::all(), recorder);
        const Run stalled_run = co_await start(stalled);
        const Run run = co_await start(watcher);
        co_await put_and_hold(db, held);
        for (int i = 0; i < 100; ++i) {
            // What small ones leave is too little for a large one, whoever comes first.
            co_await put(db, "b", std::to_string(i), std::string(i < 60 ? 4000 : 12000, 'x'));
        }
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(recorder.size() == 101U);
        BOOST_TEST(watcher.info().fell_behind > 0U);
        BOOST_TEST(stalled.info().queued_bytes <= options.watch_bytes);
        held.gate.open();
        co_await stalled.reached(db.head_revision());
        BOOST_TEST(stalled.info().messages + stalled.info().skipped == 101U + stalled.info().gaps);
        co_await db.close();
        co_await stalled_run.end();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_SUITE_END()
