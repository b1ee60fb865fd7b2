// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;

namespace {

struct Refusal : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace

// `Filter::predicate`, if it throws.
BOOST_FIXTURE_TEST_SUITE(test_predicate_errors, EventLoop)

// W2: whatever the policy, and whatever came between.
BOOST_AUTO_TEST_CASE(after_a_predicate_has_thrown_the_position_is_the_commit_before)
{
    for (const Overflow policy :
         {Overflow::catch_up, Overflow::skip, Overflow::stop, Overflow::latest}) {
        run([&]() -> Task {
            Filter throwing;
            throwing.predicate = [](const Message& message) {
                if (message.value == "throw") {
                    throw Refusal("not this one");
                }
                return true;
            };
            WatchOptions options;
            options.filter = throwing;
            options.overflow = policy;
            Database db = co_await open_with("b");
            Watcher watcher = db.watch("b", all(), Recorder(), options);
            PullWatcher puller = db.watch("b", all(), options);
            const Run run = co_await start(watcher);
            const Job job = co_await spawn(take_all(puller, Recorder()));
            co_await puller.wait_ready(patience);
            co_await put(db, "b", "k", "yes");
            co_await create(db, "another");
            co_await put(db, "b", "k", "throw");
            BOOST_CHECK_THROW(co_await run.end(), Refusal);
            BOOST_CHECK_THROW(co_await job.join(), Refusal);
            options.from = From::revision(2);
            Watcher later = db.watch("b", all(), Recorder(), options);
            PullWatcher late_puller = db.watch("b", all(), options);
            BOOST_CHECK_THROW(co_await later.run(), Refusal);
            BOOST_CHECK_THROW(co_await take_all(late_puller, Recorder()), Refusal);
            const std::vector<Position> positions{watcher.position(), puller.position(),
                                                  later.position(), late_puller.position()};
            for (const Position& each : positions) {
                BOOST_TEST(each.revision == 3U);
            }
            co_await db.close();
        });
    }
}

BOOST_AUTO_TEST_SUITE_END()
