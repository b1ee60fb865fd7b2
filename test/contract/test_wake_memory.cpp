// SPDX-License-Identifier: BSL-1.0
#include "support/memory/counted_memory.hpp"
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <limits>

using namespace keywatch;
using namespace keywatch::test;

namespace {

constexpr Revision never = std::numeric_limits<Revision>::max();
/// Less than a tenth of what would remain if each wait of a round left the smallest possible
/// allocation.
constexpr std::size_t limit = 100 << 10;

Task start_and_stop(Database db, int count)
{
    for (int i = 0; i < count; ++i) {
        Watcher watcher =
            db.watch("b", all(), [](const Message&) {}, watch_from(From::revision(never)));
        const Run run = co_await start(watcher);
        for (int turn = 0; turn < 5; ++turn) {
            co_await yield();  // so that it registers a wake-up
        }
        co_await watcher.stop();
        co_await run.end();
    }
}

Task wait_and_cancel(Watcher watcher, int count)
{
    for (int i = 0; i < count; ++i) {
        const Job waiting = co_await spawn(watcher.reached(never - static_cast<unsigned>(i)));
        co_await yield();
        waiting.cancel();
        co_await failure_of(waiting.join());
    }
}

}  // namespace

// The memory that remains of waits for revisions that never come (W10).
BOOST_FIXTURE_TEST_SUITE(test_wake_memory, EventLoop)

BOOST_AUTO_TEST_CASE(watches_of_a_future_revision_release_their_memory)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await start_and_stop(db, 500);
        const Peak peak;
        co_await start_and_stop(db, 2000);
        BOOST_TEST(peak.left() < limit);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(cancelled_waits_release_their_memory)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Watcher watcher = db.watch("b", all(), [](const Message&) {});
        const Run run = co_await start(watcher);
        co_await wait_and_cancel(watcher, 500);
        const Peak peak;
        co_await wait_and_cancel(watcher, 20000);
        BOOST_TEST(peak.left() < limit);
        // A wait that is still pending is not forgotten in between.
        const Revision next = db.head_revision() + 1;
        const Job waiting = co_await spawn(watcher.reached(next));
        co_await wait_and_cancel(watcher, 500);
        BOOST_TEST(!waiting.done());
        co_await put(db, "b", "a", "1");
        co_await waiting.join();
        co_await db.close();
        co_await run.end();
    });
}

// A future start, and a wait of a watch that has not been run yet.
BOOST_AUTO_TEST_CASE(pending_waits_are_kept_among_cancelled_ones)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher later = db.watch("b", all(), recorder, watch_from(From::revision(3)));
        Watcher idle = db.watch("b", key("none"), [](const Message&) {});
        const Run later_run = co_await start(later);
        const Job waiting = co_await spawn(idle.reached(4));
        co_await start_and_stop(db, 500);
        const Run idle_run = co_await start(idle);
        co_await put_many(db, "b", 3);
        co_await waiting.join();
        co_await until([&] { return recorder.size() == 2; });
        co_await db.close();
        co_await later_run.end();
        co_await idle_run.end();
    });
}

BOOST_AUTO_TEST_SUITE_END()
