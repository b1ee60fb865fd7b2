// SPDX-License-Identifier: BSL-1.0
#include "crew.hpp"

#include <memory>

namespace keywatch::test {
namespace {

constexpr int readers = 4;
constexpr unsigned members = 2000;

std::string member(unsigned number)
{
    return "member" + std::to_string(number);
}

asio::awaitable<void> fill(Database db)
{
    co_await db.update([](Transaction& tx) {
        tx.create_bucket(Structure::set, "s");
        Set set = tx.set("s");
        for (unsigned number = 0; number < members; number += 2) {
            set.add("even", member(number));
        }
        set.add("a", "wanderer");
    });
}

/// One member moves back and forth: it is always in exactly one set.
asio::awaitable<void> wander(Database db, int moves)
{
    for (int i = 0; i < moves; ++i) {
        const bool there = i % 2 == 0;
        co_await db.update([&](Transaction& tx) {
            tx.set("s").move(there ? "a" : "b", there ? "b" : "a", "wanderer");
        });
    }
}

asio::awaitable<void> ask(Database db, Problems& problems, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    for (int i = 0; i < 20'000; ++i) {
        const auto number = static_cast<unsigned>(random() % members);
        const auto look = [&](const Snapshot& snapshot) {
            const SetView set = snapshot.set("s");
            problems.expect(set.contains("even", member(number)) == (number % 2 == 0),
                            "a wrong answer about a member");
            problems.expect(set.contains("a", "wanderer") != set.contains("b", "wanderer"),
                            "a member in both sets or in none");
        };
        co_await db.view(look);
    }
}

}  // namespace

// Views on several threads read members at the same time, while the set changes.
BOOST_AUTO_TEST_SUITE(test_set_views)

BOOST_AUTO_TEST_CASE(concurrent_views_return_correct_membership)
{
    Problems problems;
    Crew crew(readers);
    Database db = Database::open_blocking(crew.executor(), Options("memory:"));
    result(crew.start(fill(db)), "fill");
    const std::uint64_t seed = new_seed();
    std::vector<std::future<void>> asking;
    for (unsigned reader = 0; reader < readers; ++reader) {
        asking.push_back(crew.start(ask(db, problems, seed + reader)));
    }
    std::future<void> wandering = crew.start(wander(db, 5'000));
    for (std::future<void>& each : asking) {
        result(std::move(each), "ask");
    }
    result(std::move(wandering), "wander");
    result(crew.start(db.close()), "close");
    problems.report();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keywatch::test
