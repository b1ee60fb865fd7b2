// SPDX-License-Identifier: BSL-1.0
#include "handles/database_state.hpp"

#include "support/engine/expiry_tools.hpp"
#include "support/printing.hpp"
#include "support/storage/power_loss_env.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <random>
#include <set>
#include <string>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

constexpr int due = 600;

/// Keys that expire all at once, and a power cut somewhere in their sweep.
struct SweepCut : Expiry {
    std::unique_ptr<PowerLossEnv> disk = std::make_unique<PowerLossEnv>();
    Durability durability = Durability::sync;

    Database open_on_disk() const
    {
        Options some = options("/db");
        some.durability = durability;
        return Database(DatabaseState::open_blocking(executor(), some, disk.get()));
    }

    static Task fill(Database db)
    {
        co_await create(db, "b");
        co_await db.update([](Transaction& tx) {
            for (int i = 0; i < due; ++i) {
                tx.btree("b").put("k" + std::to_string(i), "v", 10ms);
            }
            tx.btree("b").put("for ever", "v");
        });
    }

    /// The first life: ends after this many operations of the disk, or when everything is swept.
    void sweep_until(std::uint64_t operations)
    {
        run([this, operations]() -> Task {
            Database db = open_on_disk();
            co_await fill(db);
            co_await db.close();  // everything so far is on disk, buffered or not
            db = open_on_disk();
            disk->cut_power_after(operations);
            clock.advance(10ms);
            co_await until(
                [&] { return disk->power_is_cut() || db.stats().engine.expired == due; });
            co_await db.close();
        });
    }

    /// The second life: everything is as if there had been no power cut.
    void look()
    {
        recorder = Recorder();
        run([this]() -> Task {
            Database db = open_on_disk();
            const auto read = [](const Snapshot& snapshot) {
                return snapshot.btree("b").scan().keys();
            };
            const Strings left = co_await db.view(read);
            BOOST_TEST(left == Strings{"for ever"});
            Watcher watcher =
                db.watch("b", keywatch::all(), recorder, watch_from(From::revision(1)));
            const Run run = co_await start(watcher);
            co_await until_expired(due);
            co_await sweep_up_to_now(db);
            const Strings all = expired();
            BOOST_TEST(all.size() == due + 1U);
            BOOST_TEST(std::set<std::string>(all.begin(), all.end()).size() == due + 1U);
            co_await watcher.stop();
            co_await run.end();
            co_await db.close();
        });
    }
};

}  // namespace

// The removal of expired keys on a disk that loses its power.
BOOST_FIXTURE_TEST_SUITE(test_sweep_power_loss, SweepCut)

BOOST_AUTO_TEST_CASE(a_sweep_that_was_cut_short_is_finished_by_the_next_life)
{
    std::mt19937_64 random(std::random_device{}());
    for (const auto each : {Durability::sync, Durability::buffered}) {
        for (std::uint64_t operations = 0; operations < 16; ++operations) {
            const std::uint64_t seed = random();
            BOOST_TEST_CONTEXT("after " << operations << " operations, survivors " << seed)
            {
                disk = std::make_unique<PowerLossEnv>();
                durability = each;
                sweep_until(operations);
                disk = disk->survivors(Survival::random(seed));
                look();
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
