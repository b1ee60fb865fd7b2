// SPDX-License-Identifier: BSL-1.0
#include "async/context_life.hpp"
#include "async/context_service.hpp"
#include "async/waiter.hpp"

#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::async;
using keywatch::test::Job;
using keywatch::test::spawn;
using keywatch::test::Task;
using keywatch::test::until;

namespace {

/// Shows when the frame that owns it is destroyed.
using Token = std::shared_ptr<int>;

Task park(std::vector<Waiter>& places, Token)
{
    co_await suspend([&](Waiter waiter) { places.push_back(std::move(waiter)); });
}

/// Owns its own waiter, and those of other coroutines.
Task park_in_own(std::shared_ptr<std::vector<Waiter>> places, Token token)
{
    co_await park(*places, std::move(token));
}

/// A context that ends before the test does.
struct Caller {
    std::optional<asio::io_context> context{std::in_place};

    void start(Task task)
    {
        asio::co_spawn(asio::make_strand(*context), std::move(task), [](std::exception_ptr) {});
        context->poll();
    }
};

}  // namespace

// ContextLife and Waiter: coroutines of a context that ends before the code that would resume them.
BOOST_FIXTURE_TEST_SUITE(test_context_life, keywatch::test::EventLoop)

BOOST_AUTO_TEST_CASE(the_end_of_a_context_waits_for_its_holders)
{
    Caller caller;
    const auto life = ContextService::life(caller.context->get_executor());
    std::optional<ContextLife::Hold> hold(std::in_place, life);
    BOOST_TEST(static_cast<bool>(*hold));
    std::atomic<bool> gone{false};
    std::thread destroyer([&] {
        caller.context.reset();
        gone = true;
    });
    while (!life->is_ending()) {
        std::this_thread::yield();
    }
    BOOST_TEST(!ContextLife::Hold(life));
    BOOST_TEST(!gone);
    hold.reset();
    destroyer.join();
    BOOST_TEST(gone);
    BOOST_TEST(!ContextLife::Hold(life));
}

BOOST_AUTO_TEST_CASE(a_context_destroys_coroutines_that_wait_on_it_and_leaves_shells)
{
    const Token token = std::make_shared<int>(1);
    Caller caller;
    std::vector<Waiter> places;
    for (int i = 0; i < 4; ++i) {
        caller.start(park(places, token));
    }
    BOOST_TEST_REQUIRE(places.size() == 4U);
    places[0].complete();
    caller.context->restart();
    caller.context->poll();
    BOOST_TEST(token.use_count() == 4);
    caller.context.reset();
    BOOST_TEST(token.use_count() == 1);
    BOOST_TEST(!places[1].hold());
    BOOST_TEST(!places[1].held_executor());
    places[1].complete();
    BOOST_TEST(!places[2].resume());
    places.clear();
}

BOOST_AUTO_TEST_CASE(a_frame_that_owns_the_waiter_of_another_one_destroys_it)
{
    const Token token = std::make_shared<int>(1);
    Caller caller;
    auto shared = std::make_shared<std::vector<Waiter>>();
    caller.start(park_in_own(shared, token));
    caller.start(park(*shared, token));
    BOOST_TEST(shared->size() == 2U);
    shared.reset();
    caller.context.reset();
    BOOST_TEST(token.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(waiters_are_completed_only_if_their_contexts_exist)
{
    run([]() -> Task {
        const Token token = std::make_shared<int>(1);
        std::optional<Caller> caller(std::in_place);
        std::vector<Waiter> places;
        const Job first = co_await spawn(park(places, token));
        co_await until([&] { return places.size() == 1; });
        caller->start(park(places, token));
        caller->start(park(places, token));
        const Job last = co_await spawn(park(places, token));
        co_await until([&] { return places.size() == 4; });
        caller.reset();
        complete_all(std::move(places));
        co_await first.join();
        co_await last.join();
        BOOST_TEST(token.use_count() == 1);
    });
}

BOOST_AUTO_TEST_SUITE_END()
