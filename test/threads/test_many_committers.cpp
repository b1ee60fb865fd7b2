// SPDX-License-Identifier: BSL-1.0
#include "crew.hpp"

#include "support/storage/temporary_directory.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>

namespace keywatch::test {
namespace {

constexpr int committers = 6;

std::string key_of(int committer)
{
    return "c" + std::to_string(committer);
}

/// One ordered stream, possibly delivered by several watchers, one after another. A committer's
/// values count up by one, so that anything missing, repeated or out of order shows at the next
/// value.
class Stream {
public:
    Stream(Problems& problems, const Database& database, std::uint64_t seed)
        : problems_(problems), database_(database), random_(seed)
    {
    }

    /// Returns a random number, for creating its watchers.
    std::uint64_t draw() { return random_(); }

    void take(const Commit& commit)
    {
        problems_.expect(!inside_.exchange(true), "two callbacks of one watcher at a time");
        problems_.expect(commit.revision() > last_, "revisions out of order");
        problems_.expect(commit.revision() <= database_.head_revision(),
                         "delivered before it was durable");
        last_ = commit.revision();
        for (const Message& message : commit) {
            take(message);
        }
        inside_ = false;
    }

    const std::map<std::string, int, std::less<>>& counts() const { return counts_; }

private:
    void take(const Message& message)
    {
        if (message.operation != Operation::put || message.key == "sum") {
            return;
        }
        int& count = counts_.try_emplace(std::string(message.key), 0).first->second;
        problems_.expect(message.value == std::to_string(++count), "a gap, or a repeat");
    }

    Problems& problems_;
    const Database database_;
    std::mt19937_64 random_;
    std::atomic<bool> inside_{false};
    Revision last_ = 0;
    std::map<std::string, int, std::less<>> counts_;
};

/// A database with its writers, readers and watchers.
class Traffic {
public:
    Traffic(Options options, std::uint64_t seed, int commits) : seed_(seed), commits_(commits)
    {
        options.enable_watch = true;
        options.write_buffer_bytes = 65536;
        options.hub_messages = 64;
        options.batch_messages = 16;
        options.distribute_batches = 2;
        options.victim_sets = 1;
        database_ = Database::open_blocking(crew_.executor(), options);
    }

    void run()
    {
        result(crew_.start(create(database_)), "create");
        std::vector<std::future<void>> watching;
        for (int i = 0; i < 8; ++i) {
            Stream& stream = *streams_.emplace_back(std::make_unique<Stream>(
                problems_, database_, seed_ + static_cast<std::uint64_t>(i)));
            watching.push_back(crew_.start(watch(stream, i)));
        }
        std::vector<std::future<void>> working;
        for (int i = 0; i < committers; ++i) {
            working.push_back(crew_.start(commit(i)));
        }
        std::vector<std::future<void>> others;
        others.push_back(crew_.start(view()));
        others.push_back(crew_.start(churn_buckets()));
        for (auto& each : working) {
            result(std::move(each), "a committer");
        }
        done_ = true;
        for (auto& each : others) {
            result(std::move(each), "a reader");
        }
        result(crew_.start(database_.close(crew_patience)), "close");
        for (auto& each : watching) {
            result(std::move(each), "a watcher");
        }
        check_streams();
        problems_.report();
    }

private:
    static asio::awaitable<void> create(Database database)
    {
        co_await database.update([](Transaction& tx) {
            tx.create_bucket(Structure::btree, "data");
            tx.btree("data").put("sum", "0");
        });
    }

    asio::awaitable<void> commit(int committer)
    {
        Revision last = 0;
        for (int i = 1; i <= commits_; ++i) {
            const auto transaction = [&](Transaction& tx) {
                BTree data = tx.btree("data");
                data.put(key_of(committer), std::to_string(i));
                data.put("sum", std::to_string(std::stoi(*data.get("sum")) + 1));
            };
            const Revision revision = co_await database_.update(transaction);
            problems_.expect(revision > last, "an acknowledged revision came twice");
            last = revision;
        }
    }

    asio::awaitable<void> view()
    {
        Revision last = 0;
        while (!done_) {
            const auto look = [&](const Snapshot& snapshot) {
                const Revision revision = snapshot.revision();
                problems_.expect(revision >= last, "a view went back");
                last = revision;
                int sum = 0;
                int written = 0;
                for (const auto [key, value] : snapshot.btree("data").scan()) {
                    (key == "sum" ? sum : written) += std::stoi(std::string(value));
                }
                problems_.expect(sum == written, "a view of half a commit");
            };
            co_await database_.view(look);
            co_await turn();
        }
    }

    /// A watcher of a bucket ends when the bucket is deleted, even if it has just begun.
    asio::awaitable<void> churn_buckets()
    {
        while (!done_) {
            co_await database_.update([](Transaction& tx) {
                tx.create_bucket(Structure::btree, "short");
                tx.btree("short").put("key", "value");
            });
            Watcher watcher = database_.watch("short", all(), [](const Message&) {});
            const auto running =
                std::make_shared<std::future<WatchEnd>>(crew_.start(watcher.run()));
            const Revision revision = co_await database_.update(
                [](Transaction& tx) { tx.delete_bucket(Structure::btree, "short"); });
            try {
                co_await watcher.reached(revision);
            } catch (const boost::system::system_error& error) {
                problems_.expect(is(error, Error::watch_ended), error.what());
            }
            problems_.expect(watcher.position().revision >= revision, "ended before the deletion");
            while (running->wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
                co_await turn();
            }
            problems_.expect(running->get().reason == EndReason::bucket_deleted,
                             "not ended by the bucket's deletion");
        }
    }

    /// Watches from the first commit to the end. Watchers of odd kinds stop and continue many
    /// times.
    asio::awaitable<void> watch(Stream& stream, int kind)
    {
        WatchOptions options;
        options.from = From::revision(1);
        options.callback_timeout = crew_patience;
        bool goes_on = true;
        while (goes_on) {
            options.buffer_messages = kind < 4 ? 1 + stream.draw() % 4 : 1024;
            goes_on = co_await watch_once(stream, kind, options, stream.draw());
        }
    }

    /// Returns true if more may follow; `options` then contains the next start.
    asio::awaitable<bool> watch_once(Stream& stream, int kind, WatchOptions& options,
                                     std::uint64_t seed)
    {
        try {
            Watcher watcher = make_watcher(stream, kind, options, seed);
            const WatchEnd end = co_await watcher.run();
            problems_.expect(end.position == watcher.position(), "two last positions");
            options.from = From::after(end.position);
            co_return end.reason != EndReason::database_closed;
        } catch (const boost::system::system_error& error) {
            problems_.expect(is(error, Error::closed), error.what());
        }
        co_return false;
    }

    Watcher make_watcher(Stream& stream, int kind, const WatchOptions& options, std::uint64_t seed)
    {
        const bool stops = kind % 2 == 1 && !done_;
        const int stop_after = static_cast<int>(1 + seed % 200);
        if (kind % 4 < 2) {
            const auto plain = [this, &stream, stops, left = stop_after](const Commit& c) mutable {
                stream.take(c);
                return stops && --left == 0 && !done_ ? Flow::stop : Flow::go_on;
            };
            return database_.watch("data", all(), plain, options);
        }
        const auto slow = [this, &stream, stops, left = std::make_shared<int>(stop_after)](
                              const Commit& commit) -> asio::awaitable<Flow> {
            stream.take(commit);
            if (*left % 16 == 0) {
                asio::steady_timer timer(co_await asio::this_coro::executor,
                                         std::chrono::microseconds(200));
                co_await timer.async_wait(asio::use_awaitable);
            } else {
                co_await turn();
            }
            co_return stops && --*left == 0 && !done_ ? Flow::stop : Flow::go_on;
        };
        return database_.watch("data", all(), slow, options);
    }

    void check_streams()
    {
        for (const auto& stream : streams_) {
            // A stream that was between two watchers when the database closed has not received the
            // end.
            whole_ += stream->counts().size() == committers &&
                      std::ranges::all_of(stream->counts(), [this](const auto& each) {
                          return each.second == commits_;
                      });
        }
        BOOST_TEST(whole_ >= 4);
    }

    const std::uint64_t seed_;
    const int commits_;
    Problems problems_;
    Crew crew_{4};
    Database database_;
    std::vector<std::unique_ptr<Stream>> streams_;
    std::atomic<bool> done_{false};
    int whole_ = 0;
};

}  // namespace

// Commits by many coroutines on several threads, with watches of all of them.
BOOST_AUTO_TEST_SUITE(test_many_committers)

BOOST_AUTO_TEST_CASE(every_watcher_gets_every_commit_once_and_in_order_buffered)  // W1 W2 W3 W5 W13
{
    Options options{"memory:"};
    options.durability = Durability::buffered;
    Traffic(options, new_seed(), 1500).run();
}

BOOST_AUTO_TEST_CASE(every_watcher_gets_every_commit_once_and_in_order_synced)  // W1 W2 W3 W5 W13
{
    const TemporaryDirectory directory;
    Traffic(Options{directory / "db"}, new_seed(), 300).run();
}

// Writers that never leave the engine thread idle must not prevent history from being trimmed.
BOOST_AUTO_TEST_CASE(trimming_keeps_up_with_busy_writers)
{
    const TemporaryDirectory directory;
    Options options{directory / "db"};
    options.enable_watch = true;
    options.history.commits = 500;
    Problems problems;
    Crew crew(2);
    Database database = Database::open_blocking(crew.executor(), options);
    result(crew.start([](Database db) -> asio::awaitable<void> {
        co_await db.update([](Transaction& tx) { tx.create_bucket(Structure::btree, "data"); });
    }(database)),
           "create");
    const auto commit = [&](int committer) -> asio::awaitable<void> {
        const auto transaction = [&](Transaction& tx) {
            tx.btree("data").put(key_of(committer), "value");
        };
        for (int i = 0; i < 300; ++i) {
            const Revision revision = co_await database.update(transaction);
            problems.expect(revision < database.oldest_revision() + 4000, "history grows");
        }
    };
    std::vector<std::future<void>> working;
    for (int i = 0; i < 32; ++i) {
        working.push_back(crew.start(commit(i)));
    }
    for (auto& each : working) {
        result(std::move(each), "a committer");
    }
    result(crew.start(database.close()), "close");
    problems.report();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keywatch::test
