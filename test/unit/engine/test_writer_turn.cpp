// SPDX-License-Identifier: BSL-1.0
#include "engine/writer_turn.hpp"

#include "support/event_loop.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <vector>

using namespace keywatch;
using namespace keywatch::engine;
using keywatch::test::failure_of;
using keywatch::test::Gate;
using keywatch::test::Job;
using keywatch::test::spawn;
using keywatch::test::Task;
using keywatch::test::until;

namespace {

struct Writers : test::EventLoop {
    std::shared_ptr<WriterTurn> turn = std::make_shared<WriterTurn>();
    std::vector<int> order;
    int inside = 0;
    Gate gate;

    /// Takes its turn, and has it until the gate is open.
    Task write(int name)
    {
        if (!turn->try_acquire()) {
            co_await turn->acquire();
        }
        BOOST_TEST(++inside == 1);  // nobody else has it
        order.push_back(name);
        co_await gate.pass();
        --inside;
        turn->release();
    }

    Task acquire() { co_await turn->acquire(); }

    void check_order(const std::vector<int>& expected)
    {
        BOOST_TEST(order == expected, boost::test_tools::per_element());
    }
};

std::exception_ptr refusal()
{
    return std::make_exception_ptr(
        boost::system::system_error(make_error_code(Error::storage_failed)));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(test_writer_turn, Writers)

BOOST_AUTO_TEST_CASE(a_free_turn_is_taken_at_once)
{
    BOOST_TEST(turn->try_acquire());
    BOOST_TEST(!turn->try_acquire());
    turn->release();
    BOOST_TEST(turn->try_acquire());
}

BOOST_AUTO_TEST_CASE(writers_have_their_turns_in_the_order_of_their_calls)
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

// A turn that was given and not begun yet is held: nobody may slip in between.
BOOST_AUTO_TEST_CASE(nobody_overtakes_who_has_been_given_the_turn)
{
    run([this]() -> Task {
        BOOST_TEST(turn->try_acquire());
        const Job job = co_await spawn(acquire());
        co_await test::yield();
        turn->release();  // given; its coroutine has not run yet
        BOOST_TEST(!job.done());
        BOOST_TEST(!turn->try_acquire());
        co_await job.join();
        BOOST_TEST(!turn->try_acquire());
        turn->release();
        BOOST_TEST(turn->try_acquire());
    });
}

BOOST_AUTO_TEST_CASE(who_is_cancelled_in_the_queue_leaves_it_and_the_next_moves_up)
{
    run([this]() -> Task {
        const Job first = co_await spawn(write(1));
        const Job second = co_await spawn(write(2));
        const Job third = co_await spawn(write(3));
        co_await until([this] { return gate.reached() == 1; });
        second.cancel(asio::cancellation_type::total);  // not the kind that it listens to
        co_await test::yield();
        BOOST_TEST(!second.done());
        second.cancel();
        BOOST_TEST((co_await failure_of(second.join()) == asio::error::operation_aborted));
        gate.open();
        co_await first.join();
        co_await third.join();
        check_order({1, 3});
    });
}

BOOST_AUTO_TEST_CASE(a_cancellation_that_comes_after_the_turn_was_given_does_not_lose_it)
{
    run([this]() -> Task {
        BOOST_TEST(turn->try_acquire());
        const Job job = co_await spawn(acquire());
        co_await test::yield();
        turn->release();
        job.cancel();
        co_await failure_of(job.join());
        // It has it, whatever became of its coroutine: somebody must give it back.
        BOOST_TEST(!turn->try_acquire());
    });
}

BOOST_AUTO_TEST_CASE(while_paused_nobody_is_given_it)
{
    run([this]() -> Task {
        gate.open();
        turn->pause();
        BOOST_TEST(!turn->try_acquire());
        const Job first = co_await spawn(write(1));
        const Job second = co_await spawn(write(2));
        for (int i = 0; i < 10; ++i) {
            co_await test::yield();
        }
        check_order({});
        turn->resume();
        co_await first.join();
        co_await second.join();
        check_order({1, 2});
    });
}

BOOST_AUTO_TEST_CASE(a_pause_under_the_holder_comes_into_force_with_its_release)
{
    run([this]() -> Task {
        BOOST_TEST(turn->try_acquire());
        turn->pause();
        gate.open();
        const Job job = co_await spawn(write(1));
        co_await test::yield();
        turn->release();
        co_await test::yield();
        BOOST_TEST(!job.done());
        turn->resume();
        co_await job.join();
    });
}

BOOST_AUTO_TEST_CASE(a_refusal_reaches_those_who_wait_and_those_who_come)
{
    run([this]() -> Task {
        BOOST_TEST(turn->try_acquire());
        const Job waiting = co_await spawn(acquire());
        co_await test::yield();
        turn->refuse(refusal());
        BOOST_TEST((co_await failure_of(waiting.join()) == test::code(Error::storage_failed)));
        BOOST_TEST((co_await failure_of(acquire()) == test::code(Error::storage_failed)));
        turn->release();
        BOOST_TEST(!turn->try_acquire());
    });
}

BOOST_AUTO_TEST_SUITE_END()
