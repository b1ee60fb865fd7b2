// SPDX-License-Identifier: BSL-1.0
#include "pipeline/running_set.hpp"
#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"
#include "support/watch/fake_watcher.hpp"

#include <keywatch/error.hpp>

#include <boost/test/unit_test.hpp>

#include <exception>
#include <memory>
#include <stdexcept>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using keywatch::pipeline::RunningSet;

namespace {

/// A set of this many watches.
struct Running {
    RunningSet set;
    std::vector<std::shared_ptr<FakeWatcher>> watchers;

    explicit Running(int count)
    {
        for (int i = 0; i < count; ++i) {
            watchers.push_back(std::make_shared<FakeWatcher>());
            set.add(watchers.back());
        }
    }
};

}  // namespace

// `RunningSet`: the places of watches, and what is refused.
BOOST_AUTO_TEST_SUITE(test_running_set)

BOOST_AUTO_TEST_CASE(it_contains_what_was_added_until_it_is_removed_in_any_order)
{
    for (const std::size_t first : {0U, 1U, 2U}) {
        Running running(3);
        BOOST_TEST(running.set.remove(*running.watchers[first]));
        BOOST_TEST(!running.set.contains(*running.watchers[first]));
        BOOST_TEST(!running.set.remove(*running.watchers[first]));
        BOOST_TEST(running.set.size() == 2U);
        for (std::size_t i = 0; i < 3; ++i) {
            BOOST_TEST(running.set.contains(*running.watchers[i]) == (i != first));
        }
        for (std::size_t i = 0; i < 3; ++i) {
            BOOST_TEST(running.set.remove(*running.watchers[i]) == (i != first));
        }
        BOOST_TEST(running.set.empty());
    }
}

BOOST_AUTO_TEST_CASE(a_watch_that_was_never_added_is_in_no_set)
{
    Running running(1);
    const FakeWatcher other;
    BOOST_TEST(!running.set.contains(other));
    BOOST_TEST(!running.set.remove(other));
    BOOST_TEST(running.set.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_closed_set_refuses_watches_and_keeps_those_that_run)
{
    Running running(2);
    running.set.close();
    BOOST_TEST(running.set.is_closed());
    const auto late = std::make_shared<FakeWatcher>();
    BOOST_TEST(failure_of([&] { running.set.add(late); }) == code(Error::closed));
    BOOST_TEST(!running.set.contains(*late));
    BOOST_TEST(running.set.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_failure_ends_those_that_run_and_is_told_to_later_ones)
{
    Running running(2);
    running.set.fail(std::make_exception_ptr(std::runtime_error("failed")));
    for (const auto& each : running.watchers) {
        BOOST_CHECK_THROW(std::rethrow_exception(each->error), std::runtime_error);
    }
    BOOST_CHECK_THROW(running.set.add(std::make_shared<FakeWatcher>()), std::runtime_error);
    BOOST_TEST(running.set.size() == 2U);
}

BOOST_AUTO_TEST_CASE(what_is_released_is_no_longer_in_the_set)
{
    Running running(2);
    BOOST_TEST(running.set.release().size() == 2U);
    BOOST_TEST(running.set.empty());
    BOOST_TEST(!running.set.contains(*running.watchers[0]));
}

BOOST_AUTO_TEST_SUITE_END()
