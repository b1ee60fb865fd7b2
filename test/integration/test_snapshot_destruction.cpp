// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::test;

// Mainly for the sanitizers, like test_destruction.
namespace {

Database open_filled(EventLoop& loop)
{
    Database db = Database::open_blocking(loop.executor(), watched_options());
    loop.run([&]() -> Task {
        co_await create(db, "b");
        co_await put_many(db, "b", 12);
    });
    return db;
}

WatchOptions state_in_parts_of(std::size_t messages)
{
    WatchOptions options = watch_from(From::snapshot());
    options.buffer_messages = messages;
    return options;
}

Task run_watch(Watcher watcher)
{
    co_await watcher.run();
}

Task pull(PullWatcher watcher)
{
    while (co_await watcher.wait()) {
        while (const auto commit = watcher.try_next()) {
            co_await yield();
        }
    }
}

Task write_on(Database db)
{
    for (int i = 0;; ++i) {
        co_await put_many(db, "b", 1, i);
    }
}

}  // namespace

// Event loops that are destroyed during a snapshot.
BOOST_AUTO_TEST_SUITE(test_snapshot_destruction)

BOOST_AUTO_TEST_CASE(the_context_may_be_destroyed_at_any_part_of_a_snapshot)
{
    for (int turns = 0; turns < 90; turns += 2) {
        EventLoop loop;
        Database db = open_filled(loop);
        const WatchOptions options = state_in_parts_of(1);
        int seen = 0;
        Watcher plain = db.watch("b", all(), [&](const Message&) { ++seen; }, options);
        Watcher slow =
            db.watch("b", all(), [](const Message&) -> Task { co_await yield(); }, options);
        const PullWatcher pulled = db.watch("b", all(), options);
        const Job first(loop.executor(), run_watch(plain));
        const Job second(loop.executor(), run_watch(slow));
        const Job third(loop.executor(), pull(pulled));
        const Job writer(loop.executor(), write_on(db));
        int left = turns;
        loop.run_until([&] { return left-- == 0; });
        loop.destroy();
        BOOST_TEST(plain.position().revision <= db.head_revision());
    }
}

// The handles of a watch may be destroyed last.
BOOST_AUTO_TEST_CASE(a_snapshot_that_was_not_read_may_outlive_its_database)
{
    std::optional<PullWatcher> watcher;
    std::optional<PulledCommit> part;
    {
        EventLoop loop;
        Database db = open_filled(loop);
        loop.run([&]() -> Task {
            watcher.emplace(db.watch("b", all(), state_in_parts_of(3)));
            BOOST_TEST(co_await watcher->wait());
            part = watcher->try_next();
            co_await db.close(std::chrono::milliseconds(1));
        });
    }
    BOOST_REQUIRE(part.has_value());
    BOOST_TEST(part->size() == 3U);
    BOOST_TEST((*part)[1].key == "k0");
    BOOST_TEST(!watcher->try_next());
}

BOOST_AUTO_TEST_SUITE_END()
