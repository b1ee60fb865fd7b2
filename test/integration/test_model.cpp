// SPDX-License-Identifier: BSL-1.0
#include "support/loop/event_loop.hpp"
#include "support/model/model_state.hpp"
#include "support/model/model_steps.hpp"
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

namespace keywatch::test {
namespace {

std::uint64_t seed()
{
    const char* const given = std::getenv("KEYWATCH_SEED");
    const std::uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::cerr << "KEYWATCH_SEED=" << seed << '\n';
    return seed;
}

/// A clock that advances only when the test moves it. The sweeper reads it on its own thread.
class ManualTime {
public:
    Time now() const { return Time{std::chrono::microseconds{*micros_}}; }
    void pass(std::chrono::milliseconds time) { *micros_ += 1000 * time.count(); }
    Clock clock() const
    {
        return [micros = micros_] { return Time{std::chrono::microseconds{*micros}}; };
    }

private:
    std::shared_ptr<std::atomic<std::int64_t>> micros_ =
        std::make_shared<std::atomic<std::int64_t>>(1'000'000'000'000'000);
};

/// A replica of one bucket name, built only from the messages of its watchers, over all ends of the
/// bucket and all openings of the database.
struct Replica {
    std::string bucket;
    ModelState state;
    std::optional<Position> position;
    std::optional<Watcher> watcher;
    std::optional<Job> job;
};
using SharedReplica = std::shared_ptr<Replica>;

Task follow(Database db, SharedReplica replica)
{
    while (true) {
        const From from = replica->position ? From::after(*replica->position) : From::revision(0);
        // Captures only the state: the replica owns the watcher, which owns this callback.
        const auto apply_commit = [state = &replica->state](const Commit& commit) {
            for (const Message& message : commit) {
                apply(*state, message);
            }
        };
        try {
            replica->watcher.emplace(
                db.watch(replica->bucket, all(), apply_commit, watch_from(from)));
        } catch (const boost::system::system_error& error) {
            if (error.code() == make_error_code(Error::closed)) {
                break;  // the last commit before the close deleted the bucket
            }
            throw;
        }
        const WatchEnd end = co_await replica->watcher->run();
        replica->position = end.position;
        if (end.reason != EndReason::bucket_deleted) {
            break;
        }
    }
}

/// Waits until the replica has everything up to and including this revision.
Task reached(SharedReplica replica, Revision revision)
{
    while (true) {
        if (replica->job->done()) {
            co_await replica->job->join();  // rethrows its exception
            throw std::runtime_error("a watch has ended");
        }
        const Watcher watcher = *replica->watcher;
        const auto error = co_await failure_of(watcher.reached(revision));
        if (!error) {
            co_return;
        }
        co_await yield();  // the bucket was deleted: the next watch continues
    }
}

/// The error thrown by a failing transaction.
struct Undone : std::runtime_error {
    Undone() : std::runtime_error("undone") {}
};

class Model {
public:
    explicit Model(std::uint64_t seed) : random_(seed) {}

    Task run(int steps)
    {
        for (const char* const name : ModelSteps::names) {
            auto& replica = replicas_.emplace_back(std::make_shared<Replica>());
            replica->bucket = name;
        }
        while (done_ < steps) {
            co_await one_opening(std::min(steps, done_ + 500));
        }
    }

private:
    Task one_opening(int until)
    {
        Database db = co_await open_database(options());
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        for (const SharedReplica& replica : replicas_) {
            replica->job.emplace(executor, follow(db, replica));
            co_await yield();
        }
        std::exception_ptr error;
        try {
            co_await work(db, until);
        } catch (...) {
            error = std::current_exception();
        }
        co_await db.close();
        if (error) {
            std::rethrow_exception(error);
        }
        for (const SharedReplica& replica : replicas_) {
            co_await replica->job->join();
        }
    }

    Task work(Database db, int until)
    {
        while (done_ < until) {
            time_.pass(std::chrono::milliseconds{random_() % 4 == 0 ? random_() % 40 : 0});
            co_await one_transaction(db);
            co_await check(db);
        }
        co_await check_swept(db);
    }

    Task one_transaction(Database db)
    {
        state_.remove_expired(time_.now());
        ModelState after = state_;
        const bool fails = random_() % 10 == 0;
        const auto change = [&](Transaction& tx) {
            ModelSteps steps(tx, after, time_.now(), random_);
            for (auto count = 1 + random_() % 6; count > 0; --count) {
                steps.step();
                ++done_;
            }
            if (fails) {
                throw Undone();
            }
        };
        try {
            last_ = co_await db.update(change);
            state_ = after;
        } catch (const Undone&) {
            // The transaction must have no effect.
        }
    }

    /// Compares the database and the replicas with the model.
    Task check(Database db)
    {
        const auto read = [&](const Snapshot& snapshot) {
            return read_state(snapshot, time_.now());
        };
        const ModelState stored = co_await db.view(read);
        require_same(stored, "the database");
        for (const SharedReplica& replica : replicas_) {
            co_await reached(replica, last_);
        }
        require_same(replicated(), "the replica");
    }

    /// Checks that the expiry of keys is delivered even if they are never accessed again.
    Task check_swept(Database db)
    {
        const auto swept = [&] {
            bool all = true;
            for (const SharedReplica& replica : replicas_) {
                all = all && replica->state.count_expired(time_.now()) == 0;
            }
            return all;
        };
        co_await until(swept);
        co_await check(db);
    }

    ModelState replicated() const
    {
        ModelState state;
        for (const SharedReplica& replica : replicas_) {
            state.btrees.merge(ModelState(replica->state).btrees);
            state.lists.merge(ModelState(replica->state).lists);
            state.sets.merge(ModelState(replica->state).sets);
            state.sorted_sets.merge(ModelState(replica->state).sorted_sets);
        }
        state.remove_expired(time_.now());
        return state;
    }

    void require_same(const ModelState& found, const char* what) const
    {
        if (!(found == state_)) {
            throw std::logic_error(std::string(what) + " differs after " + std::to_string(done_) +
                                   " steps:\n" + describe(found) + "---- expected:\n" +
                                   describe(state_));
        }
    }

    Options options() const
    {
        Options options{directory_ / "db"};
        options.enable_watch = true;
        options.durability = Durability::buffered;
        options.clock = time_.clock();
        options.previous_values = true;
        return options;
    }

    TemporaryDirectory directory_;
    ManualTime time_;
    std::mt19937_64 random_;
    ModelState state_;
    std::vector<SharedReplica> replicas_;
    Revision last_ = 0;
    int done_ = 0;
};

}  // namespace

// Random transactions on all structures, compared with a model.
BOOST_AUTO_TEST_SUITE(test_model)

// A replica of all messages from the first one equals the database: messages are complete, precise
// and in order, over all structures, with expiry, rollbacks and reopening.
BOOST_AUTO_TEST_CASE(database_and_messages_equal_the_model)
{
    Model model(seed());
    EventLoop loop;
    loop.run([&]() -> Task { co_await model.run(10'000); }, 10 * patience);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keywatch::test
