// SPDX-License-Identifier: BSL-1.0
/// Measures the cost of a commit: one put of 100 bytes, keys random over 100,000, history kept and
/// trimmed.
/// Floor: bare LevelDB with a WriteBatch of the same two records.
#include "support.hpp"

#include <leveldb/write_batch.h>

#include <cstdlib>

namespace {

using namespace bench;

/// Size in bytes of a history record of one such put: header, bucket name, key, value.
constexpr std::size_t record_bytes = 160;

void bare_commits(leveldb::DB& db, std::uint64_t& revision, int commits, int per_batch, bool sync)
{
    leveldb::WriteOptions options;
    options.sync = sync;
    const std::string value = random_bytes(101);
    const std::string record = random_bytes(record_bytes);
    for (int done = 0; done < commits; done += per_batch) {
        leveldb::WriteBatch batch;
        for (int i = 0; i < per_batch; ++i) {
            batch.Put("d0001" + random_key(), value);
            batch.Put(history_key(++revision), record);
        }
        if (!db.Write(options, &batch).ok()) {
            std::abort();
        }
    }
}

asio::awaitable<void> commits(kw::Database db, int count)
{
    const std::string value = random_bytes(100);
    for (int i = 0; i < count; ++i) {
        co_await db.update([&](kw::Transaction& tx) { tx.btree("b").put(random_key(), value); });
    }
}

asio::awaitable<void> create(kw::Database db)
{
    co_await db.update([](kw::Transaction& tx) { tx.create_bucket(kw::Structure::btree, "b"); });
}

asio::awaitable<void> shut(kw::Database db)
{
    co_await db.close();
}

void compare(benchmark::State& state, kw::Durability durability, int count, int writers)
{
    const Directory floor_directory("floor");
    const Directory directory("keywatch");
    BareStore bare(floor_directory.path());
    std::uint64_t revision = 0;
    asio::io_context context(1);
    kw::Database db = kw::Database::open_blocking(context.get_executor(),
                                                  watched_options(directory.path(), durability));
    run(context, create(db));
    const bool sync = durability == kw::Durability::sync;
    const auto ours = [&] {
        for (int i = 0; i < writers; ++i) {
            asio::co_spawn(context, commits(db, count / writers), kw::rethrow);
        }
        context.restart();
        context.run();
    };
    // Both sides fill a few memory tables before the measurement begins.
    bare_commits(bare.db(), revision, sync ? 200 : 200'000, writers, false);
    if (!sync) {
        run(context, commits(db, 200'000));
    }
    for (auto _ : state) {
        compare_pairs(
            state, 9, count, [&] { bare_commits(bare.db(), revision, count, writers, sync); },
            ours);
    }
    run(context, shut(db));
}

void commit_buffered(benchmark::State& state)
{
    compare(state, kw::Durability::buffered, 20'000, 1);
}

void commit_sync(benchmark::State& state)
{
    compare(state, kw::Durability::sync, 500, 1);
}

void commit_sync_64_writers(benchmark::State& state)
{
    compare(state, kw::Durability::sync, 6'400, 64);
}

BENCHMARK(commit_buffered)->Iterations(1)->Repetitions(3);
BENCHMARK(commit_sync)->Iterations(1)->Repetitions(3);
BENCHMARK(commit_sync_64_writers)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
