// SPDX-License-Identifier: BSL-1.0
/// Measures how watchers that are stuck in a callback affect the rest: the time of a commit, and
/// the time from its call to the callback of a healthy watcher, `buffered`, one thread. All
/// watchers watch the bucket that is written to.
/// Floor: the same without stuck watchers.
/// `filling`: 1 while the inboxes of the stuck watchers still accept entries, 0 once they have
/// fallen behind.
#include "support.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace {

using namespace bench;

constexpr int commits = 10'000;

struct Times {
    std::vector<double> commit;
    std::vector<double> callback;
};

double percentile(std::vector<double>& values, double part)
{
    const auto at =
        values.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

/// A database with one healthy watcher, and `stuck` watchers whose callback never returns.
class Watched {
public:
    Watched(asio::io_context& context, const std::string& name, std::int64_t stuck)
        : directory_(name),
          context_(context),
          db_(kw::Database::open_blocking(
              context.get_executor(),
              watched_options(directory_.path(), kw::Durability::buffered))),
          never_(context)
    {
        run_beside(context_, create_bucket(db_));
        never_.expires_at(asio::steady_timer::time_point::max());
        kw::WatchOptions options;
        options.callback_timeout = std::chrono::hours(24);
        const auto wait_for_ever = [this](const kw::Commit&) -> asio::awaitable<void> {
            co_await never_.async_wait(asio::use_awaitable);
        };
        for (std::int64_t i = 0; i < stuck; ++i) {
            watchers_.push_back(db_.watch("b", kw::all(), wait_for_ever, options));
        }
        watchers_.push_back(db_.watch("b", kw::all(), [this](const kw::Message&) {
            callback_ = std::chrono::duration<double>(Clock::now() - called_).count();
        }));
        for (kw::Watcher& each : watchers_) {
            asio::co_spawn(context_, each.run(), kw::rethrow);
        }
        run_beside(context_, wait_ready(watchers_.back()));
    }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    ~Watched() { run_beside(context_, stop()); }

    Times measure(int count)
    {
        Times times;
        run_beside(context_, commit(count, times));
        return times;
    }

private:
    static asio::awaitable<void> wait_ready(kw::Watcher watcher)
    {
        co_await watcher.wait_ready(std::chrono::seconds(10));
    }
    asio::awaitable<void> commit(int count, Times& times)
    {
        const std::string value = random_bytes(100);
        const auto put = [&](kw::Transaction& tx) { tx.btree("b").put(random_key(), value); };
        for (int i = 0; i < count; ++i) {
            called_ = Clock::now();
            const kw::Revision revision = co_await db_.update(put);
            times.commit.push_back(std::chrono::duration<double>(Clock::now() - called_).count());
            co_await watchers_.back().reached(revision);
            times.callback.push_back(callback_);
        }
    }
    asio::awaitable<void> stop() { co_await db_.close(std::chrono::milliseconds(0)); }

    const Directory directory_;
    asio::io_context& context_;
    kw::Database db_;
    asio::steady_timer never_;
    std::vector<kw::Watcher> watchers_;
    Clock::time_point called_;
    double callback_ = 0;
};

using Pairs = std::vector<std::pair<double, double>>;

double median_ratio(Pairs pairs)
{
    std::vector<double> ratios;
    for (const auto& [floor, ours] : pairs) {
        ratios.push_back(ours / floor);
    }
    return percentile(ratios, 0.5);
}

void stuck_watchers(benchmark::State& state)
{
    asio::io_context context(1);
    const bool filling = state.range(1) != 0;
    Watched alone(context, "alone", 0);
    Watched disturbed(context, "disturbed", state.range(0));
    const int count = filling ? 100 : commits;
    if (!filling) {
        alone.measure(3 * commits);
        disturbed.measure(3 * commits);  // all stuck watchers fall behind and leave the index
    }
    for (auto _ : state) {
        Pairs commit_50;
        Pairs commit_99;
        Pairs callback_50;
        Pairs callback_99;
        for (int pair = 0; pair < 9; ++pair) {
            Times floor = alone.measure(count);
            Times ours = disturbed.measure(count);
            commit_50.emplace_back(percentile(floor.commit, 0.5), percentile(ours.commit, 0.5));
            commit_99.emplace_back(percentile(floor.commit, 0.99), percentile(ours.commit, 0.99));
            callback_50.emplace_back(percentile(floor.callback, 0.5),
                                     percentile(ours.callback, 0.5));
            callback_99.emplace_back(percentile(floor.callback, 0.99),
                                     percentile(ours.callback, 0.99));
        }
        state.counters["callback_p50_ratio"] = median_ratio(callback_50);
        state.counters["callback_p99_ratio"] = median_ratio(callback_99);
        state.counters["commit_p99_ratio"] = median_ratio(commit_99);
        report_median(state, std::move(commit_50), 1);
    }
}

BENCHMARK(stuck_watchers)
    ->ArgNames({"stuck", "filling"})
    ->Args({1, 0})
    ->Args({1'000, 0})
    ->Args({1'000, 1})
    ->Iterations(1)
    ->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
