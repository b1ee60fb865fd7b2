// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/gated_stream.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;

// Mainly for the sanitizers, like test_destruction.
namespace {

/// Shows when its owners are destroyed.
using Token = std::shared_ptr<int>;

struct OnTwoLoops : EventLoop {
    std::optional<EventLoop> other{std::in_place};

    asio::any_io_executor theirs() const { return other->executor(); }

    /// Runs this many turns of the other loop, with turns of this loop in between.
    void take_turns(int turns)
    {
        for (int i = 0; i < turns; ++i) {
            for (EventLoop* each : {&*other, static_cast<EventLoop*>(this)}) {
                int left = 1;
                each->run_until([&] { return left-- == 0; });
            }
        }
    }

    void take_turns_until(const std::function<bool()>& condition)
    {
        run_until([&] {
            int left = 1;
            other->run_until([&] { return left-- == 0; });
            return condition();
        });
    }

    /// Checks that the database still works.
    Task check(Database db)
    {
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Run running = co_await keywatch::test::start(watcher);
        const Revision last = co_await put_many(db, "b", 3);
        co_await watcher.reached(last);
        BOOST_TEST(recorder.size() >= 3U);  // a commit of the other loop may be included
        co_await db.close();
    }
};

Task write_on(Database db, Token)
{
    for (int i = 0;; ++i) {
        co_await put_many(db, "b", 1, i);
    }
}

Task look_on(Database db, Token)
{
    for (;;) {
        co_await get(db, "b", "k1");
        co_await yield();
    }
}

Task pull(PullWatcher watcher, Token)
{
    for (bool more = true; more;) {
        more = co_await watcher.wait();
        while (watcher.try_next()) {
            co_await yield();
        }
    }
}

Task write_in_bulk(Database db, Token)
{
    BulkWriterOptions options;
    options.transaction_bytes = 100;
    options.in_flight = 1;
    BulkWriter writer = db.bulk_writer(options);
    for (int i = 0;; ++i) {
        co_await writer.put("b", "k" + std::to_string(i), "v");
        if (i % 5 == 0) {
            co_await writer.flush();
        }
    }
}

Task reach(Watcher watcher, Token)
{
    co_await watcher.reached(1'000'000);
}

Task wait_ready(Watcher watcher, Token)
{
    co_await watcher.wait_ready(patience);
}

Task stop(Watcher watcher, Token)
{
    co_await watcher.stop();
}

Task run(Watcher watcher, Token)
{
    co_await watcher.run();
}

Task back_up(Database db, std::ostream& out, Token)
{
    co_await db.backup(out);
}

Task list(Database db, Token)
{
    for (;;) {
        co_await db.cursors();
    }
}

Task close(Database db, Token)
{
    co_await db.close();
}

WatchOptions from_start()
{
    WatchOptions options;
    options.from = From::snapshot();
    options.buffer_messages = 2;
    options.callback_timeout = 10 * patience;
    return options;
}

}  // namespace

// Contexts of callers that are destroyed before the context of the database. Everything suspended
// on them is destroyed, too; the database keeps working for other callers.
BOOST_FIXTURE_TEST_SUITE(test_callers_context, OnTwoLoops)

BOOST_AUTO_TEST_CASE(a_watch_ends_with_the_context_that_it_runs_on)
{
    const Token token = std::make_shared<int>(1);
    Database db = Database::open_blocking(executor(), watched_options());
    EventLoop::run([&]() -> Task { co_await create(db, "b"); });
    Watcher watcher = db.watch("b", all(), [](const Message&) {});
    const Job running(theirs(), ::run(watcher, token));
    take_turns_until([&] { return db.stats().watchers.running == 1; });
    EventLoop::run([&]() -> Task {
        const Job waits = co_await spawn(watcher.reached(1'000));
        co_await put(db, "b", "k", "1");
        co_await yield();
        other.reset();
        BOOST_TEST(co_await failure_of(waits.join()) == code(Error::watch_ended));
        co_await until([&] { return db.stats().watchers.running == 0; });
        BOOST_TEST(co_await failure_of(watcher.reached(1'000)) == code(Error::watch_ended));
        co_await watcher.stop();
        watcher.request_stop();
        co_await check(db);
    });
    BOOST_TEST(!running.done());
    BOOST_TEST(token.use_count() == 1);
}

// Everything that can be suspended is suspended, at every moment.
BOOST_AUTO_TEST_CASE(the_context_of_callers_may_be_destroyed_at_any_moment)
{
    for (int turns = 0; turns < 120; turns += 4) {
        const Token token = std::make_shared<int>(1);
        std::optional<OnTwoLoops> loops(std::in_place);
        Options options = watched_options();
        if (turns % 8 == 0) {
            options.durability = Durability::buffered;
        }
        Database db = Database::open_blocking(loops->executor(), options);
        loops->EventLoop::run([&]() -> Task {
            co_await create(db, "b");
            co_await put_many(db, "b", 20);
        });
        Watcher plain = db.watch("b", all(), [](const Message&) {});
        Watcher coroutine = db.watch("b", all(), [](const Message&) -> Task { co_await yield(); });
        Watcher stuck =
            db.watch("b", all(), [](const Message&) -> Task { co_await for_ever(); }, from_start());
        const auto theirs = loops->theirs();
        std::vector<Job> jobs;
        for (const Watcher& each : {plain, coroutine, stuck}) {
            jobs.emplace_back(theirs, ::run(each, token));
            jobs.emplace_back(theirs, wait_ready(each, token));
            jobs.emplace_back(theirs, reach(each, token));
        }
        for (int i = 0; i < 3; ++i) {
            jobs.emplace_back(theirs, write_on(db, token));
        }
        jobs.emplace_back(theirs, look_on(db, token));
        jobs.emplace_back(theirs, list(db, token));
        jobs.emplace_back(theirs, write_in_bulk(db, token));
        jobs.emplace_back(theirs, pull(db.watch("b", all(), from_start()), token));
        const Job ours(loops->executor(), write_on(db, token));
        loops->take_turns(turns);
        jobs.emplace_back(theirs, stop(stuck, token));
        loops->take_turns(2);
        loops->other.reset();
        BOOST_TEST(!jobs[2].done());
        ours.cancel();
        loops->EventLoop::run([&]() -> Task {
            co_await failure_of(ours.join());
            co_await loops->check(db);
        });
        BOOST_TEST(token.use_count() == 1, "after " << turns << " turns");
    }
}

BOOST_AUTO_TEST_CASE(the_context_of_callers_may_be_destroyed_while_they_close)
{
    for (int turns = 0; turns < 30; turns += 2) {
        const Token token = std::make_shared<int>(1);
        std::optional<OnTwoLoops> loops(std::in_place);
        Database db = Database::open_blocking(loops->executor(), watched_options());
        loops->EventLoop::run([&]() -> Task { co_await create(db, "b"); });
        const auto closes = [&](const Message&) -> Task { co_await close(db, token); };
        Watcher watcher = db.watch("b", all(), closes);
        const auto theirs = loops->theirs();
        const Job running(theirs, ::run(watcher, token));
        loops->take_turns_until([&] { return db.stats().watchers.running == 1; });
        const Job writer(theirs, write_on(db, token));
        loops->take_turns_until([&] { return db.head_revision() > 1; });
        const Job closing(theirs, close(db, token));
        loops->take_turns(turns);
        loops->other.reset();
        loops->EventLoop::run([&]() -> Task { co_await db.close(); });
        BOOST_TEST(db.stats().watchers.running == 0U);
    }
}

// One committer is the next in the queue for the writer lock, another has committed and waits for
// the flush.
BOOST_AUTO_TEST_CASE(the_context_of_waiting_committers_passes_the_lock_on)
{
    const Token token = std::make_shared<int>(1);
    Database db = Database::open_blocking(executor(), watched_options());
    EventLoop::run([&]() -> Task {
        co_await create(db, "b");
        const auto let_them_wait = [&](Transaction& tx) {
            const Job first(theirs(), write_on(db, token));
            const Job second(theirs(), write_on(db, token));
            int left = 4;
            other->run_until([&] { return left-- == 0; });
            BOOST_TEST(db.stats().engine.waiting == 2U);
            other.reset();
            tx.btree("b").put("k", "1");
        };
        co_await db.update(let_them_wait);
        co_await check(db);
    });
    BOOST_TEST(token.use_count() == 1);
}

// The stream belongs to the caller: nothing may be written to it after its owner was destroyed.
BOOST_AUTO_TEST_CASE(the_end_of_a_context_waits_until_its_backup_has_noticed)
{
    const Token token = std::make_shared<int>(1);
    Database db = Database::open_blocking(executor(), watched_options());
    EventLoop::run([&]() -> Task {
        co_await create(db, "b");
        co_await put_many(db, "b", 100);
        auto stream = std::make_unique<GatedStream>();
        const Job backup(theirs(), back_up(db, stream->out(), token));
        other->run_until([&] { return stream->reached(); });
        auto gone = std::async(std::launch::async, [&] {
            other.reset();
            stream.reset();
        });
        stream->open();
        gone.get();
        co_await check(db);
    });
    BOOST_TEST(token.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
