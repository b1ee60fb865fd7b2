// SPDX-License-Identifier: BSL-1.0
#include "async/post.hpp"
#include "async/small_strand.hpp"
#include "support/printing.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <string>

using namespace keywatch::async;

namespace {

struct Fixture {
    asio::io_context context{1};
    asio::any_io_executor strand = SmallStrand::on(context.get_executor());
};

}  // namespace

// `SmallStrand`: its properties as an executor, and the order of its functions.
BOOST_FIXTURE_TEST_SUITE(test_small_strand, Fixture)

BOOST_AUTO_TEST_CASE(what_is_executed_on_it_runs_inside_and_what_is_posted_later)
{
    std::string order;
    post(strand, [&] {
        strand.execute([&] { order += "inside "; });
        post(strand, [&] { order += "later "; });
        order += "goes on ";
    });
    BOOST_TEST(order.empty());
    context.poll();
    BOOST_TEST(order == "inside goes on later ");
}

BOOST_AUTO_TEST_CASE(copies_with_other_properties_are_the_same_strand)
{
    const asio::any_io_executor never = asio::require(strand, asio::execution::blocking.never);
    const asio::any_io_executor tracked =
        asio::prefer(never, asio::execution::outstanding_work.tracked);
    BOOST_CHECK(never == strand && tracked == strand);
    BOOST_CHECK(strand != asio::any_io_executor(SmallStrand::on(context.get_executor())));
    BOOST_CHECK(&asio::query(tracked, asio::execution::context) == &context);
    BOOST_CHECK(asio::query(never, asio::execution::blocking) == asio::execution::blocking.never);
    BOOST_CHECK(asio::query(strand, asio::execution::blocking) ==
                asio::execution::blocking.possibly);
}

BOOST_AUTO_TEST_CASE(a_tracked_copy_keeps_the_loop_running_as_long_as_it_exists)
{
    context.poll();
    BOOST_TEST(context.stopped());  // the strand itself does not keep the loop running
    context.restart();
    {
        const asio::any_io_executor tracked =
            asio::prefer(strand, asio::execution::outstanding_work.tracked);
        strand = tracked;  // the only copy of the strand from here on
        context.poll();
        BOOST_TEST(!context.stopped());
    }
    context.poll();
    BOOST_TEST(!context.stopped());
    strand = nullptr;
    context.poll();
    BOOST_TEST(context.stopped());
}

BOOST_AUTO_TEST_CASE(on_several_threads_one_function_runs_at_a_time)
{
    constexpr int count = 20'000;
    asio::thread_pool pool(3);
    const asio::any_io_executor shared = SmallStrand::on(pool.get_executor());
    std::atomic<int> inside{0};
    std::atomic<bool> overlapped{false};  // Boost.Test's checks may be used by one thread only
    int ran = 0;
    const auto task = [&] {
        overlapped = overlapped || inside.fetch_add(1) != 0;
        ++ran;
        inside.fetch_sub(1);
    };
    for (int i = 0; i < count; ++i) {
        post(shared, task);
    }
    pool.join();
    BOOST_CHECK(!overlapped);
    BOOST_TEST(ran == count);
}

BOOST_AUTO_TEST_SUITE_END()
