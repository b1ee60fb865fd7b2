// SPDX-License-Identifier: BSL-1.0
#include "support/engine/engine_tools.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;

namespace {

struct Writers : Engines {
    Task put_in_a_loop(int writer, int commits)
    {
        for (int i = 0; i < commits; ++i) {
            co_await put("k" + std::to_string(writer));
        }
    }
};

}  // namespace

// GroupWriter in the engine: which commits share a group, and what the sink receives.
BOOST_FIXTURE_TEST_SUITE(test_group_writer, Writers)

// The writers that are completed first must not form a group of their own, which would need its own
// flush. If the loop does not run for a millisecond, then a group starts without them, so one
// success in several attempts suffices.
BOOST_AUTO_TEST_CASE(writers_in_a_closed_loop_share_every_group)
{
    constexpr int writers = 16;
    constexpr int rounds = 20;
    run([this]() -> Task {
        co_await open();
        std::uint64_t groups = 0;
        for (int attempt = 0; attempt < 50 && groups != rounds; ++attempt) {
            const std::uint64_t before = engine->stats().groups;
            std::vector<Job> jobs;
            for (int i = 0; i < writers; ++i) {
                jobs.push_back(co_await spawn(put_in_a_loop(i, rounds)));
            }
            co_await join(std::move(jobs));
            groups = engine->stats().groups - before;
        }
        BOOST_TEST(groups == std::uint64_t{rounds});
        BOOST_TEST(engine->stats().largest_group == std::uint64_t{writers});
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(a_sink_that_wants_no_commits_is_notified_of_them_nevertheless)
{
    run([this]() -> Task {
        co_await open();
        sink->want(false);
        co_await put("a");
        co_await put("b");
        sink->want(true);
        co_await put("c");
        BOOST_TEST(sink->revisions() == (std::vector<Revision>{1, 4}));
        BOOST_TEST(sink->unseen() == (std::vector<Revision>{2, 3}));
        const auto slice = co_await engine->read_history(1, 4, {});
        BOOST_TEST(slice.commits.size() == 3U);  // history contains them
        co_await close();
    });
}

// Removals are written together with a commit, and the oldest revision moves with them.
BOOST_AUTO_TEST_CASE(trimming_is_written_with_commits)
{
    options.history.commits = 100;
    run([this]() -> Task {
        co_await open();
        for (int i = 0; i < 400; ++i) {
            co_await put("k");
            const Revision oldest = engine->oldest();
            const Revision head = engine->durable_head();
            BOOST_TEST_REQUIRE(oldest <= head);
            const auto slice = co_await engine->read_history(oldest - 1, oldest, {});
            BOOST_REQUIRE(!slice.compacted || *slice.compacted > oldest);
        }
        const std::uint64_t groups = engine->stats().groups;
        // One thirty-second more than the limit may remain.
        co_await until([this] { return engine->history_stats().commits <= 103; });
        BOOST_TEST(engine->stats().groups == groups);  // the rest was trimmed without a commit
        const Stats::History history = engine->history_stats();
        BOOST_TEST(history.commits >= 100U);
        BOOST_TEST(history.trimmed + history.commits == 401U);
        co_await close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
