// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

using namespace keywatch;
using namespace keywatch::test;

namespace {

/// An object that owns a watch, as members of programs do.
struct Owner {
    std::optional<Watcher> watcher;
    std::optional<PullWatcher> pulled;
};

Task run_of(Watcher watcher)
{
    co_await watcher.run();
}

}  // namespace

// Watches as parts of expressions of Asio's operators, and as members of objects.
BOOST_FIXTURE_TEST_SUITE(test_compose, EventLoop)

BOOST_AUTO_TEST_CASE(all_of_several_watches_are_awaited_at_once)
{
    run([]() -> Task {
        using namespace asio::experimental::awaitable_operators;
        Database db = co_await open_with("b");
        const Recorder first;
        const Recorder second;
        Watcher one = db.watch("b", key("k1"), first);
        Watcher other = db.watch("b", key("k2"), second);
        const auto both = [&]() -> Task {
            const auto ends = co_await (one.run() && other.run());
            BOOST_TEST(std::get<0>(ends).reason == EndReason::database_closed);
            BOOST_TEST(std::get<1>(ends).reason == EndReason::database_closed);
        };
        const Job running = co_await spawn(both());
        co_await one.wait_ready(patience);
        co_await other.wait_ready(patience);
        co_await put_many(db, "b", 4);
        co_await db.close();
        co_await running.join();
        BOOST_TEST(first.size() == 1U);
        BOOST_TEST(second.size() == 1U);
    });
}

// W11: the watch that loses the race is cancelled, and has ended when the race is over.
BOOST_AUTO_TEST_CASE(the_first_watch_that_ends_ends_the_other)
{
    run([]() -> Task {
        using namespace asio::experimental::awaitable_operators;
        Database db = co_await open_with("b");
        const auto enough = [](const Message&) { return Flow::stop; };
        const Recorder recorder;
        Watcher one = db.watch("b", all(), enough);
        Watcher other = db.watch("b", all(), recorder);
        const auto either = [&]() -> Task {
            const auto end = co_await (one.run() || other.run());
            BOOST_TEST(end.index() == 0U);
        };
        const Job running = co_await spawn(either());
        co_await one.wait_ready(patience);
        co_await other.wait_ready(patience);
        co_await put(db, "b", "k", "1");
        co_await running.join();
        BOOST_TEST(other.info().end == EndReason::cancelled);
        const std::size_t given = recorder.size();
        co_await put_many(db, "b", 5);
        BOOST_TEST(recorder.size() == given);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_watch_that_throws_ends_what_it_is_awaited_with)
{
    run([]() -> Task {
        using namespace asio::experimental::awaitable_operators;
        Database db = co_await open_with("b");
        Watcher one = db.watch("b", all(), [](const Message&) { throw std::runtime_error("no"); });
        Watcher other = db.watch("b", all(), [](const Message&) {});
        const auto both = [&]() -> Task { co_await (one.run() && other.run()); };
        const Job running = co_await spawn(both());
        co_await one.wait_ready(patience);
        co_await other.wait_ready(patience);
        co_await put(db, "b", "k", "1");
        BOOST_CHECK_THROW(co_await running.join(), std::runtime_error);
        BOOST_TEST(other.info().end == EndReason::cancelled);
        co_await db.close();
    });
}

// The handle is not part of the watch: it may be moved while run() is awaited.
BOOST_AUTO_TEST_CASE(a_watcher_that_runs_is_moved_to_another_owner)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        auto first = std::make_unique<Owner>();
        first->watcher = db.watch("b", all(), recorder);
        const Job running = co_await spawn(run_of(*first->watcher));
        co_await first->watcher->wait_ready(patience);
        co_await first->watcher->reached(co_await put(db, "b", "k", "1"));

        Owner second;
        second.watcher = std::move(first->watcher);
        first.reset();
        co_await second.watcher->reached(co_await put(db, "b", "k", "2"));
        BOOST_TEST(recorder.size() == 2U);

        Watcher third = std::move(*second.watcher);
        second.watcher = db.watch("b", all(), [](const Message&) {});
        BOOST_TEST(third.id() != second.watcher->id());
        co_await third.reached(co_await put(db, "b", "k", "3"));
        co_await third.stop();
        co_await running.join();
        BOOST_TEST(recorder.size() == 3U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_continues_where_its_first_owner_stopped)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        auto first = std::make_unique<Owner>();
        first->pulled = db.watch("b", all(), watch_from(From::revision(2)));
        co_await put_many(db, "b", 3);
        BOOST_TEST(co_await first->pulled->wait());
        BOOST_TEST(first->pulled->try_next()->revision() == 2U);

        Owner second;
        second.pulled = std::move(first->pulled);
        first.reset();
        BOOST_TEST(co_await second.pulled->wait());
        BOOST_TEST(second.pulled->try_next()->revision() == 3U);
        BOOST_TEST(second.pulled->position().revision == 2U);
        co_await second.pulled->stop();
        co_await db.close();
    });
}

// Commits made in between are neither lost nor delivered twice.
BOOST_AUTO_TEST_CASE(one_watch_continues_from_the_position_of_another)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        From from = From::now();
        for (int turn = 0; turn < 10; ++turn) {
            Watcher watcher = db.watch("b", all(), recorder, watch_from(from));
            const Run run = co_await start(watcher);
            co_await put_many(db, "b", 3);
            co_await watcher.stop();
            from = From::after((co_await run.end()).position);
            co_await put(db, "b", "between", std::to_string(turn));
        }
        Watcher last = db.watch("b", all(), recorder, watch_from(from));
        const Run run = co_await start(last);
        co_await last.reached(db.head_revision());
        const std::vector<Revision> given = recorder.revisions();
        BOOST_TEST(given.size() == 40U);
        for (std::size_t i = 0; i < given.size(); ++i) {
            BOOST_TEST(given[i] == i + 2);
        }
        co_await db.close();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_SUITE_END()
