// SPDX-License-Identifier: BSL-1.0
#include "life.hpp"

#include "support/printing.hpp"
#include "support/storage/lying_disk.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdlib>
#include <iostream>
#include <random>

namespace keywatch::test {
namespace {

using Random = std::mt19937_64;

/// Returns a number from the environment, or a default.
std::uint64_t setting(const char* name, std::uint64_t otherwise)
{
    const char* const text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::uint64_t below(Random& random, std::uint64_t end)
{
    return random() % end;
}

/// A few lives of one database, each ended by a power cut, on a disk with faults.
class Round {
public:
    Round(std::uint64_t seed, Durability durability, std::optional<LyingDisk::Lie> lie = {})
        : random_(seed), workload_(seed, 400), lie_(lie)
    {
        options_.enable_watch = true;
        options_.durability = durability;
        options_.write_buffer_bytes = 65536;
        options_.hub_messages = 1 + below(random_, 200);
        if (below(random_, 4) == 0) {
            options_.history.commits = 20 + below(random_, 100);
        }
    }

    /// Returns the problems; empty if there are none.
    std::vector<std::string> run()
    {
        const std::uint64_t lives = lie_ ? 1 : 1 + below(random_, 3);
        for (std::uint64_t i = 0; i < lives && problems_.empty(); ++i) {
            live();
        }
        return problems_;
    }

private:
    void live()
    {
        Life::Plan plan;
        plan.committers = 1 + below(random_, 8);
        plan.commits = 10 + below(random_, 60);
        constexpr std::array ends{Life::End::closed, Life::End::dropped, Life::End::power_cut,
                                  Life::End::loop_destroyed};
        plan.end = ends[below(random_, ends.size())];
        plan.loop_time = std::chrono::milliseconds(1 + below(random_, 20));
        const auto liar =
            lie_ ? std::make_unique<LyingDisk>(*disk_, *lie_, 20 + below(random_, 80)) : nullptr;
        leveldb::Env& env = liar ? static_cast<leveldb::Env&>(*liar) : *disk_;
        Life life(env, *disk_, options_, workload_, consumer_, plan);
        if (!lie_ && disturb()) {
            life.expect_failures();
        }
        life.live();
        problems_ = life.problems();
        lose_power(life, plan);
        look();
    }

    /// Arranges for a fault in most lives.
    bool disturb()
    {
        const auto torn =
            below(random_, 2) == 0 ? PowerLossEnv::Torn::half : PowerLossEnv::Torn::nothing;
        switch (below(random_, 8)) {
        case 0:
            return false;
        case 1:
            disk_->fail_append(1 + below(random_, 300), torn, ".log");
            return true;
        case 2:
            disk_->fail_sync(1 + below(random_, 150), ".log");
            return true;
        case 3:
            disk_->limit_space(below(random_, 300'000));
            return true;
        case 4:
            disk_->fail_append(1 + below(random_, 400), torn);
            return true;
        case 5:
            disk_->fail_sync(1 + below(random_, 20), below(random_, 2) == 0 ? "/" : ".ldb");
            return true;
        default:
            disk_->cut_power_after(below(random_, 800));
            return true;
        }
    }

    void lose_power(const Life& life, const Life::Plan& plan)
    {
        const bool clean = plan.end == Life::End::closed || plan.end == Life::End::dropped;
        // If a log could not be synced at closing, that is not reported, as nothing waits for it.
        const bool closed = clean && !life.disturbed();
        const std::uint64_t way = below(random_, 5);
        const Survival survival = way == 0   ? Survival::nothing()
                                  : way == 1 ? Survival::everything()
                                             : Survival::random(random_());
        if (options_.durability == Durability::sync) {
            floor_ = std::max({floor_, life.acknowledged(), life.head_at_open()});
        } else if (way == 1 || closed) {
            floor_ = life.acknowledged();  // no power was lost, or nothing unsynced was left
        } else {
            floor_ = 0;
        }
        disk_ = disk_->survivors(survival);
    }

    /// Opens what has survived, and compares all of it with what must be there.
    void look()
    {
        asio::io_context context(1);
        Options options = options_;
        options.history.commits = UINT64_MAX;  // nothing is trimmed during the comparison
        WholeDatabase found;
        const auto read = [&](Database database) -> asio::awaitable<void> {
            found = co_await read_whole(database);
            co_await database.close();
        };
        std::exception_ptr failure;
        try {
            Database database(
                DatabaseState::open_blocking(context.get_executor(), options, disk_.get()));
            asio::co_spawn(context, read(std::move(database)),
                           [&](std::exception_ptr error) { failure = error; });
            context.run_for(std::chrono::minutes(1));
            if (failure) {
                std::rethrow_exception(failure);
            }
        } catch (const std::exception& error) {
            problems_.push_back(std::string("afterwards: ") + error.what());
            return;
        }
        if (found.head < floor_) {
            problems_.push_back("only " + std::to_string(found.head) + " of " +
                                std::to_string(floor_) + " commits are left");
        }
        if (const std::string wrong = wrong_with(found, workload_); !wrong.empty()) {
            problems_.push_back("afterwards: " + wrong);
        }
        if (options_.durability == Durability::sync && consumer_.through() > found.head) {
            problems_.push_back("a commit was delivered and is lost");
        }
    }

    Random random_;
    Workload workload_;
    Options options_{"/db"};
    std::optional<LyingDisk::Lie> lie_;
    std::unique_ptr<PowerLossEnv> disk_ = std::make_unique<PowerLossEnv>();
    Consumer consumer_;
    Revision floor_ = 0;
    std::vector<std::string> problems_;
};

/// KEYWATCH_SEED=n runs only the round of that seed, KEYWATCH_ROUNDS=n this many.
void run_rounds(Durability durability, std::uint64_t rounds)
{
    const std::uint64_t first = setting("KEYWATCH_SEED", std::random_device()());
    const std::uint64_t count =
        std::getenv("KEYWATCH_SEED") != nullptr ? 1 : setting("KEYWATCH_ROUNDS", rounds);
    std::cerr << "seeds " << first << " to " << first + count - 1 << '\n';
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        for (const std::string& problem : Round(seed, durability).run()) {
            BOOST_ERROR("KEYWATCH_SEED=" << seed << ": " << problem);
        }
    }
}

/// Runs rounds on a LyingDisk. Returns in how many the check has found a problem.
std::size_t found_out(LyingDisk::Lie lie, Durability durability, std::uint64_t rounds)
{
    std::size_t found = 0;
    for (std::uint64_t seed = 1; seed <= rounds; ++seed) {
        found += Round(seed, durability, lie).run().empty() ? 0 : 1;
    }
    return found;
}

}  // namespace

// A database on a disk that loses its power at any time.
BOOST_AUTO_TEST_SUITE(test_power_loss)

BOOST_AUTO_TEST_CASE(synced_commits_survive_everything_and_the_rest_is_a_prefix)  // W5
{
    run_rounds(Durability::sync, 300);
}

BOOST_AUTO_TEST_CASE(buffered_commits_leave_a_prefix)
{
    run_rounds(Durability::buffered, 300);
}

// The two weaknesses that the storage layer compensates for must be visible to the check above.
BOOST_AUTO_TEST_CASE(the_check_sees_logs_that_were_not_synced)
{
    BOOST_TEST(found_out(LyingDisk::Lie::log_syncs, Durability::buffered, 20) > 0U);
    BOOST_TEST(found_out(LyingDisk::Lie::log_syncs, Durability::sync, 20) > 0U);
}

BOOST_AUTO_TEST_CASE(the_check_sees_a_torn_append_after_which_writing_continued)
{
    BOOST_TEST(found_out(LyingDisk::Lie::torn_append, Durability::sync, 40) > 0U);
    BOOST_TEST(found_out(LyingDisk::Lie::torn_append, Durability::buffered, 40) > 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keywatch::test
