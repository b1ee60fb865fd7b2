// SPDX-License-Identifier: BSL-1.0
#include "crew.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <memory>
#include <optional>

namespace keywatch::test {
namespace {

/// A consumer on its own strand whose waits are sometimes cancelled by other threads.
struct Puller {
    Puller(PullWatcher watcher_, asio::any_io_executor executor)
        : watcher(std::move(watcher_)), strand(asio::make_strand(executor))
    {
    }

    PullWatcher watcher;
    asio::any_io_executor strand;
    asio::cancellation_signal signal;
    Revision last = 0;
    std::atomic<std::uint64_t> seen{0};
};

using SharedPuller = std::shared_ptr<Puller>;

asio::awaitable<bool> wait(SharedPuller puller)
{
    const bool more = co_await puller->watcher.wait();
    co_return more;
}

/// Waits, and treats a cancelled wait like any other.
asio::awaitable<bool> wait_through_cancellations(SharedPuller puller)
{
    while (true) {
        try {
            const bool more = co_await asio::co_spawn(
                puller->strand, wait(puller),
                asio::bind_cancellation_slot(puller->signal.slot(), asio::use_awaitable));
            co_return more;
        } catch (const boost::system::system_error& error) {
            if (error.code() != asio::error::operation_aborted) {
                throw;
            }
        }
    }
}

asio::awaitable<void> pull(SharedPuller puller, Problems& problems, bool all)
{
    while (true) {
        const bool more = co_await wait_through_cancellations(puller);
        if (!more) {
            break;
        }
        while (const auto commit = puller->watcher.try_next()) {
            problems.expect(commit->revision() > puller->last, "out of order");
            problems.expect(!all || puller->last == 0 || commit->previous() == puller->last,
                            "one is missing");
            problems.expect(puller->watcher.position().revision < commit->revision(),
                            "the position is ahead");
            puller->last = commit->revision();
            ++puller->seen;
        }
    }
    problems.expect(puller->watcher.position().revision >= puller->last,
                    "the position lags behind");
    problems.expect(puller->watcher.ended().has_value(), "it has ended, and does not know");
}

/// Pulls, and accepts `closed` if the consumer begins only after the database was closed.
asio::awaitable<void> pull_unless_too_late(SharedPuller puller, Problems& problems, bool all)
{
    try {
        co_await pull(puller, problems, all);
    } catch (const boost::system::system_error& error) {
        if (error.code() != Error::closed || puller->last != 0) {
            throw;
        }
    }
}

asio::awaitable<void> create(Database database)
{
    co_await database.update([](Transaction& tx) { tx.create_bucket(Structure::btree, "data"); });
}

asio::awaitable<void> commit(Database database, int count)
{
    for (int i = 0; i < count; ++i) {
        const auto put = [&](Transaction& tx) {
            tx.btree("data").put(i % 2 == 0 ? "key" : "other", std::to_string(i));
        };
        co_await database.update(put);
    }
}

Options options_in_memory()
{
    Options options{"memory:"};
    options.enable_watch = true;
    options.durability = Durability::buffered;
    options.hub_messages = 32;
    return options;
}

struct Storm {
    Storm() { result(crew.start(create(database)), "create"); }

    SharedPuller add(Selector selector, std::size_t buffer)
    {
        WatchOptions watch_options;
        watch_options.from = From::revision(1);
        watch_options.buffer_messages = buffer;
        const auto& puller = pullers.emplace_back(std::make_shared<Puller>(
            database.watch("data", std::move(selector), watch_options), crew.executor()));
        return puller;
    }

    void start(const SharedPuller& puller, bool all)
    {
        ends.push_back(asio::co_spawn(puller->strand, pull_unless_too_late(puller, problems, all),
                                      asio::use_future));
    }

    void wait_ready()
    {
        for (const SharedPuller& each : pullers) {
            result(crew.start(each->watcher.wait_ready(crew_patience)), "wait_ready");
        }
    }

    /// Cancels waits and, with `stop`, stops watches, from a thread outside the event loop.
    void disturb(std::uint64_t seed, bool stop)
    {
        std::mt19937_64 random(seed);
        while (!done) {
            const SharedPuller& puller = pullers[random() % pullers.size()];
            if (stop && random() % 64 == 0) {
                puller->watcher.request_stop();
            }
            asio::post(puller->strand,
                       [puller] { puller->signal.emit(asio::cancellation_type::terminal); });
            std::this_thread::yield();
        }
    }

    void finish()
    {
        for (auto& each : ends) {
            result(std::move(each), "a consumer");
        }
        problems.report();
    }

    Problems problems;
    Crew crew{4};
    Database database = Database::open_blocking(crew.executor(), options_in_memory());
    std::vector<SharedPuller> pullers;
    std::vector<std::future<void>> ends;
    std::atomic<bool> done{false};
};

}  // namespace

// Pulled watches on several threads.
BOOST_AUTO_TEST_SUITE(test_pull_storm)

BOOST_AUTO_TEST_CASE(consumers_on_several_threads_receive_everything_once)  // W1 W2 W3 W13
{
    Storm storm;
    constexpr int commits = 3000;
    for (std::size_t i = 0; i < 8; ++i) {
        const bool all_keys = i % 2 == 0;
        storm.start(storm.add(all_keys ? all() : key("key"), i < 4 ? 3 : 1024), all_keys);
    }
    std::thread stranger([&] { storm.disturb(new_seed(), false); });
    result(storm.crew.start(commit(storm.database, commits)), "the committer");
    storm.wait_ready();  // on a busy machine a consumer may not have begun yet
    storm.done = true;
    stranger.join();
    result(storm.crew.start(storm.database.close(crew_patience)), "close");
    storm.finish();
    for (std::size_t i = 0; i < storm.pullers.size(); ++i) {
        // All commits including the creation of the bucket, or every second one.
        BOOST_TEST(storm.pullers[i]->seen == (i % 2 == 0 ? commits + 1U : commits / 2U));
    }
    const Stats stats = storm.database.stats();
    BOOST_TEST(stats.watchers.commits_delivered == 4U * (commits + 1) + 4U * commits / 2);
    BOOST_TEST(stats.watchers.running == 0U);
}

BOOST_AUTO_TEST_CASE(every_consumer_ends_in_every_case)  // W11
{
    const std::uint64_t seed = new_seed();
    for (std::uint64_t round = 0; round < 10; ++round) {
        Storm storm;
        for (std::size_t i = 0; i < 30; ++i) {
            storm.start(storm.add(i % 2 == 0 ? all() : key("key"), 1 + i), i % 2 == 0);
        }
        std::thread stranger([&] { storm.disturb(seed + round, true); });
        result(storm.crew.start(commit(storm.database, 200)), "the committer");
        // Consumers are stopped or destroyed while the database closes.
        result(storm.crew.start(storm.database.close(crew_patience)), "close");
        storm.done = true;
        stranger.join();
        storm.finish();
    }
}

BOOST_AUTO_TEST_CASE(idle_consumers_end_with_the_database_whatever_was_committed_last)  // W11
{
    for (int round = 0; round < 20; ++round) {
        Storm storm;
        for (std::size_t i = 0; i < 50; ++i) {
            storm.start(storm.add(key("key"), 8), false);
        }
        storm.wait_ready();
        result(storm.crew.start(commit(storm.database, 2)), "the committer");
        result(storm.crew.start(storm.database.close(crew_patience)), "close");
        storm.finish();
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keywatch::test
