// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>

using namespace keywatch;
using namespace keywatch::test;

namespace {

/// Processing this many messages takes much longer than a turn.
constexpr int messages = 20'000;
constexpr std::size_t few = 3;

/// Commits one transaction of `count` messages, all of the same key.
asio::awaitable<Revision> put_often(Database db, int count)
{
    co_return co_await db.update([&](Transaction& tx) {
        for (int i = 0; i < count; ++i) {
            tx.btree("b").put("k", "v");
        }
    });
}

/// A commit of many messages that is durable, while its `update` may still be running: if the
/// machine is busy, the caller of `update` is resumed much later than the pipeline.
struct Large {
    Revision revision;
    Job committing;
};

asio::awaitable<Large> begin_to_put_often(Database db)
{
    const Revision revision = db.head_revision() + 1;
    const auto put = [](Database database) -> Task { co_await put_often(database, messages); };
    const Job committing = co_await spawn(put(db));
    co_await until_in_turns([&] { return db.head_revision() >= revision; });
    co_return Large{revision, committing};
}

/// Takes turns of the loop until `place()` has reached `end`. Returns the number of different
/// places seen between beginning and end.
asio::awaitable<std::size_t> places_met(std::function<std::size_t()> place, std::size_t end)
{
    std::set<std::size_t> met;
    co_await until_in_turns([&] {
        const std::size_t now = place();
        if (now > 0 && now < end) {
            met.insert(now);
        }
        return now >= end;
    });
    co_return met.size();
}

/// The work of a callback for each message, with a check that messages come in order.
struct Worked {
    struct State {
        std::size_t count = 0;
        std::size_t hash = 0;
        bool ordered = true;
    };
    std::shared_ptr<State> state = std::make_shared<State>();

    void operator()(const Message& message) const
    {
        state->ordered = state->ordered && message.index == state->count;
        const std::string bytes(1000, static_cast<char>(message.index));
        state->hash += std::hash<std::string>()(bytes);
        ++state->count;
    }
};

WatchOptions patient(From from = From::now())
{
    WatchOptions options = watch_from(from);
    options.callback_timeout = 2 * patience;
    return options;
}

/// Returns a callback that is a plain function, or a coroutine that is never suspended.
WatchCallback callback_of(const Worked& worked, bool coroutine)
{
    if (!coroutine) {
        return worked;
    }
    return [worked](const Message& message) -> Task {
        worked(message);
        co_return;
    };
}

Task live(Watcher watcher)
{
    co_await until([&] { return watcher.info().state == WatcherState::live; });
}

}  // namespace

// Other work on the event loop has its turns (W9) while a commit of many messages, or for many
// watches, is processed.
BOOST_FIXTURE_TEST_SUITE(test_turns, EventLoop)

BOOST_AUTO_TEST_CASE(others_have_turns_while_a_commit_is_delivered)
{
    run([]() -> Task {
        for (const bool coroutine : {false, true}) {
            Database db = co_await open_with("b");
            const Worked worked;
            Watcher watcher = db.watch("b", all(), callback_of(worked, coroutine), patient());
            const Run run = co_await start(watcher);
            co_await live(watcher);
            const Revision before = watcher.position().revision;
            const Large commit = co_await begin_to_put_often(db);
            const Revision revision = commit.revision;
            const auto place = [&] {
                // The position does not move before the commit is complete.
                BOOST_TEST_REQUIRE((watcher.position().revision == before ||
                                    worked.state->count == std::size_t{messages}));
                return worked.state->count;
            };
            const std::size_t met = co_await places_met(place, messages);
            BOOST_TEST(met > few);
            co_await watcher.reached(revision);
            BOOST_TEST(worked.state->ordered);
            co_await commit.committing.join();
            co_await db.close();
            co_await run.end();
        }
    });
}

BOOST_AUTO_TEST_CASE(others_have_turns_while_history_is_delivered)
{
    run([]() -> Task {
        for (const bool coroutine : {false, true}) {
            Database db = co_await open_with("b");
            co_await put_often(db, messages);
            const Worked worked;
            Watcher watcher =
                db.watch("b", key("k"), callback_of(worked, coroutine), patient(From::oldest()));
            const Run run = co_await start(watcher);
            const auto place = [&] { return worked.state->count; };
            const std::size_t met = co_await places_met(place, messages);
            BOOST_TEST(met > few);
            BOOST_TEST(worked.state->ordered);
            co_await db.close();
            co_await run.end();
        }
    });
}

BOOST_AUTO_TEST_CASE(others_have_turns_while_a_predicate_is_asked)
{
    run([]() -> Task {
        for (const bool coroutine : {false, true}) {
            Database db = co_await open_with("b");
            const Worked asked;
            const Worked worked;
            WatchOptions options = patient();
            options.filter.predicate = [asked](const Message& message) {
                asked(message);
                return true;
            };
            Watcher watcher = db.watch("b", all(), callback_of(worked, coroutine), options);
            const Run run = co_await start(watcher);
            co_await live(watcher);
            const Large commit = co_await begin_to_put_often(db);
            const Revision revision = commit.revision;
            const auto place = [&] { return asked.state->count; };
            const std::size_t met = co_await places_met(place, messages);
            BOOST_TEST(met > few);
            co_await watcher.reached(revision);
            BOOST_TEST(asked.state->ordered);
            BOOST_TEST(worked.state->ordered);
            BOOST_TEST(worked.state->count == std::size_t{messages});
            co_await commit.committing.join();
            co_await db.close();
            co_await run.end();
        }
    });
}

BOOST_AUTO_TEST_CASE(a_stop_between_two_slices_ends_before_the_commit)
{
    run([]() -> Task {
        for (const bool coroutine : {false, true}) {
            for (const bool cancelled : {false, true}) {
                Database db = co_await open_with("b");
                const Worked worked;
                Watcher watcher = db.watch("b", all(), callback_of(worked, coroutine), patient());
                const Run run = co_await start(watcher);
                co_await live(watcher);
                const Large commit = co_await begin_to_put_often(db);
                const Revision revision = commit.revision;
                co_await until_in_turns([&] { return worked.state->count > 0; });
                const std::size_t count = worked.state->count;
                BOOST_TEST(count < std::size_t{messages});
                cancelled ? run.cancel() : watcher.request_stop();
                const WatchEnd end = co_await run.end();
                BOOST_TEST(end.reason == (cancelled ? EndReason::cancelled : EndReason::stopped));
                BOOST_TEST(end.position.revision == revision - 1);
                BOOST_TEST(worked.state->count == count);
                co_await commit.committing.join();
                co_await db.close();
            }
        }
    });
}

// Only the pipeline's own work: none of these callbacks takes long.
BOOST_AUTO_TEST_CASE(others_have_turns_while_a_commit_is_routed_to_many)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::size_t given = 0;
        std::deque<Run> runs;
        for (int i = 0; i < 300; ++i) {
            const auto count = [&given](const Commit& commit) { given += commit.size(); };
            Watcher watcher = db.watch("b", i % 2 == 0 ? all() : prefix("k"), count, patient());
            runs.push_back(co_await start(watcher));
            co_await live(watcher);
        }
        const Large commit = co_await begin_to_put_often(db);
        const Revision revision = commit.revision;
        std::size_t turns = 0;
        co_await until_in_turns([&] {
            ++turns;
            return db.stats().pipeline.routed_revision >= revision;
        });
        BOOST_TEST(turns > 10 * few);
        co_await until([&] { return given == 300U * messages; });
        for (const WatcherInfo& each : db.watchers()) {
            BOOST_TEST(each.fell_behind == 0U);
        }
        co_await commit.committing.join();
        co_await db.close();
        for (const Run& each : runs) {
            co_await each.end();
        }
    });
}

// Watches join, are stopped and end while a commit is being routed.
BOOST_AUTO_TEST_CASE(watches_that_start_and_end_while_a_commit_is_routed_lose_nothing)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::deque<Watcher> others;
        std::deque<Run> runs;
        for (int i = 0; i < 200; ++i) {
            others.push_back(db.watch("b", all(), [](const Commit&) {}, patient()));
            runs.push_back(co_await start(others.back()));
            co_await live(others.back());
        }
        const Large large = co_await begin_to_put_often(db);
        const auto is_routed = [&] {
            return db.stats().pipeline.routed_revision >= large.revision;
        };
        BOOST_TEST(!is_routed());
        const Recorder from_here;
        const Recorder with_it;
        Watcher later = db.watch("b", key("l"), from_here, patient());
        Watcher earlier = db.watch("b", key("l"), with_it, patient(From::revision(large.revision)));
        runs.push_back(co_await start(later));
        runs.push_back(co_await start(earlier));
        others.front().request_stop();
        others[1].request_stop();
        const Revision last = co_await put(db, "b", "l", "1");
        co_await later.reached(last);
        co_await earlier.reached(last);
        co_await others[2].reached(last);
        co_await others.back().reached(last);
        BOOST_TEST(from_here.size() == 1U);
        BOOST_TEST(with_it.size() == 1U);
        co_await large.committing.join();
        co_await db.close();
        for (std::size_t i = 0; i < runs.size(); ++i) {
            const WatchEnd end = co_await runs[i].end();
            BOOST_TEST(end.reason == (i < 2 ? EndReason::stopped : EndReason::database_closed));
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
