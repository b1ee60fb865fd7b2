// SPDX-License-Identifier: BSL-1.0
#include "support/loop/hand_clock.hpp"
#include "support/model/mirror.hpp"
#include "support/model/model_steps.hpp"
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

std::uint64_t seed()
{
    const char* const given = std::getenv("KEYWATCH_SEED");
    const std::uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::cerr << "KEYWATCH_SEED=" << seed << '\n';
    return seed;
}

/// A database with random contents that changes all the time, and watches that begin with a
/// snapshot of it.
class Churn {
public:
    explicit Churn(std::uint64_t seed) : random_(seed) {}

    Task run()
    {
        Options options = watched_options();
        options.clock = clock_.clock();
        options.durability = pick(2) == 0 ? Durability::sync : Durability::buffered;
        Database db = co_await open_database(options);
        co_await change(db, 20 + pick(100));
        executor_ = co_await asio::this_coro::executor;
        for (int i = 0; i < 8; ++i) {
            begin_watch(db);
            co_await change(db, pick(6));
        }
        co_await change(db, 20);
        const auto read = [&](const Snapshot& snapshot) {
            return read_state(snapshot, clock_.now());
        };
        const ModelState state = co_await db.view(read);
        for (const Watch& each : watches_) {
            co_await check(db, each, state);
        }
        co_await db.close();
    }

private:
    struct Watch {
        Selectors selectors;
        Mirrored mirrored;
    };

    std::uint64_t pick(std::uint64_t below) { return random_() % below; }

    Task change(Database db, std::uint64_t transactions)
    {
        for (; transactions > 0; --transactions) {
            clock_.advance(1ms * (pick(3) == 0 ? pick(40) : 0));
            model_.remove_expired(clock_.now());
            const auto step = [&](Transaction& tx) {
                ModelSteps steps(tx, model_, clock_.now(), random_);
                for (auto count = 1 + pick(5); count > 0; --count) {
                    steps.step();
                }
            };
            co_await db.update(step);
        }
    }

    Selector selector()
    {
        const std::string key(1, static_cast<char>('a' + pick(5)));
        switch (pick(6)) {
        case 0:
            return keywatch::key(key);
        case 1:
            return prefix(key);
        case 2:
            return range(key, "");
        case 3:
            return range(key, key + "\x7f");
        case 4:
            return glob("*" + key + "*");
        default:
            return all();
        }
    }

    Selectors selectors()
    {
        if (pick(3) == 0) {
            return whole_database();
        }
        std::vector<BucketSelector> list;
        for (auto count = 1 + pick(3); count > 0; --count) {
            list.push_back(in(ModelSteps::names[pick(2)], selector()));
        }
        return Selectors(std::move(list));
    }

    void begin_watch(const Database& db)
    {
        WatchOptions options;
        options.buffer_messages = 1 + pick(20);
        options.callback_timeout = 10 * patience;
        const Way way = all_ways[pick(std::size(all_ways))];
        const Selectors chosen = selectors();
        watches_.push_back(
            {chosen, Mirrored(executor_, db, chosen, options, way, static_cast<int>(pick(6)))});
    }

    /// Checks a watch. If it has ended, it must have received the end of its last bucket.
    Task check(Database db, const Watch& watch, const ModelState& state)
    {
        const auto error = co_await failure_of(watch.mirrored.reached(db.head_revision()));
        if (error) {
            const WatchEnd end = co_await watch.mirrored.end();
            BOOST_TEST(end.reason == EndReason::bucket_deleted);
            co_return;
        }
        // In a database without commits everything is reached at once, except the marker.
        co_await until([&] { return watch.mirrored.mirror().synced().has_value(); });
        ModelState mirrored = watch.mirrored.mirror().state();
        mirrored.remove_expired(clock_.now());
        BOOST_TEST(describe(selected(mirrored, watch.selectors)) ==
                   describe(selected(followed(state, watch), watch.selectors)));
    }

    /// Returns the state without the buckets whose end a watch by name has received.
    static ModelState followed(ModelState state, const Watch& watch)
    {
        if (!watch.selectors.list().front().is_whole_database()) {
            state.each_structure([&](Structure, auto& buckets) {
                for (const std::string& name : watch.mirrored.mirror().ended()) {
                    buckets.erase(name);
                }
            });
        }
        return state;
    }

    std::mt19937_64 random_;
    HandClock clock_;
    ModelState model_;
    asio::any_io_executor executor_;
    std::vector<Watch> watches_;
};

}  // namespace

// Random snapshots and changes, compared with the database.
BOOST_FIXTURE_TEST_SUITE(test_snapshot_model, EventLoop)

// W1 W3 W8
BOOST_AUTO_TEST_CASE(random_snapshots_and_changes_equal_the_database)
{
    std::mt19937_64 random(seed());
    for (int round = 0; round < 40; ++round) {
        Churn churn(random());
        run([&]() -> Task { co_await churn.run(); });
    }
}

BOOST_AUTO_TEST_SUITE_END()
