// SPDX-License-Identifier: BSL-1.0
#include "delivery/watchdog.hpp"

#include "support/printing.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <thread>

namespace asio = boost::asio;
using keywatch::delivery::Watchdog;
using namespace std::chrono_literals;

namespace {

constexpr auto never = std::chrono::hours{24 * 365 * 500};

/// A watchdog of a worker that only counts how often it was cancelled.
struct Watched {
    asio::io_context context;
    std::shared_ptr<Watchdog> watchdog;
    int cancelled = 0;

    /// Creates the watchdog of a worker that has been spawned and waits for something.
    void watch(std::chrono::milliseconds timeout)
    {
        begin_to_watch(timeout);
        watchdog->spawned();
    }
    void begin_to_watch(std::chrono::milliseconds timeout)
    {
        watchdog = std::make_shared<Watchdog>(context.get_executor(), timeout);
        watchdog->slot().assign([this](asio::cancellation_type type) {
            BOOST_TEST(type == asio::cancellation_type::terminal);
            ++cancelled;
            watchdog->callback_ended();
        });
    }

    /// Runs everything that can run without waiting.
    void poll()
    {
        context.restart();
        context.poll();
    }

    /// Runs everything, including timers. Returns because nothing keeps the loop running. The time
    /// limit of the test checks that.
    void run()
    {
        context.restart();
        context.run();
    }
};

}  // namespace

// `Watchdog`: callbacks that take longer than their timeout.
BOOST_FIXTURE_TEST_SUITE(test_watchdog, Watched)

BOOST_AUTO_TEST_CASE(a_callback_that_overruns_is_cancelled)
{
    watch(1ms);
    watchdog->callback_begins();
    run();
    BOOST_TEST(cancelled == 1);
    BOOST_TEST(watchdog->timed_out());
}

BOOST_AUTO_TEST_CASE(a_callback_that_returns_while_the_worker_is_spawned_costs_no_turn)
{
    begin_to_watch(1ms);
    watchdog->callback_begins();
    watchdog->callback_ended();
    watchdog->spawned();
    BOOST_TEST(context.poll() == 0U);
    watchdog->callback_begins();  // a later callback is checked
    run();
    BOOST_TEST(watchdog->timed_out());
}

BOOST_AUTO_TEST_CASE(a_callback_that_began_while_the_worker_was_spawned_is_watched)
{
    begin_to_watch(1ms);
    watchdog->callback_begins();
    watchdog->spawned();
    run();
    BOOST_TEST(cancelled == 1);
    BOOST_TEST(watchdog->timed_out());
}

BOOST_AUTO_TEST_CASE(callbacks_that_return_at_once_arm_no_timer)
{
    watch(std::chrono::milliseconds(never));
    for (int i = 0; i < 100; ++i) {
        watchdog->callback_begins();
        watchdog->callback_ended();
    }
    run();  // would not return if a timer were armed
    BOOST_TEST(cancelled == 0);
    watchdog->callback_begins();  // a later callback is still checked
    poll();
    BOOST_TEST(!context.stopped());
    watchdog->end();
    run();
}

BOOST_AUTO_TEST_CASE(the_longest_timeout_does_not_wrap_around)
{
    watch(std::chrono::milliseconds::max());
    watchdog->callback_begins();
    poll();
    BOOST_TEST(cancelled == 0);
    BOOST_TEST(!context.stopped());
    watchdog->end();
    run();
    BOOST_TEST(!watchdog->timed_out());
}

BOOST_AUTO_TEST_CASE(an_end_takes_the_timer_along)
{
    watch(std::chrono::hours(1));
    watchdog->callback_begins();
    poll();
    watchdog->callback_ended();
    watchdog->end();
    run();  // returns
    watchdog->cancel();
    BOOST_TEST(cancelled == 0);  // the signal is no longer used
}

// A blocked event loop must not end every watch: work that has become ready meanwhile runs first.
BOOST_AUTO_TEST_CASE(a_callback_gets_one_more_turn_after_its_time)
{
    watch(1ms);
    watchdog->callback_begins();
    poll();
    const auto began = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() < began + 3ms) {
        // The loop is blocked, and the callback's own result is on its way:
    }
    asio::post(context, [this] { asio::post(context, [this] { watchdog->callback_ended(); }); });
    context.restart();
    context.run();
    BOOST_TEST(cancelled == 0);
    BOOST_TEST(!watchdog->timed_out());
}

BOOST_AUTO_TEST_CASE(each_callback_has_the_whole_time)
{
    watch(20ms);
    watchdog->callback_begins();
    poll();  // the timer is armed for the first callback
    const auto began = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() < began + 15ms) {
    }
    watchdog->callback_ended();
    watchdog->callback_begins();
    const auto second = std::chrono::steady_clock::now();
    run();
    BOOST_TEST(cancelled == 1);
    BOOST_TEST(std::chrono::steady_clock::now() - second >= 20ms);
}

BOOST_AUTO_TEST_CASE(a_worker_can_be_cancelled_by_hand_without_a_timeout)
{
    watch(1h);
    watchdog->cancel();
    BOOST_TEST(cancelled == 1);
    BOOST_TEST(!watchdog->timed_out());
}

BOOST_AUTO_TEST_CASE(a_watchdog_that_is_gone_looks_at_nothing)
{
    watch(1ms);
    watchdog->callback_begins();
    watchdog.reset();
    run();
    BOOST_TEST(cancelled == 0);
}

BOOST_AUTO_TEST_SUITE_END()
