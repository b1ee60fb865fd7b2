// SPDX-License-Identifier: BSL-1.0
#include "support/loop/hand_clock.hpp"
#include "support/printing.hpp"
#include "support/watch/held_watch.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

using Ids = std::vector<std::uint64_t>;

Ids ids_of(const std::vector<WatcherInfo>& infos)
{
    Ids ids;
    for (const WatcherInfo& each : infos) {
        ids.push_back(each.id);
    }
    return ids;
}

WatchOptions small_and_patient()
{
    WatchOptions options;
    options.buffer_messages = 4;
    options.callback_timeout = 10 * patience;
    return options;
}

}  // namespace

// `WatcherInfo`, as returned by `Database::watchers`, `explain` and `info()`.
BOOST_FIXTURE_TEST_SUITE(test_watcher_info, EventLoop)

BOOST_AUTO_TEST_CASE(a_watch_is_listed_from_its_creation_until_its_last_handle_is_destroyed)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        BOOST_TEST(db.watchers().empty());
        WatchOptions options;
        options.name = "cache";
        options.overflow = Overflow::stop;
        const auto selectors = Selectors{in("b", prefix("k")), in("c", range("a", ""))};
        std::optional<Watcher> watcher = db.watch(selectors, [](const Message&) {}, options);
        const WatcherInfo made = db.watchers().at(0);
        BOOST_TEST(made.id == watcher->id());
        BOOST_TEST(made.name == "cache");
        BOOST_TEST(made.selectors == selectors);
        BOOST_TEST(made.overflow == Overflow::stop);
        BOOST_TEST(!made.pulled);
        BOOST_TEST(made.state == WatcherState::created);
        BOOST_TEST(made.position == watcher->position());
        {
            const Run run = co_await start(*watcher);
            const Revision last = co_await put_many(db, "b", 3);
            co_await watcher->reached(last);
            const WatcherInfo live = watcher->info();
            BOOST_TEST(live.state == WatcherState::live);
            BOOST_TEST(live.commits == 3U);
            BOOST_TEST(live.messages == 3U);
            BOOST_TEST(live.position.revision == last);
            BOOST_TEST(live.lag == Lag());
            co_await watcher->stop();
            co_await run.end();
        }
        const WatcherInfo ended = db.watchers().at(0);
        BOOST_TEST(ended.state == WatcherState::ended);
        BOOST_TEST(ended.end == EndReason::stopped);
        BOOST_TEST(ended.error.empty());
        watcher.reset();
        co_await until([&] { return db.watchers().empty(); });
        co_await db.close();
        BOOST_TEST(db.watchers().empty());
    });
}

BOOST_AUTO_TEST_CASE(info_contains_the_error_of_a_failed_watch)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto fails = [](const Message&) { throw std::runtime_error("no more paper"); };
        Watcher watcher = db.watch("b", all(), fails);
        const Run run = co_await start(watcher);
        co_await put(db, "b", "k", "1");
        co_await until([&] { return run.done(); });
        BOOST_CHECK_THROW(co_await run.end(), std::runtime_error);
        const WatcherInfo info = watcher.info();
        BOOST_TEST(info.state == WatcherState::ended);
        BOOST_TEST(!info.end);
        BOOST_TEST(info.error == "no more paper");
        BOOST_TEST(info.commits == 0U);  // the commit was not delivered whole
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_watch_that_lags_shows_its_lag)
{
    run([]() -> Task {
        Options options = watched_options();
        const HandClock clock;
        options.clock = clock.clock();
        Database db = co_await open_with(options, "b");
        const Gate gate;
        const auto stuck = [&](const Message&) -> Task { co_await gate.pass(); };
        Watcher watcher = db.watch("b", all(), stuck, small_and_patient());
        const Run run = co_await start(watcher);
        clock.advance(10s);
        co_await put(db, "b", "first", std::string(1000, 'v'));
        co_await until([&] { return gate.reached() == 1; });
        clock.advance(30s);
        const Revision last = co_await put_many(db, "b", 3);
        co_await until([&] { return watcher.info().queued_messages == 3; });
        const WatcherInfo info = watcher.info();
        BOOST_TEST(info.position.revision == 1U);
        BOOST_TEST(info.lag.revisions == 4U);
        BOOST_TEST(info.lag.messages == 4U);
        BOOST_TEST(info.lag.bytes > 1000U);
        BOOST_TEST(info.lag.bytes < 2000U);
        BOOST_TEST(info.lag.time == 30s);
        BOOST_TEST(info.queued_bytes > 0U);
        BOOST_TEST(info.commits == 0U);
        gate.open();
        co_await watcher.reached(last);
        BOOST_TEST(watcher.info().lag == Lag());
        BOOST_TEST(watcher.info().queued_messages == 0U);
        BOOST_TEST(watcher.info().commits == 4U);
        co_await db.close();
    });
}

// `info()` shows it at once, even before the callback has returned.
BOOST_AUTO_TEST_CASE(a_watch_whose_inbox_has_overflowed_is_not_live)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const HeldWatch one = co_await hold(db, in("b", all()), slow_watch(Overflow::catch_up));
        BOOST_TEST(one.watcher.info().state == WatcherState::live);
        co_await put_many(db, "b", 5);
        co_await routed(db);
        BOOST_TEST(one.watcher.info().state == WatcherState::catching_up);
        BOOST_TEST(one.watcher.info().fell_behind == 1U);
        co_await one.release(db);
        BOOST_TEST(one.watcher.info().fell_behind == 1U);
        co_await db.close();
        co_await one.run.end();
    });
}

// For trimmed commits, only the number of revisions is known.
BOOST_AUTO_TEST_CASE(a_lag_that_goes_beyond_history_counts_what_there_is)
{
    run([]() -> Task {
        Options options = watched_options();
        options.history.commits = 10;
        Database db = co_await open_with(options, "b");
        Watcher watcher = db.watch("b", all(), [](const Message&) {});
        const Revision last = co_await put_many(db, "b", 500);
        // Waits until trimming has finished, so that nothing changes during the test.
        co_await until([&] { return db.stats().history.commits <= options.history.commits; });
        const WatcherInfo info = watcher.info();
        BOOST_TEST(info.lag.revisions == last - 1);
        const Stats::History history = db.stats().history;
        BOOST_TEST(info.lag.messages == history.messages);
        BOOST_TEST(info.lag.bytes == history.bytes);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(falling_behind_and_callbacks_are_counted)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Gate gate;
        const auto slow = [&](const Message&) -> Task { co_await gate.pass(); };
        Watcher watcher = db.watch("b", all(), slow, small_and_patient());
        const Run run = co_await start(watcher);
        co_await put(db, "b", "k", "v");
        co_await until([&] { return gate.reached() == 1; });
        co_await take(2ms);
        const Revision last = co_await put_many(db, "b", 40);
        gate.open();
        co_await watcher.reached(last);
        const WatcherInfo info = watcher.info();
        BOOST_TEST(info.fell_behind >= 1U);
        BOOST_TEST(info.messages == 41U);
        BOOST_TEST(info.longest_callback >= 2ms);
        BOOST_TEST(info.callback_time >= info.longest_callback);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_that_reads_history_again_is_catching_up)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        PullWatcher watcher = co_await hold_pulled(db, slow_watch(Overflow::catch_up));
        co_await put_many(db, "b", 10);
        co_await routed(db);
        BOOST_TEST(watcher.try_next().has_value());
        BOOST_TEST(!watcher.try_next());
        BOOST_TEST(co_await watcher.wait());  // a slice of history, with more to follow
        BOOST_TEST(watcher.info().state == WatcherState::catching_up);
        const Recorder recorder;
        const Job taking = co_await spawn(take_all(watcher, recorder));
        co_await until([&] { return watcher.info().state == WatcherState::live; });
        co_await db.close();
        co_await taking.join();
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_is_shown_too)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        PullWatcher watcher = db.watch("b", all());
        co_await put(db, "b", "k", "v");
        BOOST_TEST(co_await watcher.wait());
        BOOST_TEST(watcher.try_next().has_value());
        BOOST_TEST(!watcher.try_next());
        const WatcherInfo info = db.watchers().at(0);
        BOOST_TEST(info.pulled);
        BOOST_TEST(info.commits == 1U);
        BOOST_TEST(info.position.revision == 2U);
        BOOST_TEST(info.callback_time == 0ns);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(explain_returns_the_watches_that_a_change_would_reach)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "c");
        const auto nothing = [](const Message&) {};
        std::vector<Watcher> watchers{db.watch("b", key("k1"), nothing),
                                      db.watch("b", prefix("k"), nothing),
                                      db.watch("b", range("k0", "k5"), nothing),
                                      db.watch("b", glob("?1"), nothing),
                                      db.watch("b", all(), nothing),
                                      db.watch(whole_database(), nothing),
                                      db.watch({in("b", key("x")), in("c", all())}, nothing),
                                      db.watch("c", key("k1"), nothing)};
        std::vector<Run> runs;
        for (Watcher& each : watchers) {
            runs.push_back(co_await start(each));
        }
        const Watcher never_run = db.watch("b", all(), nothing);
        BOOST_TEST(ids_of(db.explain("b", "k1")) == (Ids{1, 2, 3, 4, 5, 6}));
        BOOST_TEST(ids_of(db.explain("b", "k7")) == (Ids{2, 5, 6}));
        BOOST_TEST(ids_of(db.explain("c", "k1")) == (Ids{6, 7, 8}));
        BOOST_TEST(ids_of(db.explain("d", "k1")) == Ids{6});
        co_await watchers[4].stop();
        const Revision deleted = co_await drop(db, "c");
        co_await watchers[6].reached(deleted);
        co_await create(db, "c");
        BOOST_TEST(ids_of(db.explain("b", "k1")) == (Ids{1, 2, 3, 4, 6}));
        BOOST_TEST(ids_of(db.explain("b", "x")) == (Ids{6, 7}));
        BOOST_TEST(ids_of(db.explain("c", "k1")) == Ids{6});
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(thousands_of_ended_watches_leave_nothing_in_the_list)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        for (int i = 0; i < 3'000; ++i) {
            Watcher watcher = db.watch("b", key("k"), [](const Message&) {});
            const Run run = co_await start(watcher);
            co_await watcher.stop();
            co_await run.end();
        }
        co_await until([&] { return db.watchers().empty(); });
        BOOST_TEST(db.stats().watchers.running == 0U);
        BOOST_TEST(db.stats().watchers.made == 3'000U);
        co_await db.close();
    });
}

// Any thread may look, even while watches are created, run and destroyed.
BOOST_AUTO_TEST_CASE(any_thread_may_look)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::atomic<bool> done{false};
        std::atomic<std::size_t> seen{0};
        std::thread looking([&] {
            while (!done) {
                for (const WatcherInfo& each : db.watchers()) {
                    seen += each.id > 0 ? 1 : 0;
                }
                seen += db.explain("b", "k1").size();
            }
        });
        const auto start_and_stop = [&]() -> Task {
            Watcher watcher = db.watch("b", all(), [](const Message&) {});
            const Run run = co_await start(watcher);
            co_await watcher.reached(co_await put_many(db, "b", 3));
            co_await watcher.stop();
        };
        // Continues until the other thread has looked at least once.
        for (int i = 0; i < 200 || seen == 0; ++i) {
            co_await start_and_stop();
        }
        done = true;
        looking.join();
        BOOST_TEST(seen > 0U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(states_have_names)
{
    std::ostringstream out;
    for (const WatcherState each :
         {WatcherState::created, WatcherState::catching_up, WatcherState::live, WatcherState::ended,
          static_cast<WatcherState>(9)}) {
        out << each << ' ';
    }
    BOOST_TEST(out.str() == "created catching_up live ended unknown ");
    BOOST_CHECK_THROW((void)Database().watchers(), boost::system::system_error);
    BOOST_CHECK_THROW((void)Database().explain("b", "k"), boost::system::system_error);
}

BOOST_AUTO_TEST_SUITE_END()
