// SPDX-License-Identifier: BSL-1.0
/// Measures a watch from a snapshot: the state of a million keys of 100 bytes, to a plain callback.
/// Floor: a bare LevelDB iteration over the same keys that copies each key and value.
#include "support.hpp"

#include <leveldb/iterator.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace bench;

constexpr unsigned total_keys = 1'000'000;
constexpr unsigned keys_per_commit = 1000;

asio::awaitable<void> fill(kw::Database db)
{
    co_await create_bucket(db);
    const std::string value = random_bytes(100);
    for (unsigned first = 0; first < total_keys; first += keys_per_commit) {
        co_await db.update([&](kw::Transaction& tx) {
            kw::BTree tree = tx.btree("b");
            for (unsigned i = first; i < first + keys_per_commit; ++i) {
                tree.put(numbered_key(i), value);
            }
        });
    }
    co_await db.close();
}

std::size_t iterate(leveldb::DB& db)
{
    leveldb::ReadOptions options;
    options.fill_cache = false;
    const std::unique_ptr<leveldb::Iterator> at(db.NewIterator(options));
    std::size_t bytes = 0;
    std::string key;
    std::string value;
    for (at->Seek("d"); at->Valid() && at->key().starts_with("d"); at->Next()) {
        key.assign(at->key().data(), at->key().size());
        value.assign(at->value().data(), at->value().size());
        benchmark::DoNotOptimize(key.data());
        benchmark::DoNotOptimize(value.data());
        bytes += value.size();
    }
    return bytes;
}

asio::awaitable<void> stream(kw::Database db, std::size_t& seen)
{
    kw::WatchOptions options;
    options.from = kw::From::snapshot();
    kw::Watcher watcher = db.watch(
        "b", kw::all(),
        [&](const kw::Message& message) {
            seen += message.value.size();
            return message.operation == kw::Operation::synced ? kw::Flow::stop : kw::Flow::go_on;
        },
        options);
    co_await watcher.run();
}

void stream_a_state(benchmark::State& state)
{
    const Directory directory("snapshot");
    asio::io_context context(1);
    const kw::Options options = watched_options(directory.path(), kw::Durability::buffered);
    run(context, fill(kw::Database::open_blocking(context.get_executor(), options)));
    for (auto _ : state) {
        // Only one LevelDB at a time can open the directory.
        std::vector<std::pair<double, double>> pairs;
        for (int pair = 0; pair < 5; ++pair) {
            double floor = 0;
            {
                BareStore bare(directory.path());
                iterate(bare.db());
                floor = seconds([&] { benchmark::DoNotOptimize(iterate(bare.db())); });
            }
            kw::Database db = kw::Database::open_blocking(context.get_executor(), options);
            std::size_t seen = 0;
            run(context, stream(db, seen));
            pairs.emplace_back(floor, seconds([&] { run(context, stream(db, seen)); }));
            run(context, close(db));
        }
        report_median(state, std::move(pairs), total_keys);
    }
}

BENCHMARK(stream_a_state)->Iterations(1)->Repetitions(1);

}  // namespace

BENCHMARK_MAIN();
