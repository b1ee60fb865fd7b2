// SPDX-License-Identifier: BSL-1.0
#include "async/worker_thread.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

using keywatch::async::WorkerThread;

// `WorkerThread`: the order of its tasks, and its end.
BOOST_AUTO_TEST_SUITE(test_worker_thread)

BOOST_AUTO_TEST_CASE(tasks_run_one_after_the_other_on_one_thread)
{
    WorkerThread worker;
    std::vector<int> order;
    std::vector<std::thread::id> threads;
    for (int i = 0; i < 1000; ++i) {
        BOOST_TEST(worker.post([&, i] {
            order.push_back(i);
            threads.push_back(std::this_thread::get_id());
        }));
    }
    worker.finish();
    bool ordered = order.size() == 1000;
    for (std::size_t i = 0; i < order.size(); ++i) {
        ordered = ordered && order[i] == static_cast<int>(i) && threads[i] == threads[0];
    }
    BOOST_TEST(ordered);
    BOOST_TEST(threads[0] != std::this_thread::get_id());
}

BOOST_AUTO_TEST_CASE(finishing_runs_queued_tasks_and_accepts_no_more)
{
    WorkerThread worker;
    std::promise<void> go;
    std::atomic<int> ran{0};
    worker.post([&] { go.get_future().wait(); });
    worker.post([&] { ++ran; });
    std::thread finisher([&] { worker.finish(); });
    while (worker.post([&] { ++ran; })) {
    }
    const int before = ran;
    BOOST_TEST(before == 0);
    go.set_value();
    finisher.join();
    BOOST_TEST(ran > 0);
    BOOST_TEST(!worker.post([] {}));
    BOOST_TEST(!worker.post_last([] {}));
    worker.finish();  // calling it again has no effect
}

BOOST_AUTO_TEST_CASE(the_last_task_is_the_last)
{
    WorkerThread worker;
    std::vector<int> order;
    worker.post([&] { order.push_back(1); });
    BOOST_TEST(worker.post_last([&] { order.push_back(2); }));
    BOOST_TEST(!worker.post([&] { order.push_back(3); }));
    worker.finish();
    BOOST_TEST(order == (std::vector<int>{1, 2}));
}

BOOST_AUTO_TEST_CASE(stopping_waits_for_the_task_that_runs_and_drops_the_rest)
{
    WorkerThread worker;
    std::promise<void> begun;
    std::promise<void> go;
    std::atomic<bool> ended{false};
    bool dropped_ran = false;
    const auto owned = std::make_shared<int>(0);
    worker.post([&] {
        begun.set_value();
        go.get_future().wait();
        ended = true;
    });
    worker.post([&, owned] { dropped_ran = true; });
    begun.get_future().wait();
    std::thread stopper([&] {
        worker.stop();
        BOOST_TEST(ended.load());
    });
    while (worker.post([] {})) {
    }
    go.set_value();
    stopper.join();
    BOOST_TEST(!dropped_ran);
    BOOST_TEST(owned.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(delayed_tasks_run_in_the_order_of_their_times_and_not_after_the_end)
{
    using namespace std::chrono_literals;
    WorkerThread worker;
    std::promise<void> both;
    std::vector<int> order;
    const auto owned = std::make_shared<int>(0);
    BOOST_TEST(worker.post_after(20ms, [&] {
        order.push_back(2);
        both.set_value();
    }));
    BOOST_TEST(worker.post_after(1ms, [&] { order.push_back(1); }));
    BOOST_TEST(worker.post_after(1h, [&, owned] { order.push_back(3); }));
    both.get_future().wait();
    worker.finish();
    BOOST_TEST(order == (std::vector<int>{1, 2}));
    BOOST_TEST(owned.use_count() == 1);
    BOOST_TEST(!worker.post_after(0ms, [] {}));
}

BOOST_AUTO_TEST_CASE(a_task_may_post_and_finish)
{
    WorkerThread worker;
    std::promise<bool> result;
    worker.post([&] {
        const bool posted = worker.post([&] { result.set_value(true); });
        worker.finish();  // does not wait for its own thread
        BOOST_TEST(posted);
    });
    BOOST_TEST(result.get_future().get());
    worker.finish();
}

// The last task often owns the object that owns the thread.
BOOST_AUTO_TEST_CASE(a_task_may_destroy_its_own_thread)
{
    struct Owner {
        std::promise<void>& gone;
        explicit Owner(std::promise<void>& when_gone) : gone(when_gone) {}
        ~Owner() { gone.set_value(); }
        WorkerThread worker;
    };
    std::promise<void> gone;
    std::promise<void> go;
    {
        auto owner = std::make_shared<Owner>(gone);
        owner->worker.post([owner, &go] { go.get_future().wait(); });
    }
    go.set_value();
    gone.get_future().wait();
}

BOOST_AUTO_TEST_SUITE_END()
