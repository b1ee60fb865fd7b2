// SPDX-License-Identifier: BSL-1.0
#include "embedded/commit/writer_lock.hpp"

#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

using namespace keywatch;
using namespace keywatch::embedded;
using keywatch::test::failure_of;
using keywatch::test::Gate;
using keywatch::test::Job;
using keywatch::test::spawn;
using keywatch::test::Task;
using keywatch::test::until;

namespace {

/// An event loop that runs only when the test runs it; otherwise it is blocked.
class BlockedLoop {
public:
    BlockedLoop() { context_.emplace(1); }

    void start(Task task) { jobs_.emplace_back(context_->get_executor(), std::move(task)); }
    const Job& job(std::size_t number) const { return jobs_[number]; }
    void run()
    {
        context_->restart();
        context_->poll();
    }
    void destroy() { context_.reset(); }

private:
    std::vector<Job> jobs_;
    std::optional<asio::io_context> context_;
};

struct Writers : test::EventLoop {
    WriterLock::Clock::time_point now;
    std::shared_ptr<WriterLock> lock = std::make_shared<WriterLock>([this] { return now; });
    BlockedLoop blocked;
    std::vector<int> order;
    int inside = 0;
    Gate gate;

    /// Acquires the writer lock, and holds it until the gate is open.
    Task write(int name)
    {
        if (!lock->try_acquire()) {
            co_await lock->acquire();
        }
        BOOST_TEST(++inside == 1);  // no other writer holds it
        order.push_back(name);
        co_await gate.pass();
        --inside;
        lock->release();
    }

    Task acquire() { co_await lock->acquire(); }

    /// Acquires the writer lock, and keeps it.
    Task take(int name)
    {
        co_await lock->acquire();
        order.push_back(name);
    }

    /// Does what the database does while a writer waits.
    void look_later()
    {
        now += WriterLock::patience;
        lock->skip_blocked();
    }

    void check_order(const std::vector<int>& expected) { BOOST_TEST(order == expected); }
};

std::exception_ptr refusal()
{
    return std::make_exception_ptr(
        boost::system::system_error(make_error_code(Error::storage_failed)));
}

}  // namespace

// `WriterLock`: the order of writers, cancelled waiters and pauses.
BOOST_FIXTURE_TEST_SUITE(test_writer_lock, Writers)

BOOST_AUTO_TEST_CASE(a_free_lock_is_acquired_at_once)
{
    BOOST_TEST(lock->try_acquire());
    BOOST_TEST(!lock->try_acquire());
    lock->release();
    BOOST_TEST(lock->try_acquire());
}

BOOST_AUTO_TEST_CASE(writers_acquire_the_lock_in_the_order_of_their_calls)
{
    run([this]() -> Task {
        std::vector<Job> jobs;
        for (int name = 0; name < 5; ++name) {
            jobs.push_back(co_await spawn(write(name)));
        }
        co_await until([this] { return gate.reached() == 1; });
        gate.open();
        for (const Job& each : jobs) {
            co_await each.join();
        }
        check_order({0, 1, 2, 3, 4});
    });
}

// A free lock that is claimed is not available to new callers, which would overtake the claimant.
BOOST_AUTO_TEST_CASE(no_writer_overtakes_one_that_has_claimed_the_lock)
{
    run([this]() -> Task {
        BOOST_TEST(lock->try_acquire());
        const Job job = co_await spawn(acquire());
        co_await test::yield();
        lock->release();  // claimed, but its coroutine has not run yet
        BOOST_TEST(!job.done());
        BOOST_TEST(!lock->try_acquire());
        co_await job.join();
        BOOST_TEST(!lock->try_acquire());
        lock->release();
        BOOST_TEST(lock->try_acquire());
    });
}

BOOST_AUTO_TEST_CASE(a_waiter_cancelled_in_the_queue_leaves_it_and_the_next_moves_up)
{
    run([this]() -> Task {
        const Job first = co_await spawn(write(1));
        const Job second = co_await spawn(write(2));
        const Job third = co_await spawn(write(3));
        co_await until([this] { return gate.reached() == 1; });
        // It does not react to this type of cancellation.
        second.cancel(asio::cancellation_type::total);
        co_await test::yield();
        BOOST_TEST(!second.done());
        second.cancel();
        BOOST_TEST(co_await failure_of(second.join()) == asio::error::operation_aborted);
        gate.open();
        co_await first.join();
        co_await third.join();
        check_order({1, 3});
    });
}

BOOST_AUTO_TEST_CASE(a_waiter_that_is_cancelled_when_the_lock_is_free_leaves_it_to_the_next)
{
    run([this]() -> Task {
        BOOST_TEST(lock->try_acquire());
        const Job first = co_await spawn(take(1));
        const Job second = co_await spawn(take(2));
        co_await test::yield();
        lock->release();
        first.cancel();
        BOOST_TEST(co_await failure_of(first.join()) == asio::error::operation_aborted);
        co_await second.join();
        check_order({2});
        BOOST_TEST(!lock->try_acquire());
    });
}

BOOST_AUTO_TEST_CASE(while_paused_the_lock_is_not_passed_on)
{
    run([this]() -> Task {
        gate.open();
        lock->pause();
        BOOST_TEST(!lock->try_acquire());
        const Job first = co_await spawn(write(1));
        const Job second = co_await spawn(write(2));
        for (int i = 0; i < 10; ++i) {
            co_await test::yield();
        }
        check_order({});
        lock->resume();
        co_await first.join();
        co_await second.join();
        check_order({1, 2});
    });
}

BOOST_AUTO_TEST_CASE(a_pause_while_the_lock_is_held_takes_effect_with_its_release)
{
    run([this]() -> Task {
        BOOST_TEST(lock->try_acquire());
        lock->pause();
        gate.open();
        const Job job = co_await spawn(write(1));
        co_await test::yield();
        lock->release();
        co_await test::yield();
        BOOST_TEST(!job.done());
        lock->resume();
        co_await job.join();
    });
}

BOOST_AUTO_TEST_CASE(a_refusal_reaches_present_and_future_waiters)
{
    run([this]() -> Task {
        BOOST_TEST(lock->try_acquire());
        const Job waiting = co_await spawn(acquire());
        co_await test::yield();
        lock->refuse(refusal());
        BOOST_TEST(co_await failure_of(waiting.join()) == test::code(Error::storage_failed));
        BOOST_TEST(co_await failure_of(acquire()) == test::code(Error::storage_failed));
        lock->release();
        BOOST_TEST(!lock->try_acquire());
    });
}

BOOST_AUTO_TEST_CASE(a_waiter_on_a_blocked_executor_is_skipped_and_keeps_its_place)
{
    run([this]() -> Task {
        BOOST_TEST(lock->try_acquire());
        blocked.start(take(1));
        blocked.run();
        const Job second = co_await spawn(take(2));
        const Job third = co_await spawn(take(3));
        co_await test::yield();
        lock->release();  // claimed on the blocked executor
        lock->skip_blocked();
        co_await test::yield();
        check_order({});
        look_later();
        co_await second.join();
        check_order({2});
        blocked.run();  // too late, but it is no longer in doubt
        lock->release();
        co_await test::yield();
        check_order({2});
        blocked.run();
        check_order({2, 1});
        lock->release();
        co_await third.join();
        check_order({2, 1, 3});
    });
}

BOOST_AUTO_TEST_CASE(new_waiters_overtake_only_waiters_in_doubt)
{
    run([this]() -> Task {
        BOOST_TEST(lock->try_acquire());
        blocked.start(take(1));
        blocked.run();
        lock->release();
        const Job second = co_await spawn(take(2));
        co_await test::yield();
        check_order({});
        look_later();
        co_await second.join();
        lock->release();
        BOOST_TEST(!lock->try_acquire());  // they may run on the same executor
        const Job third = co_await spawn(take(3));
        co_await third.join();
        lock->release();
        blocked.run();
        check_order({2, 3, 1});
    });
}

// All waiters together cost the time of one, even if the whole queue is blocked.
BOOST_AUTO_TEST_CASE(all_waiters_of_a_blocked_executor_are_skipped_together)
{
    run([this]() -> Task {
        BOOST_TEST(lock->try_acquire());
        for (std::size_t i = 0; i < WriterLock::most_claims; ++i) {
            blocked.start(take(static_cast<int>(i)));
        }
        blocked.run();
        const Job other = co_await spawn(take(100));
        co_await test::yield();
        lock->release();
        look_later();  // the first is late, and the others receive their claims
        look_later();
        co_await other.join();
        check_order({100});
    });
}

// This needs no call of skip_blocked(), as long as other writers come.
BOOST_AUTO_TEST_CASE(a_new_waiter_skips_those_that_are_late)
{
    run([this]() -> Task {
        BOOST_TEST(lock->try_acquire());
        blocked.start(take(1));
        blocked.run();
        lock->release();
        now += WriterLock::patience;
        const Job other = co_await spawn(take(2));
        co_await other.join();
        check_order({2});
    });
}

BOOST_AUTO_TEST_CASE(doubtful_waiters_that_are_given_up_fail_and_others_do_not)
{
    run([this]() -> Task {
        int told = 0;
        BOOST_TEST(lock->try_acquire());
        blocked.start(take(1));
        blocked.run();
        const Job other = co_await spawn(take(2));
        co_await test::yield();
        lock->close(refusal(), [&] { ++told; });
        lock->fail_doubtful(refusal());
        lock->release();
        BOOST_TEST(co_await failure_of(acquire()) == test::code(Error::storage_failed));
        look_later();
        co_await other.join();
        check_order({2});
        BOOST_TEST(told == 0);
        lock->release();
        BOOST_TEST(told == 1);
        BOOST_TEST(lock->is_idle());
        blocked.run();
        BOOST_TEST(blocked.job(0).done());
        BOOST_TEST(co_await failure_of(blocked.job(0).join()) == test::code(Error::storage_failed));
        lock->close(refusal(), nullptr);
    });
}

BOOST_AUTO_TEST_CASE(the_end_of_a_context_passes_the_lock_on)
{
    run([this]() -> Task {
        BOOST_TEST(lock->try_acquire());
        blocked.start(take(1));
        blocked.start(take(2));
        blocked.run();
        const Job other = co_await spawn(take(3));
        co_await test::yield();
        lock->release();  // claimed by a coroutine on a context that no longer runs
        blocked.destroy();
        co_await other.join();
        check_order({3});
        BOOST_TEST(lock->waiting() == 0U);
    });
}

BOOST_AUTO_TEST_SUITE_END()
