// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <functional>
#include <limits>
#include <sstream>
#include <thread>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

constexpr Revision last_revision = std::numeric_limits<Revision>::max();

template <class T>
Task ignore(asio::awaitable<T> operation)
{
    (void)co_await std::move(operation);
}

Task update_nothing(Database db)
{
    co_await db.update([](Transaction&) {});
}

Task view_nothing(Database db)
{
    co_await db.view([](const Snapshot&) {});
}

Task back_up(Database db)
{
    std::ostringstream out;
    co_await db.backup(out);
}

Task flush(BulkWriter& writer)
{
    co_await writer.flush();
}

Task run_once(Watcher watcher)
{
    co_await watcher.run();
}

Task wait_once(PullWatcher watcher)
{
    co_await watcher.wait();
}

/// Checks the errors of an empty handle, and of one to a database that has closed.
Task check_calls_are_refused(Database db)
{
    const auto closed = code(Error::closed);
    BOOST_TEST(co_await failure_of(update_nothing(db)) == closed);
    BOOST_TEST(co_await failure_of(view_nothing(db)) == closed);
    BOOST_TEST(co_await failure_of(back_up(db)) == closed);
    BOOST_TEST(co_await failure_of(ignore(db.backup("no/such/place"))) == closed);
    BOOST_TEST(failure_of([&] { db.bulk_writer(); }) == closed);
    BOOST_TEST(failure_of([&] { db.watch("b", all(), Recorder()); }) == closed);
    BOOST_TEST(failure_of([&] { db.watch("b", all()); }) == closed);
}

void check_figures_are_refused(const Database& db)
{
    const auto closed = code(Error::closed);
    BOOST_TEST(failure_of([&] { (void)db.head_revision(); }) == closed);
    BOOST_TEST(failure_of([&] { (void)db.oldest_revision(); }) == closed);
    BOOST_TEST(failure_of([&] { (void)db.head_position(); }) == closed);
    BOOST_TEST(failure_of([&] { (void)db.stats(); }) == closed);
}

/// The results of another thread, with its own event loop, that used a database.
struct Visit {
    std::optional<std::string> value;
    Revision loaded = 0;
    Revision copied = 0;
    Revision pulled = 0;
    std::exception_ptr error;
    std::atomic<bool> over = false;
};

Task visit(Database db, Visit& visit)
{
    PullWatcher watcher = db.watch("b", all());
    co_await db.put("b", "k", "far");
    visit.value = co_await db.get("b", "k");
    BulkWriter writer = db.bulk_writer();
    co_await writer.put("b", "l", "bulk");
    visit.loaded = co_await writer.flush();
    std::ostringstream out;
    visit.copied = co_await db.backup(out);
    while (visit.pulled < visit.loaded) {
        co_await watcher.wait();
        while (const auto commit = watcher.try_next()) {
            visit.pulled = commit->revision();
        }
    }
    co_await watcher.stop();
}

/// Runs on its own thread.
void visit_elsewhere(Database db, Visit& result)
{
    asio::io_context context;
    asio::co_spawn(context, visit(std::move(db), result),
                   [&](std::exception_ptr error) { result.error = std::move(error); });
    context.run();
    result.over = true;
}

}  // namespace

// Use at the wrong time or from the wrong place: of an empty handle, while closing, from inside,
// from another thread.
BOOST_FIXTURE_TEST_SUITE(test_misuse_use, EventLoop)

BOOST_AUTO_TEST_CASE(every_use_of_an_empty_handle_is_refused)
{
    run([]() -> Task {
        Database db;
        co_await check_calls_are_refused(db);
        check_figures_are_refused(db);
        BOOST_TEST(co_await failure_of(db.close()) == code(Error::closed));
        db = co_await open_with("b");
        Database moved = std::move(db);
        // NOLINT(bugprone-use-after-move): it is an empty handle now
        co_await check_calls_are_refused(db);
        check_figures_are_refused(db);
        co_await moved.close();
    });
}

BOOST_AUTO_TEST_CASE(after_close_only_figures_are_left)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Watcher never_run = db.watch("b", all(), Recorder());
        const PullWatcher never_waited = db.watch("b", all());
        co_await put(db, "b", "k", "1");
        co_await db.close();
        co_await check_calls_are_refused(db);
        co_await db.close();
        const auto closed = code(Error::closed);
        BOOST_TEST(co_await failure_of(run_once(never_run)) == closed);
        BOOST_TEST(co_await failure_of(wait_once(never_waited)) == closed);
        BOOST_TEST(co_await failure_of(never_run.reached(2)) == closed);
        BOOST_TEST(co_await failure_of(never_waited.reached(2)) == closed);
        BOOST_TEST(co_await failure_of(never_waited.wait_ready(1s)) == closed);
        co_await never_run.stop();
        co_await never_waited.stop();
        BOOST_TEST(never_run.position().revision == 1U);
        BOOST_TEST(db.head_revision() == 2U);
        BOOST_TEST(db.head_position().revision == 2U);
        BOOST_TEST(db.oldest_revision() == 1U);
        BOOST_TEST(db.stats().engine.head_revision == 2U);
    });
}

// A callback delays the close.
BOOST_AUTO_TEST_CASE(while_it_closes_a_database_accepts_transactions_but_no_watches)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Gate gate;
        Watcher watcher =
            db.watch("b", all(), [gate](const Message&) -> Task { co_await gate.pass(); });
        const Watcher never_run = db.watch("b", all(), Recorder());
        const Run running = co_await start(watcher);
        BulkWriter writer = db.bulk_writer();
        co_await writer.put("b", "k", "bulk");
        co_await put(db, "b", "k", "1");
        co_await until([&] { return gate.reached() == 1; });
        const Job closing = co_await spawn(db.close());
        const Job again = co_await spawn(db.close());
        const auto closed = code(Error::closed);
        // A watch has yet to be drained, so transactions may commit, for its callback or otherwise.
        co_await update_nothing(db);
        co_await flush(writer);
        co_await db.put("b", "k", "2");
        BulkWriter late = db.bulk_writer();
        BOOST_TEST(co_await failure_of(back_up(db)) == closed);
        BOOST_TEST(co_await failure_of(run_once(never_run)) == closed);
        BOOST_TEST(failure_of([&] { db.watch("b", all(), Recorder()); }) == closed);
        BOOST_TEST(failure_of([&] { db.watch("b", all()); }) == closed);
        BOOST_TEST(co_await db.get("b", "k") == "2");
        BOOST_TEST(co_await failure_of(db.close(-1ms)) == code(Error::invalid_option));
        BOOST_TEST(!closing.done());
        BOOST_TEST(!again.done());
        gate.open();
        co_await closing.join();
        co_await again.join();
        BOOST_TEST((co_await running.end()).reason == EndReason::database_closed);
        co_await late.put("b", "k", "never");
        BOOST_TEST(co_await failure_of(flush(late)) == closed);
        co_await check_calls_are_refused(db);
    });
}

// A transaction function cannot wait, but it can start concurrent work.
BOOST_AUTO_TEST_CASE(work_started_by_a_transaction_function_waits_or_sees_the_old_contents)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto executor = co_await asio::this_coro::executor;
        std::vector<Job> jobs;
        std::vector<std::string> seen;
        const auto look = [](Database database, std::vector<std::string>& values) -> Task {
            values.push_back((co_await database.get("b", "k")).value_or("nothing"));
        };
        const auto write = [&](Transaction& tx) {
            tx.btree("b").put("k", "outer");
            jobs.emplace_back(executor, ignore(db.put("b", "k", "inner")));
            jobs.emplace_back(executor, look(db, seen));
            jobs.emplace_back(executor, back_up(db));
            BOOST_TEST(tx.btree("b").get("k") == "outer");
        };
        BOOST_TEST(co_await db.update(write) == 2U);
        for (const Job& each : jobs) {
            co_await each.join();
        }
        const std::vector<std::string> before{"nothing"};
        BOOST_TEST(seen == before);
        BOOST_TEST(co_await db.get("b", "k") == "inner");
        BOOST_TEST(db.head_revision() == 3U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_view_may_start_views_updates_and_the_end)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto executor = co_await asio::this_coro::executor;
        std::vector<Job> jobs;
        const auto read = [&](const Snapshot& snapshot) {
            jobs.emplace_back(executor, view_nothing(db));
            jobs.emplace_back(executor, ignore(db.put("b", "k", "1")));
            jobs.emplace_back(executor, db.close());
            BOOST_TEST(!snapshot.btree("b").contains("k"));
        };
        co_await db.view(read);
        for (const Job& each : jobs) {
            co_await each.join();
        }
        BOOST_TEST(db.head_revision() == 2U);
    });
}

BOOST_AUTO_TEST_CASE(a_close_from_inside_a_transaction_waits_for_it)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto executor = co_await asio::this_coro::executor;
        std::optional<Job> closing;
        const auto write = [&](Transaction& tx) {
            closing.emplace(executor, db.close());
            tx.btree("b").put("k", "1");
        };
        BOOST_TEST(co_await db.update(write) == 2U);
        co_await closing->join();
        co_await check_calls_are_refused(db);
        BOOST_TEST(db.head_revision() == 2U);
    });
}

BOOST_AUTO_TEST_CASE(functions_that_are_empty_throw_when_they_are_called)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::function<void(Transaction&)> write;
        std::function<void(const Snapshot&)> read;
        std::function<void(const Message&)> call;
        BOOST_CHECK_THROW(co_await db.update(write), std::bad_function_call);
        BOOST_CHECK_THROW(co_await db.view(read), std::bad_function_call);
        Watcher watcher = db.watch("b", all(), call);
        const Run running = co_await start(watcher);
        co_await put(db, "b", "k", "1");
        BOOST_CHECK_THROW(co_await running.end(), std::bad_function_call);
        BOOST_TEST(watcher.position().revision == 1U);
        co_await db.close();
    });
}

// Waits for a watch that is never run end with the close at the latest.
BOOST_AUTO_TEST_CASE(a_watch_that_is_never_run_can_be_waited_for)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Watcher first = db.watch("b", all(), Recorder());
        const PullWatcher second = db.watch("b", all());
        co_await put(db, "b", "k", "1");
        co_await first.reached(1);
        co_await second.reached(1);
        const Job waiting_first = co_await spawn(first.reached(2));
        const Job waiting_second = co_await spawn(second.reached(2));
        const auto timeout = code(Error::ready_timeout);
        BOOST_TEST(co_await failure_of(second.wait_ready(1ms)) == timeout);
        BOOST_TEST(co_await failure_of(second.wait_ready(0ms)) == code(Error::invalid_option));
        BOOST_TEST(!waiting_first.done());
        BOOST_TEST(!waiting_second.done());
        BOOST_TEST(first.position().revision == 1U);
        co_await db.close();
        BOOST_TEST(co_await failure_of(waiting_first.join()) == code(Error::closed));
        BOOST_TEST(co_await failure_of(waiting_second.join()) == code(Error::closed));
    });
}

BOOST_AUTO_TEST_CASE(the_last_of_all_revisions_can_be_waited_for)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, watch_from(From::revision(last_revision)));
        const Run running(co_await asio::this_coro::executor, watcher);
        Watcher live = db.watch("b", all(), recorder);
        const Run second = co_await start(live);
        const Job waiting = co_await spawn(live.reached(last_revision));
        co_await live.reached(co_await put(db, "b", "k", "1"));
        BOOST_TEST(!waiting.done());
        co_await db.close();
        BOOST_TEST((co_await running.end()).reason == EndReason::database_closed);
        BOOST_TEST((co_await second.end()).reason == EndReason::database_closed);
        BOOST_TEST(co_await failure_of(waiting.join()) == code(Error::watch_ended));
        BOOST_TEST(recorder.size() == 1U);
    });
}

// The event loop of the database must keep running meanwhile.
BOOST_AUTO_TEST_CASE(another_thread_with_its_own_event_loop_may_use_it)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Visit result;
        std::thread thread(visit_elsewhere, db, std::ref(result));
        const auto error = co_await failure_of(until([&] { return result.over.load(); }));
        thread.join();
        BOOST_TEST(!error);
        BOOST_TEST(result.error == nullptr);
        BOOST_TEST(result.value == "far");
        BOOST_TEST(result.loaded == 3U);
        BOOST_TEST(result.copied == 3U);
        BOOST_TEST(result.pulled == 3U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
