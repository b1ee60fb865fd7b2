// SPDX-License-Identifier: BSL-1.0
/// Measures how watchers of other keys slow down a commit: 10,000 running watchers, in the bucket
/// that is written to, until the last commit has been routed.
/// Floor: the same with one watcher.
#include "support.hpp"

namespace {

using namespace bench;

constexpr int commits = 20'000;

/// A database with `count` running watchers, of keys that are never written.
class Watched {
public:
    Watched(asio::io_context& context, const std::string& name, int count)
        : directory_(name),
          context_(context),
          db_(kw::Database::open_blocking(
              context.get_executor(), watched_options(directory_.path(), kw::Durability::buffered)))
    {
        run_beside(context_, create_bucket(db_));
        for (int i = 0; i < count; ++i) {
            watchers_.push_back(
                db_.watch("b", kw::key("watched" + std::to_string(i)), [](const kw::Message&) {}));
        }
        for (kw::Watcher& each : watchers_) {
            asio::co_spawn(context_, each.run(), kw::rethrow);
        }
        run_beside(context_, wait_ready(watchers_.back()));
    }

    void commit(int count) { run_beside(context_, commit_and_route(db_, watchers_[0], count)); }
    void close() { run_beside(context_, bench::close(db_)); }

private:
    static asio::awaitable<void> wait_ready(kw::Watcher watcher)
    {
        co_await watcher.wait_ready(std::chrono::seconds(10));
    }
    static asio::awaitable<void> commit_and_route(kw::Database db, kw::Watcher watcher, int count)
    {
        co_await put_commits(db, count);
        co_await watcher.reached(db.head_revision());
    }

    const Directory directory_;
    asio::io_context& context_;
    kw::Database db_;
    std::vector<kw::Watcher> watchers_;
};

void watchers_of_other_keys(benchmark::State& state)
{
    asio::io_context context(1);
    Watched one(context, "one", 1);
    Watched many(context, "many", static_cast<int>(state.range(0)));
    one.commit(200'000);  // both fill a few memory tables before the measurement begins
    many.commit(200'000);
    for (auto _ : state) {
        compare_pairs(
            state, 9, commits, [&] { one.commit(commits); }, [&] { many.commit(commits); });
    }
    one.close();
    many.close();
}

BENCHMARK(watchers_of_other_keys)->Arg(10'000)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
