// SPDX-License-Identifier: BSL-1.0
#include "support/contract/checked_watch.hpp"
#include "support/model/random_commits.hpp"
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;

namespace {

constexpr std::uint64_t schedules = 60;
constexpr int steps = 500;

/// The schedule of one seed.
class Schedule {
public:
    explicit Schedule(std::uint64_t seed) : random_(seed), commits_(random_) {}

    Task run()
    {
        co_await open();
        for (int step = 0; step < steps; ++step) {
            co_await this->step();
        }
        co_await close();
        for (const Watch& each : watches_) {
            check(*each.watch);
        }
    }

    std::size_t problems() const { return problems_; }

private:
    Task open()
    {
        Options options((directory_.path() / "db").string());
        options.enable_watch = true;
        options.durability = Durability::buffered;
        options.hub_messages = 1 + below(random_, 30);
        options.batch_messages = 1 + below(random_, 10);
        options.distribute_batches = 1 + below(random_, 4);
        options.victim_sets = 1 + below(random_, 3);
        if (below(random_, 3) == 0) {
            options.watch_bytes = 1 + below(random_, 4000);
        }
        if (below(random_, 2) == 0) {
            options.history.commits = 20 + below(random_, 200);
        }
        db_ = co_await open_database(options);
    }

    Task close()
    {
        const Revision head = db_.head_revision();
        for (const Watch& each : watches_) {
            if (!each.watch->ended()) {
                each.watch->closes(head);
            }
        }
        co_await db_.close();
        for (const Watch& each : watches_) {
            co_await until([&] { return each.job.done(); });
        }
    }

    Task step()
    {
        switch (below(random_, 16)) {
        case 0:
        case 1:
            co_await watch();
            break;
        case 2:
            end_one();
            break;
        case 3:
            if (below(random_, 12) == 0) {
                co_await close();
                co_await open();
            }
            break;
        case 4:
        case 5:
            for (std::size_t turn = below(random_, 40); turn > 0; --turn) {
                co_await yield();
            }
            break;
        case 6:
            co_await commits_.commit_some(db_, 1 + below(random_, 12));
            break;
        default:
            co_await commits_.commit(db_);
        }
        if (!watches_.empty()) {
            watches_[below(random_, watches_.size())].watch->sample();
        }
    }

    Task watch()
    {
        const auto watch = std::make_shared<CheckedWatch>(db_, random_, start());
        // Sometimes the watch starts after another commit, which it must receive.
        if (below(random_, 4) == 0) {
            co_await commits_.commit(db_);
        }
        const Job job = co_await spawn(follow(watch));
        watches_.push_back({watch, job});
    }

    From start()
    {
        switch (below(random_, 8)) {
        case 0:
            return From::revision(below(random_, db_.head_revision() + 3));
        case 1:
            return From::oldest();
        case 2:
        case 3:
            return From::snapshot();
        case 4:
            return last_end_ ? From::after(*last_end_) : From::now();
        default:
            return From::now();
        }
    }

    void end_one()
    {
        if (watches_.empty()) {
            return;
        }
        const Watch& one = watches_[below(random_, watches_.size())];
        if (one.watch->ended()) {
            // A position after the newest commit cannot be resumed from.
            if (one.watch->position().revision <= db_.head_revision()) {
                last_end_ = one.watch->position();
            }
        } else if (!one.watch->is_pulled() && below(random_, 2) == 0) {
            one.job.cancel();
        } else if (below(random_, 3) == 0) {
            one.watch->request_stop();
        }
    }

    void check(const CheckedWatch& watch)
    {
        BOOST_TEST_CONTEXT(watch.what())
        {
            for (const std::string& each : watch.problems(commits_.history())) {
                BOOST_ERROR(each);
                ++problems_;
            }
        }
    }

    struct Watch {
        SharedCheckedWatch watch;
        Job job;
    };

    const TemporaryDirectory directory_;
    Random random_;
    RandomCommits commits_;
    Database db_;
    std::vector<Watch> watches_;
    std::optional<Position> last_end_;
    std::size_t problems_ = 0;
};

}  // namespace

// Random schedules of commits and of watchers of all kinds, with small buffers and a history that
// is trimmed. What each watcher receives is checked against the contract. KEYWATCH_SEED=n runs only
// the schedule of that seed.
BOOST_FIXTURE_TEST_SUITE(test_random_pipeline, EventLoop)

BOOST_AUTO_TEST_CASE(every_watcher_receives_what_was_promised)
{
    const char* const given = std::getenv("KEYWATCH_SEED");
    const std::uint64_t first =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::size_t problems = 0;
    // Stops at the first schedule with a problem.
    for (std::uint64_t seed = first; problems == 0 && seed < first + (given ? 1 : schedules);
         ++seed) {
        BOOST_TEST_CONTEXT("KEYWATCH_SEED=" << seed)
        {
            Schedule schedule(seed);
            run([&]() -> Task { co_await schedule.run(); });
            problems = schedule.problems();
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
