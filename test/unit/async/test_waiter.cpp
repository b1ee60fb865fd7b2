// SPDX-License-Identifier: BSL-1.0
#include "async/context_service.hpp"
#include "async/untracked_executor.hpp"
#include "async/waiter.hpp"
#include "async/waiter_list.hpp"

#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace keywatch;
using namespace keywatch::async;
using keywatch::test::failure_of;
using keywatch::test::Job;
using keywatch::test::spawn;
using keywatch::test::Task;
using keywatch::test::until;

namespace {

/// Records that a coroutine's frame was destroyed.
struct Guard {
    explicit Guard(bool& gone) : gone_(gone) {}
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() { gone_ = true; }
    bool& gone_;
};

Task park(std::optional<Waiter>& place)
{
    co_await suspend([&](Waiter waiter) { place.emplace(std::move(waiter)); });
}

Task park_with(std::optional<Waiter>& place, bool& gone)
{
    const Guard guard(gone);
    co_await park(place);
}

Task park_and_post(std::optional<Waiter>& place, std::vector<int>& order, int name)
{
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    co_await park(place);
    order.push_back(name);
    asio::post(executor, [&order, name] { order.push_back(name + 10); });
}

Task wait_in(std::shared_ptr<WaiterList> list, std::uint64_t number, std::vector<int>& order,
             int name)
{
    co_await suspend([&](Waiter waiter) { list->add(std::move(waiter), number); });
    order.push_back(name);
}

std::exception_ptr error_of(const std::string& what)
{
    return std::make_exception_ptr(std::runtime_error(what));
}

struct User final : ContextUser {
    std::optional<Waiter> parked;
    int shutdowns = 0;
    void context_shutdown() noexcept override
    {
        ++shutdowns;
        parked.reset();
    }
};

}  // namespace

// Waiter, WaiterList, UntrackedExecutor and ContextService: suspended coroutines, and the end of
// their event loop.
BOOST_FIXTURE_TEST_SUITE(test_waiter, keywatch::test::EventLoop)

BOOST_AUTO_TEST_CASE(a_waiter_resumes_its_coroutine_on_its_own_executor)
{
    run([&]() -> Task {
        std::optional<Waiter> parked;
        bool gone = false;
        const Job job = co_await spawn(park_with(parked, gone));
        co_await until([&] { return parked.has_value(); });
        std::thread other([&] { parked->complete(); });
        co_await job.join();  // the event loop waits for it
        other.join();
        BOOST_TEST(gone);
        BOOST_TEST(!*parked);
    });
}

BOOST_AUTO_TEST_CASE(completing_only_posts)
{
    run([&]() -> Task {
        std::optional<Waiter> parked;
        const Job job = co_await spawn(park(parked));
        co_await until([&] { return parked.has_value(); });
        parked->complete();
        BOOST_TEST(!job.done());
        co_await job.join();
    });
}

BOOST_AUTO_TEST_CASE(an_error_is_thrown_where_the_coroutine_waits)
{
    run([&]() -> Task {
        std::optional<Waiter> parked;
        const Job job = co_await spawn(park(parked));
        co_await until([&] { return parked.has_value(); });
        parked->complete(error_of("told"));
        std::string what;
        try {
            co_await job.join();
        } catch (const std::runtime_error& error) {
            what = error.what();
        }
        BOOST_TEST(what == "told");
    });
}

BOOST_AUTO_TEST_CASE(waiters_can_be_moved_around)
{
    run([&]() -> Task {
        std::optional<Waiter> first;
        std::optional<Waiter> second;
        bool first_gone = false;
        bool second_gone = false;
        const Job one = co_await spawn(park_with(first, first_gone));
        const Job two = co_await spawn(park_with(second, second_gone));
        co_await until([&] { return first && second; });
        Waiter moved(std::move(*first));
        BOOST_TEST(!*first);
        *first = std::move(*second);
        std::swap(*first, moved);
        first->complete();
        co_await one.join();
        BOOST_TEST(!second_gone);
        moved.complete();
        co_await two.join();
    });
}

// Trap 15: a program may end with a suspended coroutine.
BOOST_AUTO_TEST_CASE(a_coroutine_on_an_untracked_executor_does_not_keep_the_loop_running)
{
    asio::io_context context;
    std::optional<Waiter> parked;
    bool gone = false;
    const auto untracked = UntrackedExecutor::on(asio::make_strand(context));
    asio::co_spawn(asio::any_io_executor(untracked), park_with(parked, gone), asio::detached);
    context.run();  // returns
    BOOST_REQUIRE(parked.has_value());
    BOOST_TEST(!gone);
    context.restart();
    parked->complete();  // a post is ordinary work
    context.run();
    BOOST_TEST(gone);
}

BOOST_AUTO_TEST_CASE(a_coroutine_suspended_on_a_usual_executor_keeps_the_loop_running)
{
    asio::io_context context;
    std::optional<Waiter> parked;
    bool gone = false;
    asio::co_spawn(context, park_with(parked, gone), asio::detached);
    context.poll();
    BOOST_TEST(!context.stopped());
    parked->complete();
    context.run();
    BOOST_TEST(gone);
}

BOOST_AUTO_TEST_CASE(a_context_that_is_destroyed_notifies_its_users_once)
{
    const auto user = std::make_shared<User>();
    const auto other = std::make_shared<User>();
    bool gone = false;
    {
        asio::io_context context;
        ContextService::add(asio::make_strand(context), user);
        ContextService::add(context.get_executor(), other);
        {
            const auto expired = std::make_shared<User>();
            ContextService::add(context.get_executor(), expired);
        }
        asio::co_spawn(context, park_with(user->parked, gone), asio::detached);
        context.poll();
        BOOST_TEST(user->shutdowns == 0);
    }
    BOOST_TEST(user->shutdowns == 1);
    BOOST_TEST(other->shutdowns == 1);
    BOOST_TEST(gone);  // the suspended coroutine was destroyed with it
}

BOOST_AUTO_TEST_CASE(reaching_a_number_completes_its_waiters_and_all_below)
{
    run([&]() -> Task {
        const auto list = std::make_shared<WaiterList>();
        std::vector<int> order;
        std::vector<Job> jobs;
        int name = 0;
        for (const std::uint64_t number : {5U, 2U, 9U, 5U}) {
            jobs.push_back(co_await spawn(wait_in(list, number, order, name++)));
        }
        co_await test::yield();
        BOOST_TEST(!list->empty());
        list->reach(5);
        co_await until([&] { return order.size() == 3; });
        // The lowest number comes first; waiters of one number come in the order of their arrival.
        BOOST_TEST(order == (std::vector<int>{1, 0, 3}));
        co_await wait_in(list, 4, order, 4);  // reached already
        list->reach(3);                       // the number never decreases
        co_await wait_in(list, 5, order, 5);
        list->reach(9);
        for (const Job& each : jobs) {
            co_await each.join();
        }
        BOOST_TEST(list->empty());
    });
}

BOOST_AUTO_TEST_CASE(a_closed_list_completes_present_and_future_waiters)
{
    run([&]() -> Task {
        const auto list = std::make_shared<WaiterList>();
        std::vector<int> order;
        const Job job = co_await spawn(wait_in(list, 7, order, 0));
        co_await test::yield();
        list->close(std::make_exception_ptr(
            boost::system::system_error(make_error_code(Error::watch_ended))));
        BOOST_TEST(co_await failure_of(job.join()) == test::code(Error::watch_ended));
        BOOST_TEST(co_await failure_of(wait_in(list, 7, order, 1)) ==
                   test::code(Error::watch_ended));
        BOOST_TEST(order.empty());
        const auto fine = std::make_shared<WaiterList>();
        fine->close(nullptr);
        co_await wait_in(fine, 7, order, 2);
        BOOST_TEST(order.size() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(one_of_them_is_cancelled_and_the_others_stay)
{
    run([&]() -> Task {
        const auto list = std::make_shared<WaiterList>();
        std::vector<int> order;
        const Job one = co_await spawn(wait_in(list, 7, order, 1));
        const Job two = co_await spawn(wait_in(list, 7, order, 2));
        co_await test::yield();
        one.cancel();
        BOOST_TEST(co_await failure_of(one.join()) == asio::error::operation_aborted);
        list->reach(7);
        co_await two.join();
        two.cancel();  // has no effect: the waiter has completed
        BOOST_TEST(order.size() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(the_next_number_that_is_waited_for_is_known)
{
    run([&]() -> Task {
        const auto list = std::make_shared<WaiterList>();
        std::vector<int> order;
        const Job late = co_await spawn(wait_in(list, 9, order, 1));
        const Job soon = co_await spawn(wait_in(list, 4, order, 2));
        co_await test::yield();
        BOOST_TEST(list->next_after(0).value() == 4U);
        BOOST_TEST(list->next_after(3).value() == 4U);
        BOOST_TEST(list->next_after(4).value() == 9U);
        BOOST_TEST(!list->next_after(9));
        soon.cancel();
        BOOST_TEST(co_await failure_of(soon.join()) == asio::error::operation_aborted);
        BOOST_TEST(list->next_after(0).value() == 9U);
        list->close(nullptr);
        co_await late.join();
        BOOST_TEST(!list->next_after(0));
    });
}

// Reaching a number makes one post for each executor, which completes the waiters in slices.
BOOST_AUTO_TEST_CASE(completing_many_waiters_leaves_others_their_turns)
{
    asio::io_context context;
    const auto list = std::make_shared<WaiterList>();
    constexpr int many = 1000;
    std::vector<int> order;
    for (int i = 0; i < many; ++i) {
        asio::co_spawn(context, wait_in(list, 1, order, i), asio::detached);
    }
    context.poll();
    list->reach(1);
    std::vector<std::size_t> seen;
    std::function<void()> look = [&] {
        seen.push_back(order.size());
        if (order.size() < many) {
            asio::post(context, look);
        }
    };
    asio::post(context, look);
    context.restart();
    context.run();
    BOOST_TEST(order.size() == std::size_t{many});
    BOOST_TEST(std::ranges::is_sorted(order));
    BOOST_TEST(seen.size() > 3U);  // without slices, the second look would have found the end
}

// Work that the first coroutine posts when it is resumed comes after the others, which are already
// in the queue.
BOOST_AUTO_TEST_CASE(waiters_completed_together_are_queued_before_any_runs)
{
    asio::io_context context;
    std::optional<Waiter> places[3];
    std::vector<int> order;
    for (int i = 0; i < 3; ++i) {
        asio::co_spawn(context, park_and_post(places[i], order, i), asio::detached);
    }
    context.poll();
    std::vector<Waiter> waiters;
    for (std::optional<Waiter>& each : places) {
        waiters.push_back(std::move(*each));
        each.reset();
    }
    std::thread other([&] { complete_all(std::move(waiters)); });
    context.run();
    other.join();
    BOOST_TEST(order == (std::vector<int>{0, 1, 2, 10, 11, 12}));
}

BOOST_AUTO_TEST_CASE(an_error_is_thrown_in_all_that_are_completed_with_it)
{
    asio::io_context one;
    asio::io_context two;
    std::optional<Waiter> places[3];
    int failed = 0;
    const auto count = [&](std::exception_ptr error) { failed += error ? 1 : 0; };
    for (int i = 0; i < 3; ++i) {
        asio::co_spawn(i == 1 ? two : one, park(places[i]), count);
    }
    one.poll();
    two.poll();
    std::vector<Waiter> waiters;
    for (std::optional<Waiter>& each : places) {
        waiters.push_back(std::move(*each));
        each.reset();
    }
    complete_all(std::move(waiters), std::make_exception_ptr(std::runtime_error("no")));
    one.run();
    two.run();
    BOOST_TEST(failed == 3);
}

// A worker without anything to wait for must not cost a second turn.
BOOST_AUTO_TEST_CASE(a_coroutine_that_suspended_once_may_end_within_co_spawn)
{
    asio::io_context context(1);
    const auto without = []() -> Task { co_return; };
    const auto with = []() -> Task { co_await suspend_once(); };
    std::string ended;
    asio::post(context, [&] {
        asio::co_spawn(context, without(), [&](std::exception_ptr) { ended += "without "; });
        asio::co_spawn(context, with(), [&](std::exception_ptr) { ended += "with "; });
        ended += "turn ";
    });
    context.run();
    BOOST_TEST(ended == "with turn without ");
}

BOOST_AUTO_TEST_SUITE_END()
