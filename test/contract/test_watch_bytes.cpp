// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/held_watch.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <deque>

using namespace keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;

constexpr std::array policies{Overflow::catch_up, Overflow::latest, Overflow::skip, Overflow::stop};

Options limited(std::size_t bytes)
{
    Options options = watched_options();
    options.watch_bytes = bytes;
    return options;
}

/// Commits five more for each of the first three messages.
Task five_more(Database db, std::size_t given)
{
    if (given <= 3) {
        co_await put_many(db, "b", 5);
        co_await routed(db);
    }
}

/// The messages for a watch that finds no room and is slower than the commits.
const Strings with_a_gap{"2.0 put held=", "3.0 put k0=0", "4.0 put k1=1", "5-17.0 gap x13"};

/// A watch with a callback that calls `five_more`, and the first message for it. If `drops` is set,
/// then the third message also deletes the bucket. The database must outlive the watch.
struct SlowWatch {
    Recorder recorder;
    Watcher watcher;
    Run run;
};
asio::awaitable<SlowWatch> start_slow(Database& db, Overflow policy, bool drops = false)
{
    const Recorder recorder;
    const auto make_more = [&db, recorder, drops](const Message& message) -> Task {
        recorder(message);
        co_await five_more(db, recorder.size());
        if (drops && recorder.size() == 3) {
            co_await drop(db, "b");
        }
    };
    Watcher watcher = db.watch("b", all(), make_more, slow_watch(policy));
    const Run run = co_await start(watcher);
    co_await until([&] { return watcher.info().state == WatcherState::live; });
    co_await put(db, "b", "held", "");
    co_return SlowWatch{recorder, watcher, run};
}

}  // namespace

// `Options::watch_bytes`: the limit of all inboxes together. A watch that finds no room is not at
// fault, so it reads from history, whatever its policy.
BOOST_FIXTURE_TEST_SUITE(test_watch_bytes, EventLoop)

// W3 W10
BOOST_AUTO_TEST_CASE(without_any_memory_everything_comes_from_history)
{
    run([]() -> Task {
        Database db = co_await open_with(limited(1), "b");
        for (const Overflow policy : policies) {
            const Recorder recorder;
            Watcher watcher = db.watch("b", all(), recorder, slow_watch(policy));
            const Run run = co_await start(watcher);
            co_await until([&] { return watcher.info().state == WatcherState::live; });
            const Revision first = db.head_revision() + 1;
            for (int i = 0; i < 10; ++i) {
                co_await watcher.reached(co_await put(db, "b", "k", std::to_string(i)));
            }
            BOOST_TEST(recorder.size() == 10U);
            BOOST_TEST(recorder.messages().front()->revision == first);
            BOOST_TEST(watcher.info().fell_behind > 0U);
            BOOST_TEST(watcher.info().gaps == 0U);
            co_await watcher.stop();
            co_await run.end();
        }
        co_await db.close();
    });
}

// If a watch lags more and more, its policy applies.
BOOST_AUTO_TEST_CASE(a_skipping_watch_that_is_too_slow_to_catch_up_receives_a_gap)
{
    run([]() -> Task {
        Database db = co_await open_with(limited(1), "b");
        const SlowWatch one = co_await start_slow(db, Overflow::skip);
        co_await one.watcher.reached(17);
        BOOST_TEST(lines_with_intervals(one.recorder) == with_a_gap);
        BOOST_TEST(one.watcher.info().gaps == 1U);
        BOOST_TEST(one.watcher.info().skipped == 13U);
        // Afterwards the watch is up to date again.
        co_await one.watcher.reached(co_await put(db, "b", "last", ""));
        BOOST_TEST(line_of(*one.recorder.messages().back()) == "18.0 put last=");
        co_await db.close();
        co_await one.run.end();
    });
}

BOOST_AUTO_TEST_CASE(a_stopping_watch_that_is_too_slow_to_catch_up_ends)
{
    run([]() -> Task {
        Database db = co_await open_with(limited(1), "b");
        const SlowWatch one = co_await start_slow(db, Overflow::stop);
        BOOST_TEST(co_await one.run.error() == code(Error::overflow));
        BOOST_TEST(one.recorder.size() == 3U);
        BOOST_TEST(one.watcher.position().revision == 4U);
        co_await db.close();
    });
}

// A watch that fell behind because of other watches is not at fault for what it misses while it
// catches up.
BOOST_AUTO_TEST_CASE(a_watch_that_fell_behind_because_of_others_is_spared_until_it_caught_up)
{
    run([]() -> Task {
        for (const Overflow policy : {Overflow::skip, Overflow::stop}) {
            Database db = co_await open_with(limited(20'000), "b");
            co_await create(db, "other");
            const Held stuck;
            WatchOptions much = slow_watch(Overflow::catch_up);
            much.buffer_messages = 1000;
            Watcher other = db.watch("other", all(), stuck, much);
            const Run other_run = co_await start(other);
            co_await until([&] { return other.info().state == WatcherState::live; });
            co_await put(db, "other", "first", "");
            co_await until([&] { return stuck.gate.reached() == 1; });
            co_await put(db, "other", "large", std::string(15'000, 'v'));

            const Recorder recorder;
            const auto change_more = [&db, &other, stuck,
                                      recorder](const Message& message) -> Task {
                recorder(message);
                if (message.key == "held") {
                    co_await put(db, "b", "no room", std::string(10'000, 'v'));
                    co_await routed(db);
                    stuck.gate.open();
                    co_await other.reached(db.head_revision());
                } else if (message.key == "no room") {
                    co_await put_many(db, "b", 1);
                    co_await put_many(db, "b", 2, 1);
                    co_await routed(db);
                }
            };
            Watcher watcher = db.watch("b", all(), change_more, slow_watch(policy));
            const Run run = co_await start(watcher);
            co_await until([&] { return watcher.info().state == WatcherState::live; });
            co_await watcher.reached(co_await put(db, "b", "held", ""));
            co_await watcher.reached(db.head_revision());
            co_await db.close();
            BOOST_TEST((co_await run.end()).reason == EndReason::database_closed);
            BOOST_TEST(recorder.keys() == (Strings{"held", "no room", "k0", "k1", "k2"}));
            co_await other_run.end();
        }
    });
}

// A watch with `catch_up` loses nothing.
BOOST_AUTO_TEST_CASE(a_catching_up_watch_receives_everything_even_if_it_is_slow)
{
    run([]() -> Task {
        Database db = co_await open_with(limited(1), "b");
        const SlowWatch one = co_await start_slow(db, Overflow::catch_up);
        co_await one.watcher.reached(17);
        BOOST_TEST(one.recorder.size() == 16U);
        BOOST_TEST(one.watcher.info().gaps == 0U);
        co_await db.close();
        co_await one.run.end();
    });
}

// W11: if a bucket ends in the skipped part, then the watch ends nevertheless.
BOOST_AUTO_TEST_CASE(a_watch_that_is_too_slow_still_receives_the_end_of_a_bucket)
{
    run([]() -> Task {
        Database db = co_await open_with(limited(1), "b");
        const SlowWatch one = co_await start_slow(db, Overflow::skip, true);
        const WatchEnd end = co_await one.run.end();
        BOOST_TEST(end.reason == EndReason::bucket_deleted);
        BOOST_TEST(end.position.revision == 18U);
        Strings expected = with_a_gap;
        expected.push_back("18.0 bucket_deleted");
        BOOST_TEST(lines_with_intervals(one.recorder) == expected);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_that_is_too_slow_to_catch_up_receives_a_gap_or_ends)
{
    run([]() -> Task {
        for (const Overflow policy : {Overflow::skip, Overflow::stop}) {
            Database db = co_await open_with(limited(1), "b");
            PullWatcher watcher = co_await hold_pulled(db, slow_watch(policy));
            const std::size_t given = policy == Overflow::skip ? 4 : 3;
            const Recorder recorder;
            while (recorder.size() < given) {
                BOOST_TEST_REQUIRE(co_await watcher.wait());
                if (const auto commit = watcher.try_next()) {
                    for (const Message& each : *commit) {
                        recorder(each);
                    }
                    co_await five_more(db, recorder.size());
                }
            }
            const Strings expected(with_a_gap.begin(), with_a_gap.begin() + std::ptrdiff_t(given));
            BOOST_TEST(lines_with_intervals(recorder) == expected);
            const Job taking = co_await spawn(take_all(watcher, recorder));
            if (policy == Overflow::stop) {
                BOOST_TEST(co_await failure_of(taking.join()) == code(Error::overflow));
            }
            co_await db.close();
            if (policy == Overflow::skip) {
                co_await taking.join();
            }
            BOOST_TEST(recorder.size() == given);
        }
    });
}

// A commit that many inboxes hold is in memory once.
BOOST_AUTO_TEST_CASE(a_commit_for_many_watches_counts_once)
{
    run([]() -> Task {
        Database db = co_await open_with(limited(100'000), "b");
        std::deque<Recorder> recorders;
        std::deque<Watcher> watchers;
        std::deque<Run> runs;
        for (int i = 0; i < 50; ++i) {
            recorders.emplace_back();
            watchers.push_back(db.watch("b", all(), recorders.back()));
            runs.push_back(co_await start(watchers.back()));
            co_await until([&] { return watchers.back().info().state == WatcherState::live; });
        }
        const Revision revision = co_await put(db, "b", "k", std::string(50'000, 'x'));
        for (std::size_t i = 0; i < watchers.size(); ++i) {
            co_await watchers[i].reached(revision);
            BOOST_TEST(recorders[i].size() == 1U);
            BOOST_TEST(watchers[i].info().fell_behind == 0U);
        }
        co_await db.close();
        for (const Run& each : runs) {
            co_await each.end();
        }
    });
}

// W9: stuck watches do not affect what other watches receive.
BOOST_AUTO_TEST_CASE(stuck_watches_take_nothing_from_healthy_ones)
{
    run([]() -> Task {
        constexpr std::size_t limit = std::size_t{64} << 10;
        Database db = co_await open_with(limited(limit), "b");
        std::deque<HeldWatch> stuck;
        for (const Overflow policy : policies) {
            WatchOptions options = slow_watch(policy);
            options.buffer_messages = 1000;
            const Selectors selectors = in("b", all());
            stuck.push_back(co_await hold(db, selectors, options));
        }
        std::deque<Recorder> recorders;
        std::deque<Watcher> watchers;
        std::deque<Run> runs;
        for (const Overflow policy : policies) {
            recorders.emplace_back();
            watchers.push_back(db.watch("b", all(), recorders.back(), slow_watch(policy)));
            runs.push_back(co_await start(watchers.back()));
            co_await until([&] { return watchers.back().info().state == WatcherState::live; });
        }
        for (int i = 0; i < 100; ++i) {
            const std::size_t bytes = i % 2 == 0 ? 4000 : 12000;
            const Revision revision =
                co_await put(db, "b", std::to_string(i), std::string(bytes, 'x'));
            for (const Watcher& each : watchers) {
                co_await each.reached(revision);
            }
            // The stuck watches hold the same commits, which count once.
            for (const WatcherInfo& each : db.watchers()) {
                BOOST_TEST(each.queued_bytes <= limit);
            }
        }
        for (std::size_t i = 0; i < watchers.size(); ++i) {
            BOOST_TEST(recorders[i].size() == 100U);
            BOOST_TEST(watchers[i].info().gaps == 0U);
        }
        for (const HeldWatch& each : stuck) {
            each.held.gate.open();
        }
        co_await db.close();
        for (const Run& each : runs) {
            BOOST_TEST((co_await each.end()).reason == EndReason::database_closed);
        }
        for (const HeldWatch& each : stuck) {
            BOOST_TEST((co_await each.run.end()).reason == EndReason::database_closed);
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
