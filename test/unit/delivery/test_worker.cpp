// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;

namespace {

Task commit(Database db, std::string key)
{
    co_await put(std::move(db), "b", std::move(key), "v");
}

asio::awaitable<std::vector<Job>> start_commits(Database db, int count)
{
    std::vector<Job> jobs;
    for (int i = 0; i < count; ++i) {
        jobs.push_back(co_await spawn(commit(db, "x" + std::to_string(i))));
    }
    co_return jobs;
}

Task join(std::vector<Job> jobs)
{
    for (const Job& each : jobs) {
        co_await each.join();
    }
}

Task replace_bucket(Database db)
{
    co_await drop(db, "b");
    co_await create(db, "b");
}

}  // namespace

// A watcher's worker, where the result depends on the time of an event.
BOOST_FIXTURE_TEST_SUITE(test_worker, EventLoop)

// W11: if the watch begins after the deletion, the pipeline may not have routed the deletion yet.
BOOST_AUTO_TEST_CASE(a_deletion_before_its_start_does_not_end_a_watch)
{
    run([]() -> Task {
        Options options = watched_options();
        options.hub_messages = options.batch_messages = 1;  // so that the pipeline lags
        Database db = co_await open_with(options, "b");
        for (int round = 0; round < 10; ++round) {
            std::vector<Job> jobs = co_await start_commits(db, 50);
            co_await replace_bucket(db);
            Recorder recorder;
            Watcher watcher = db.watch("b", key("k"), recorder);
            const Run run = co_await start(watcher);
            co_await watcher.reached(co_await put(db, "b", "k", "v"));
            BOOST_TEST(recorder.size() == 1U);
            co_await watcher.stop();
            const WatchEnd end = co_await run.end();
            BOOST_TEST(end.reason == EndReason::stopped);
            co_await join(std::move(jobs));
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
