// SPDX-License-Identifier: BSL-1.0
#include "support/held_watch.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <deque>

namespace kw = keywatch;
using namespace keywatch::test;

namespace {

constexpr std::array policies{kw::Overflow::catch_up, kw::Overflow::latest, kw::Overflow::skip,
                              kw::Overflow::stop};

kw::Options limited(std::size_t bytes)
{
    kw::Options options = watched_options();
    options.watch_bytes = bytes;
    return options;
}

}  // namespace

// `Options::watch_bytes`: what all inboxes hold together. That it is used up is nobody's own fault,
// so whoever finds no room reads from history, whatever its policy.
BOOST_FIXTURE_TEST_SUITE(test_watch_bytes, EventLoop)

// W3 W10
BOOST_AUTO_TEST_CASE(without_any_memory_everything_comes_from_history)
{
    run([]() -> Task {
        kw::Database db = co_await open_with(limited(1), "b");
        for (const kw::Overflow policy : policies) {
            const Recorder recorder;
            kw::Watcher watcher = db.watch("b", kw::all(), recorder, slow_watch(policy));
            const Run run = co_await start(watcher);
            co_await until([&] { return watcher.info().state == kw::WatcherState::live; });
            const kw::Revision first = db.head_revision() + 1;
            for (int i = 0; i < 10; ++i) {
                co_await watcher.reached(co_await put(db, "b", "k", std::to_string(i)));
            }
            BOOST_TEST(recorder.size() == 10U);
            BOOST_TEST(recorder.messages().front()->revision == first);
            BOOST_TEST(watcher.info().fell_behind > 0U);
            BOOST_TEST(watcher.info().gaps == 0U);
            co_await watcher.stop();
            co_await run.end();
        }
        co_await db.close();
    });
}

// W9: what others are given does not depend on those who are stuck.
BOOST_AUTO_TEST_CASE(stuck_watches_take_nothing_from_healthy_ones)
{
    run([]() -> Task {
        constexpr std::size_t limit = std::size_t{64} << 10;
        kw::Database db = co_await open_with(limited(limit), "b");
        std::deque<HeldWatch> stuck;
        for (const kw::Overflow policy : policies) {
            kw::WatchOptions options = slow_watch(policy);
            options.buffer_messages = 1000;
            const kw::Selectors selectors = kw::in("b", kw::all());
            stuck.push_back(co_await hold(db, selectors, options));
        }
        std::deque<Recorder> recorders;
        std::deque<kw::Watcher> watchers;
        std::deque<Run> runs;
        for (const kw::Overflow policy : policies) {
            recorders.emplace_back();
            watchers.push_back(db.watch("b", kw::all(), recorders.back(), slow_watch(policy)));
            runs.push_back(co_await start(watchers.back()));
            co_await until([&] { return watchers.back().info().state == kw::WatcherState::live; });
        }
        for (int i = 0; i < 100; ++i) {
            const std::size_t bytes = i % 2 == 0 ? 4000 : 12000;
            const kw::Revision revision =
                co_await put(db, "b", std::to_string(i), std::string(bytes, 'x'));
            for (const kw::Watcher& each : watchers) {
                co_await each.reached(revision);
            }
            std::uint64_t queued = 0;
            for (const kw::WatcherInfo& each : db.watchers()) {
                queued += each.queued_bytes;
            }
            BOOST_TEST(queued <= limit);
        }
        for (std::size_t i = 0; i < watchers.size(); ++i) {
            BOOST_TEST(recorders[i].size() == 100U);
            BOOST_TEST(watchers[i].info().gaps == 0U);
        }
        for (const HeldWatch& each : stuck) {
            each.held.gate.open();
        }
        co_await db.close();
        for (const Run& each : runs) {
            BOOST_TEST((co_await each.end()).reason == kw::EndReason::database_closed);
        }
        for (const HeldWatch& each : stuck) {
            BOOST_TEST((co_await each.run.end()).reason == kw::EndReason::database_closed);
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
