// SPDX-License-Identifier: BSL-1.0
#include "support/held_watch.hpp"

#include <boost/test/unit_test.hpp>

namespace kw = keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;

kw::Position at(const kw::Database& db, kw::Revision revision)
{
    return {db.head_position().history, revision};
}

}  // namespace

// `Overflow::stop`: being behind ends the watch, and says so.
BOOST_FIXTURE_TEST_SUITE(test_overflow_stop, EventLoop)

// W11 W3: what was delivered is what the position says; the rest can be had, and others had it.
BOOST_AUTO_TEST_CASE(a_full_inbox_ends_the_watch_where_it_was)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        const Held held;
        const Recorder other;
        kw::Watcher watcher = db.watch("b", kw::all(), held, slow_watch(kw::Overflow::stop));
        kw::Watcher other_watcher = db.watch("b", kw::all(), other);
        const Run run = co_await start(watcher);
        const Run other_run = co_await start(other_watcher);
        co_await put_and_hold(db, held);
        co_await put_many(db, "b", 10);
        co_await other_watcher.reached(db.head_revision());
        held.gate.open();
        BOOST_TEST(co_await run.error() == code(kw::Error::overflow));
        BOOST_TEST(held.recorder.revisions() == std::vector<kw::Revision>{2});
        BOOST_TEST(watcher.position() == at(db, 2));
        BOOST_TEST(watcher.info().fell_behind == 1U);
        BOOST_TEST(!watcher.info().error.empty());
        BOOST_TEST(co_await failure_of(watcher.reached(12)) == code(kw::Error::overflow));
        BOOST_TEST(other.size() == 11U);
        const Strings rest =
            co_await history_of(db, "b", kw::all(), kw::From::after(watcher.position()));
        BOOST_TEST(rest.size() == 10U);
        BOOST_TEST(rest.front() == "3.0 put k0=0");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(what_fits_is_delivered_and_nothing_ends)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        const Held held;
        kw::Watcher watcher = db.watch("b", kw::all(), held, slow_watch(kw::Overflow::stop));
        const Run run = co_await start(watcher);
        co_await put_and_hold(db, held);
        co_await put_many(db, "b", 2);
        co_await routed(db);
        held.gate.open();
        co_await until([&] { return held.recorder.size() == 3; });
        // More than the inbox holds, but in one commit, and it is empty.
        co_await db.update([](kw::Transaction& tx) {
            for (int i = 0; i < 5; ++i) {
                tx.btree("b").put("many", std::to_string(i));
            }
        });
        co_await db.close();
        BOOST_TEST((co_await run.end()).reason == kw::EndReason::database_closed);
        BOOST_TEST(held.recorder.size() == 8U);
    });
}

BOOST_AUTO_TEST_CASE(what_is_not_for_the_watch_does_not_end_it)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        const Held held;
        kw::Watcher watcher = db.watch("b", kw::key("held"), held, slow_watch(kw::Overflow::stop));
        const Run run = co_await start(watcher);
        co_await put_and_hold(db, held);
        co_await put_many(db, "b", 10);
        co_await routed(db);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
        co_await db.close();
        BOOST_TEST((co_await run.end()).reason == kw::EndReason::database_closed);
    });
}

// One that has not caught up yet is behind by what was made before, which is no fault of its own.
BOOST_AUTO_TEST_CASE(one_that_has_yet_to_catch_up_is_not_ended)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        co_await put_many(db, "b", 3);
        kw::WatchOptions options = slow_watch(kw::Overflow::stop, kw::From::revision(2));
        options.buffer_messages = 4;  // so it joins at once, and is held in what it reads
        const Held held;
        kw::Watcher watcher = db.watch("b", kw::all(), held, options);
        const Run run = co_await start(watcher);
        co_await until([&] { return held.gate.reached() == 1; });
        co_await put_many(db, "b", 10, 3);
        co_await routed(db);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(held.recorder.size() == 13U);
        BOOST_TEST(watcher.info().fell_behind == 1U);
        co_await db.close();
        co_await run.end();
    });
}

// W8
BOOST_AUTO_TEST_CASE(one_that_is_given_its_state_is_not_ended)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        co_await put_many(db, "b", 20);
        const Held held;
        kw::Watcher watcher =
            db.watch("b", kw::all(), held, slow_watch(kw::Overflow::stop, kw::From::snapshot()));
        const Run run = co_await start(watcher);
        co_await until([&] { return held.gate.reached() == 1; });
        co_await put_many(db, "b", 20, 20);
        co_await routed(db);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(held.recorder.size() == 42U);  // and bucket_created, synced
        co_await db.close();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_throws_once_what_was_handed_over_is_taken)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        kw::PullWatcher watcher = db.watch("b", kw::all(), slow_watch(kw::Overflow::stop));
        const Recorder recorder;
        const Job waiting = co_await spawn(
            [](kw::PullWatcher pulled) -> Task { BOOST_TEST(co_await pulled.wait()); }(watcher));
        co_await until([&] { return watcher.info().state == kw::WatcherState::live; });
        co_await put(db, "b", "first", "");
        co_await waiting.join();
        co_await put_many(db, "b", 10);
        co_await routed(db);
        const auto error = co_await failure_of(take_all(watcher, recorder));
        BOOST_TEST(error == code(kw::Error::overflow));
        BOOST_TEST(recorder.keys() == Strings{"first"}, boost::test_tools::per_element());
        BOOST_TEST(watcher.position() == at(db, 2));
        BOOST_TEST(!watcher.ended());
        co_await db.close();
    });
}

// W10: what all inboxes together may hold is full with the first byte.
BOOST_AUTO_TEST_CASE(without_memory_for_inboxes_it_ends_at_once)
{
    run([]() -> Task {
        kw::Options options = watched_options();
        options.watch_bytes = 1;
        kw::Database db = co_await open_with(options, "b");
        const Recorder recorder;
        kw::Watcher watcher = db.watch("b", kw::all(), recorder, slow_watch(kw::Overflow::stop));
        const Run run = co_await start(watcher);
        co_await until([&] { return watcher.info().state == kw::WatcherState::live; });
        co_await put(db, "b", "a", "1");
        BOOST_TEST(co_await run.error() == code(kw::Error::overflow));
        BOOST_TEST(recorder.size() == 0U);
        BOOST_TEST(watcher.position() == at(db, 1));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
