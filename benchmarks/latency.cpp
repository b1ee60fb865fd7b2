// SPDX-License-Identifier: BSL-1.0
/// Measures the time from the call of update() to the callback of a watcher, on an idle database:
/// buffered, one thread.
/// Floor: the bare commit alone.
#include "support.hpp"

#include <leveldb/write_batch.h>

#include <cstdlib>

namespace {

using namespace bench;

constexpr int commits = 20'000;

double median(std::vector<double>& values)
{
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
}

double bare_median(leveldb::DB& db, std::uint64_t& revision)
{
    const std::string value = random_bytes(101);
    const std::string record = random_bytes(160);
    std::vector<double> took;
    for (int i = 0; i < commits; ++i) {
        took.push_back(seconds([&] {
            leveldb::WriteBatch batch;
            batch.Put("d0001" + random_key(), value);
            batch.Put(history_key(++revision), record);
            if (!db.Write({}, &batch).ok()) {
                std::abort();
            }
        }));
    }
    return median(took);
}

asio::awaitable<void> measure(kw::Database db, std::vector<double>& took)
{
    co_await db.update([](kw::Transaction& tx) {
        if (!tx.has_bucket(kw::Structure::btree, "b")) {
            tx.create_bucket(kw::Structure::btree, "b");
        }
    });
    Clock::time_point called;
    kw::Watcher watcher = db.watch("b", kw::all(), [&](const kw::Message&) {
        took.push_back(std::chrono::duration<double>(Clock::now() - called).count());
    });
    asio::co_spawn(co_await asio::this_coro::executor, watcher.run(), kw::rethrow);
    co_await watcher.wait_ready(std::chrono::seconds(10));
    const std::string value = random_bytes(100);
    for (int i = 0; i < commits; ++i) {
        called = Clock::now();
        const kw::Revision revision = co_await db.update(
            [&](kw::Transaction& tx) { tx.btree("b").put(random_key(), value); });
        co_await watcher.reached(revision);
    }
    co_await watcher.stop();
}

void update_to_callback(benchmark::State& state)
{
    const Directory floor_directory("floor");
    const Directory directory("keywatch");
    BareStore bare(floor_directory.path());
    std::uint64_t revision = 0;
    asio::io_context context(1);
    kw::Database db = kw::Database::open_blocking(
        context.get_executor(), watched_options(directory.path(), kw::Durability::buffered));
    for (auto _ : state) {
        std::vector<std::pair<double, double>> pairs;
        for (int pair = 0; pair < 5; ++pair) {
            const double floor = bare_median(bare.db(), revision);
            std::vector<double> took;
            run(context, measure(db, took));
            pairs.emplace_back(floor, median(took));
        }
        std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
            return a.second / a.first < b.second / b.first;
        });
        report(state, pairs[2].first, pairs[2].second, 1);
    }
    run(context, db.close());
}

BENCHMARK(update_to_callback)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
