// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <vector>

namespace kw = keywatch;
using namespace keywatch::test;

namespace {

struct Refusal : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace

// `Filter::predicate`, if it throws
BOOST_FIXTURE_TEST_SUITE(test_predicate_errors, EventLoop)

// W2: whatever the policy, and whatever came between.
BOOST_AUTO_TEST_CASE(after_a_predicate_has_thrown_the_position_is_the_commit_before)
{
    for (const kw::Overflow policy :
         {kw::Overflow::catch_up, kw::Overflow::skip, kw::Overflow::stop, kw::Overflow::latest}) {
        run([&]() -> Task {
            kw::Filter throwing;
            throwing.predicate = [](const kw::Message& message) {
                if (message.value == "throw") {
                    throw Refusal("not this one");
                }
                return true;
            };
            kw::WatchOptions options;
            options.filter = throwing;
            options.overflow = policy;
            kw::Database db = co_await open_with("b");
            kw::Watcher watcher = db.watch("b", kw::all(), Recorder(), options);
            kw::PullWatcher puller = db.watch("b", kw::all(), options);
            const Run run = co_await start(watcher);
            const Job job = co_await spawn(take_all(puller, Recorder()));
            co_await puller.wait_ready(patience);
            co_await put(db, "b", "k", "yes");
            co_await create(db, "another");
            co_await put(db, "b", "k", "throw");
            BOOST_CHECK_THROW(co_await run.end(), Refusal);
            BOOST_CHECK_THROW(co_await job.join(), Refusal);
            options.from = kw::From::revision(2);
            kw::Watcher later = db.watch("b", kw::all(), Recorder(), options);
            kw::PullWatcher late_puller = db.watch("b", kw::all(), options);
            BOOST_CHECK_THROW(co_await later.run(), Refusal);
            BOOST_CHECK_THROW(co_await take_all(late_puller, Recorder()), Refusal);
            const std::vector<kw::Position> positions{watcher.position(), puller.position(),
                                                      later.position(), late_puller.position()};
            for (const kw::Position& each : positions) {
                BOOST_TEST(each.revision == 3U);
            }
            co_await db.close();
        });
    }
}

BOOST_AUTO_TEST_SUITE_END()
