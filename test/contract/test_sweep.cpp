// SPDX-License-Identifier: BSL-1.0
#include "support/engine/expiry_tools.hpp"
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <set>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

constexpr int many = 5000;

/// Puts many keys with the same deadline, in a few transactions.
Task put_together(Database db, std::chrono::milliseconds ttl)
{
    for (int i = 0; i < many; i += 1000) {
        co_await db.update([&](Transaction& tx) {
            for (int k = i; k < i + 1000; ++k) {
                tx.btree("b").put("k" + std::to_string(k), std::to_string(k), ttl);
            }
        });
    }
}

/// Returns the number of expired messages of each commit.
std::map<Revision, int> commits_of(const Recorder& recorder)
{
    std::map<Revision, int> commits;
    for (const OwnedMessage& each : recorder.messages()) {
        if (each->cause == Cause::expired) {
            ++commits[each->revision];
        }
    }
    return commits;
}

}  // namespace

// The number of expired keys that are removed in one commit.
BOOST_FIXTURE_TEST_SUITE(test_sweep, Expiry)

// A store that sends expired keys through a channel would drop those that do not fit.
BOOST_AUTO_TEST_CASE(five_thousand_that_expire_together_each_have_one_message)
{
    for (const auto durability : {Durability::sync, Durability::buffered}) {
        recorder = Recorder();
        run([this, durability]() -> Task {
            Options some = options();
            some.durability = durability;
            Database db = co_await open_with(some, "b");
            Watcher watcher = db.watch("b", keywatch::all(), recorder);
            const Run run = co_await start(watcher);
            co_await put_together(db, 10ms);
            clock.advance(10ms);
            co_await until_expired(many);
            co_await sweep_up_to_now(db);
            const Strings all = expired();
            BOOST_TEST(all.size() == many + 1U);
            BOOST_TEST(std::set<std::string>(all.begin(), all.end()).size() == many + 1U);
            const auto commits = commits_of(recorder);
            BOOST_TEST(commits.size() >= 20U);
            BOOST_TEST(std::ranges::all_of(commits, [](auto each) { return each.second <= 256; }));
            BOOST_TEST(co_await db.view([](const Snapshot& snapshot) {
                return snapshot.btree("b").first_key();
            }) == std::nullopt);
            co_await watcher.stop();
            co_await run.end();
            co_await db.close();
        });
    }
}

BOOST_AUTO_TEST_CASE(others_have_their_turn_between_two_parts_of_a_sweep)
{
    run([this]() -> Task {
        Database db = co_await open();
        co_await put_together(db, 10ms);
        clock.advance(10ms);
        while (db.stats().engine.expired == 0) {
            co_await db.put("b", "other", "v");
        }
        co_await db.put("b", "other", "v");
        BOOST_TEST(db.stats().engine.expired < many);
        co_await until([&] { return db.stats().engine.expired == many; });
        co_await db.close();
    });
}

// W13
BOOST_AUTO_TEST_CASE(closing_ends_a_sweep_and_the_next_open_continues_it)
{
    run([this]() -> Task {
        const TemporaryDirectory directory;
        Database db = co_await open_with(options(directory / "db"), "b");
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        co_await put_together(db, 10ms);
        clock.advance(10ms);
        co_await until_in_turns([&] { return db.stats().engine.expired > 0; });
        co_await db.close();
        co_await run.end();
        const std::size_t first = expired().size();
        // A part that was swept after the close had begun may remain undelivered.
        const std::uint64_t swept = db.stats().engine.expired;
        BOOST_TEST(first <= swept);
        BOOST_TEST(swept < many);
        db = co_await open_database(options(directory / "db"));
        Watcher second = db.watch("b", all(), recorder);
        const Run other = co_await start(second);
        co_await until([&] { return db.stats().engine.expired == many - swept; });
        co_await db.close();
        co_await other.end();
        db = co_await open_database(options(directory / "db"));
        const Strings whole = co_await history_of(db, "b", all(), From::revision(1));
        BOOST_TEST(whole.size() == 2 * many + 1U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
