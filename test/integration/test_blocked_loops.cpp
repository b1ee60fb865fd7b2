// SPDX-License-Identifier: BSL-1.0
#include "support/loop/hand_clock.hpp"
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

/// An event loop on its own thread, which can be blocked.
class OtherLoop {
public:
    OtherLoop() : thread_([this] { context_.run(); }) {}
    OtherLoop(const OtherLoop&) = delete;
    OtherLoop& operator=(const OtherLoop&) = delete;
    ~OtherLoop()
    {
        unblock();
        guard_.reset();
        thread_.join();
    }

    asio::any_io_executor executor() { return context_.get_executor(); }

    template <class T>
    std::future<T> start(asio::awaitable<T> task)
    {
        return asio::co_spawn(context_, std::move(task), asio::use_future);
    }

    /// Blocks the loop after the work that is already queued.
    void block_soon()
    {
        asio::post(context_, [state = state_] {
            state->blocked.set_value();
            state->go_on.get_future().wait();
        });
    }
    void wait_until_blocked() { state_->blocked.get_future().wait(); }
    void block()
    {
        block_soon();
        wait_until_blocked();
        blocked_ = true;
    }
    void unblock()
    {
        if (std::exchange(blocked_, false)) {
            state_->go_on.set_value();
        }
    }
    void blocks_itself() { blocked_ = true; }

private:
    struct State {
        std::promise<void> blocked;
        std::promise<void> go_on;
    };

    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard_{context_.get_executor()};
    std::shared_ptr<State> state_ = std::make_shared<State>();
    bool blocked_ = false;
    std::thread thread_;
};

template <class T>
bool is_ready(const std::future<T>& future)
{
    return future.wait_for(0s) == std::future_status::ready;
}

template <class T>
Task ready(const std::future<T>& future)
{
    co_await until([&] { return is_ready(future); });
}

boost::system::error_code failure_in(std::future<Revision>& future)
{
    return failure_of([&] { future.get(); });
}

/// Blocks its own loop just before its first group would be written.
asio::awaitable<Revision> put_and_block(Database db, OtherLoop& loop)
{
    const auto put = [&](Transaction& tx) {
        tx.btree("b").put("theirs", std::string(2'000, 'v'));
        loop.block_soon();
    };
    co_return co_await db.update(put);
}

}  // namespace

// Event loops of the program that are blocked by other code, or stopped. Neither commits nor
// closing wait for them.
BOOST_FIXTURE_TEST_SUITE(test_blocked_loops, EventLoop)

// W14, trap 18
BOOST_AUTO_TEST_CASE(a_blocked_loop_with_a_waiter_does_not_delay_other_commits)
{
    run([]() -> Task {
        OtherLoop other;
        Database db = co_await open_with("b");
        std::future<Revision> theirs;
        const auto let_them_wait = [&](Transaction& tx) {
            theirs = other.start(put(db, "b", "theirs", "1"));
            other.block();  // after its call of update()
            BOOST_TEST(db.stats().engine.waiting == 1U);
            tx.btree("b").put("ours", "1");
        };
        co_await db.update(let_them_wait);
        const Revision last = co_await put_many(db, "b", 100);
        BOOST_TEST(last == 102U);
        BOOST_TEST(!is_ready(theirs));
        other.unblock();
        co_await ready(theirs);
        BOOST_TEST(theirs.get() == 103U);
        co_await db.close();
    });
}

// W14
BOOST_AUTO_TEST_CASE(a_stopped_loop_with_a_waiter_does_not_delay_other_commits)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        asio::io_context stopped(1);
        auto theirs = asio::co_spawn(stopped, put(db, "b", "theirs", "1"), asio::use_future);
        const auto let_them_wait = [&](Transaction& tx) {
            stopped.poll();
            stopped.stop();
            BOOST_TEST(db.stats().engine.waiting == 1U);
            tx.btree("b").put("ours", "1");
        };
        co_await db.update(let_them_wait);
        co_await put_many(db, "b", 100);
        BOOST_TEST(!is_ready(theirs));
        stopped.restart();
        stopped.run();
        BOOST_TEST(theirs.get() == 103U);
        co_await db.close();
    });
}

// W14
BOOST_AUTO_TEST_CASE(a_sweep_on_a_blocked_loop_does_not_delay_commits)
{
    run([]() -> Task {
        OtherLoop own;
        HandClock clock;
        Options options = watched_options();
        options.clock = clock.clock();
        Database db = Database::open_blocking(own.executor(), options);
        co_await create(db, "b");
        co_await db.put("b", "k", "v", 1ms);
        const auto let_it_sweep = [&](Transaction& tx) {
            clock.advance(1h);
            while (db.stats().engine.waiting == 0) {
                std::this_thread::yield();
            }
            own.block();
            tx.btree("b").put("ours", "1");
        };
        co_await db.update(let_it_sweep);
        co_await put_many(db, "b", 100);
        BOOST_TEST(db.stats().engine.expired == 0U);
        own.unblock();
        co_await until([&] { return db.stats().engine.expired == 1; });
        co_await db.close();
    });
}

// W14: the first group waits for a turn of a loop that is blocked, and cannot be extended.
BOOST_AUTO_TEST_CASE(a_loop_blocked_before_the_first_flush_does_not_delay_other_commits)
{
    run([]() -> Task {
        OtherLoop other;
        Options options = watched_options();
        options.max_pending_bytes = 1'000;
        Database db = co_await open_with(options, "b");
        auto theirs = other.start(put_and_block(db, other));
        other.wait_until_blocked();
        other.blocks_itself();
        co_await put_many(db, "b", 100);
        BOOST_TEST(db.head_revision() == 102U);
        BOOST_TEST(!is_ready(theirs));
        other.unblock();
        co_await ready(theirs);
        BOOST_TEST(theirs.get() == 2U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(commits_of_a_blocked_loop_are_durable_and_delivered)
{
    run([]() -> Task {
        OtherLoop other;
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        auto theirs = other.start(put_and_block(db, other));
        other.wait_until_blocked();
        other.blocks_itself();
        co_await watcher.reached(2);
        BOOST_TEST(recorder.size() == 1U);
        co_await db.close();  // closing does not wait for it, either
        BOOST_TEST(!is_ready(theirs));
        other.unblock();
        co_await ready(theirs);
        BOOST_TEST(theirs.get() == 2U);
    });
}

BOOST_AUTO_TEST_CASE(closing_refuses_waiters_on_a_blocked_loop_at_its_timeout)
{
    run([]() -> Task {
        OtherLoop other;
        Database db = co_await open_with("b");
        std::future<Revision> theirs;
        const auto let_them_wait = [&](Transaction& tx) {
            theirs = other.start(put(db, "b", "theirs", "1"));
            other.block();
            tx.btree("b").put("ours", "1");
        };
        co_await db.update(let_them_wait);
        co_await db.close(50ms);
        BOOST_TEST(!is_ready(theirs));
        other.unblock();
        co_await ready(theirs);
        BOOST_TEST(failure_in(theirs) == code(Error::closed));
        BOOST_TEST(db.head_revision() == 2U);
    });
}

BOOST_AUTO_TEST_CASE(a_database_of_a_blocked_loop_can_be_closed_on_another_one)
{
    const TemporaryDirectory directory;
    run([&]() -> Task {
        OtherLoop own;
        Database db = Database::open_blocking(own.executor(), watched_options(directory / "db"));
        co_await create(db, "b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        Watcher never_run = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        const Job waits = co_await spawn(never_run.reached(1'000));
        co_await watcher.reached(co_await put(db, "b", "k", "0"));  // the watch is live
        own.block();
        co_await put(db, "b", "k", "1");
        BOOST_TEST(co_await failure_of(db.close(1ms)) == code(Error::close_timeout));
        BOOST_TEST((co_await run.end()).reason == EndReason::database_closed);
        BOOST_TEST(co_await failure_of(waits.join()) == code(Error::closed));
        Database again = co_await open_database(watched_options(directory / "db"));
        BOOST_TEST(co_await get(again, "b", "k") == "1");
        co_await again.close();
        own.unblock();
        BOOST_TEST(co_await failure_of(db.close()) == code(Error::close_timeout));
    });
}

BOOST_AUTO_TEST_CASE(a_database_of_a_stopped_loop_can_be_closed_on_another_one)
{
    const TemporaryDirectory directory;
    asio::io_context own(1);
    Database db = Database::open_blocking(own.get_executor(), watched_options(directory / "db"));
    own.poll();
    own.stop();
    run([&]() -> Task {
        co_await create(db, "b");
        BOOST_TEST(co_await failure_of(db.close(1ms)) == code(Error::close_timeout));
        Database again = co_await open_database(watched_options(directory / "db"));
        BOOST_TEST(again.head_revision() == 1U);
        co_await again.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
