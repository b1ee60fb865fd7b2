// SPDX-License-Identifier: BSL-1.0
/// Measures the longest time that a coroutine waits for its turn, on the event loop of the
/// pipeline's strand and all watches, while a commit is routed that is much work for them. The
/// commit is made on another thread, so that its own function takes no time of the loop.
/// Floor: the same without watches.
#include "support.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <functional>
#include <thread>

namespace {

using namespace bench;

/// A number of buckets, of watches in each bucket, and of coroutines that wait for each watch.
struct Scene {
    int buckets = 1;
    int watches = 0;
    bool by_message = false;
    int waiters = 0;
    /// Number of commits, each of `messages` messages in the first bucket. If `messages` is 0, one
    /// commit deletes all buckets.
    int commits = 1;
    int messages = 0;
};

std::string bucket_of(int number)
{
    return "b" + std::to_string(number);
}

/// Records the longest time between two turns.
asio::awaitable<void> probe(const std::function<bool()>& done, double& longest)
{
    auto before = Clock::now();
    while (!done()) {
        co_await asio::post(asio::use_awaitable);
        const auto now = Clock::now();
        longest = std::max(longest, std::chrono::duration<double>(now - before).count());
        before = now;
    }
}

class Watched {
public:
    Watched(const Scene& scene, bool watched)
        : scene_(scene),
          db_(kw::Database::open_blocking(
              context_.get_executor(),
              watched_options(directory_.path(), kw::Durability::buffered)))
    {
        run_beside(context_, create_buckets());
        for (int i = 0; watched && i < scene_.buckets * scene_.watches; ++i) {
            watchers_.push_back(db_.watch(bucket_of(i % scene_.buckets), kw::all(), callback()));
            asio::co_spawn(context_, watchers_.back().run(),
                           [this](std::exception_ptr error, kw::WatchEnd) {
                               kw::rethrow(std::move(error));
                               ++ended_;
                           });
        }
        run_beside(context_, all_reach(db_.head_revision()));
        for (kw::Watcher& each : watchers_) {
            for (int i = 0; i < scene_.waiters; ++i) {
                asio::co_spawn(context_, reach(each, last_revision()),
                               [this](std::exception_ptr) { ++reached_; });
            }
        }
    }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    ~Watched() { run_beside(context_, close(db_)); }

    double longest_turn()
    {
        asio::io_context elsewhere(1);
        bool committed = false;
        asio::co_spawn(elsewhere, commit(), kw::rethrow);
        std::thread thread([&] {
            elsewhere.run();
            asio::post(context_, [&] { committed = true; });
        });
        double longest = 0;
        const std::function<bool()> done = [&] { return committed && all_done(); };
        run_beside(context_, probe(done, longest));
        thread.join();
        return longest;
    }

private:
    bool deletes() const { return scene_.messages == 0; }
    kw::Revision last_revision() const
    {
        return db_.head_revision() + static_cast<kw::Revision>(scene_.commits);
    }
    bool all_done() const
    {
        const std::size_t messages =
            watchers_.size() * static_cast<std::size_t>(scene_.commits * scene_.messages);
        const bool waited = reached_ == watchers_.size() * static_cast<std::size_t>(scene_.waiters);
        return waited && (deletes() ? ended_ == watchers_.size() : seen_ == messages);
    }
    kw::WatchCallback callback()
    {
        if (scene_.by_message) {
            return [this](const kw::Message&) { ++seen_; };
        }
        return [this](const kw::Commit& commit) { seen_ += commit.size(); };
    }
    asio::awaitable<void> create_buckets()
    {
        co_await db_.update([this](kw::Transaction& tx) {
            for (int i = 0; i < scene_.buckets; ++i) {
                tx.create_bucket(kw::Structure::btree, bucket_of(i));
            }
        });
    }
    static asio::awaitable<void> reach(kw::Watcher watcher, kw::Revision revision)
    {
        co_await watcher.reached(revision);
    }
    asio::awaitable<void> all_reach(kw::Revision revision)
    {
        for (const kw::Watcher& each : watchers_) {
            co_await each.reached(revision);
        }
    }
    asio::awaitable<void> commit()
    {
        for (int i = 0; i < scene_.commits; ++i) {
            co_await db_.update([this](kw::Transaction& tx) { change(tx); });
        }
    }
    void change(kw::Transaction& tx) const
    {
        for (int i = 0; i < scene_.messages; ++i) {
            tx.btree(bucket_of(0)).put("k", "v");
        }
        for (int i = 0; deletes() && i < scene_.buckets; ++i) {
            tx.delete_bucket(kw::Structure::btree, bucket_of(i));
        }
    }

    const Scene scene_;
    const Directory directory_{"keywatch"};
    asio::io_context context_{1};
    kw::Database db_;
    std::vector<kw::Watcher> watchers_;
    std::size_t seen_ = 0;
    std::size_t ended_ = 0;
    std::size_t reached_ = 0;
};

void longest_turn(benchmark::State& state, const Scene& scene)
{
    for (auto _ : state) {
        std::vector<std::pair<double, double>> measured;
        for (int pair = 0; pair < 5; ++pair) {
            const double floor = Watched(scene, false).longest_turn();
            measured.emplace_back(floor, Watched(scene, true).longest_turn());
        }
        report_median(state, std::move(measured), 1);
    }
}

void buckets_deleted(benchmark::State& state)
{
    longest_turn(state, {.buckets = 1'000, .watches = 10});
}

void large_commit(benchmark::State& state)
{
    longest_turn(state, {.watches = 1'000, .messages = 100'000});
}

void large_commit_by_message(benchmark::State& state)
{
    longest_turn(state, {.watches = 10, .by_message = true, .messages = 100'000});
}

void many_waiters(benchmark::State& state)
{
    longest_turn(state, {.watches = 1, .waiters = 20'000, .commits = 1'000, .messages = 1});
}

BENCHMARK(buckets_deleted)->Iterations(1)->Repetitions(3);
BENCHMARK(large_commit)->Iterations(1)->Repetitions(3);
BENCHMARK(large_commit_by_message)->Iterations(1)->Repetitions(3);
BENCHMARK(many_waiters)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
