// SPDX-License-Identifier: BSL-1.0
/// Measures the cost of a transaction of 100 puts of 100 bytes, buffered, history kept and trimmed.
/// Floor: bare LevelDB with a WriteBatch of the same 100 records and one history record.
#include "support.hpp"

#include "storage/format/history_record.hpp"

#include <leveldb/write_batch.h>

#include <cstdlib>

namespace {

using namespace bench;

constexpr int puts = 100;
constexpr int transactions = 1'000;

/// Size in bytes of the history record of one such transaction.
std::size_t record_bytes()
{
    kw::storage::RecordWriter writer;
    const auto bucket = writer.bucket("b");
    const std::string value = random_bytes(100);
    for (int i = 0; i < puts; ++i) {
        const std::string key = random_key();
        kw::Message message;
        message.key = key;
        message.value = value;
        writer.add(bucket, message);
    }
    kw::storage::Totals totals;
    return writer.finish(0, {}, totals).size();
}

void bare_transactions(leveldb::DB& db, std::uint64_t& revision, int count)
{
    const std::string value = random_bytes(101);
    const std::string record = random_bytes(record_bytes());
    for (int i = 0; i < count; ++i) {
        leveldb::WriteBatch batch;
        for (int put = 0; put < puts; ++put) {
            batch.Put("d0001" + random_key(), value);
        }
        batch.Put(history_key(++revision), record);
        if (!db.Write({}, &batch).ok()) {
            std::abort();
        }
    }
}

asio::awaitable<void> our_transactions(kw::Database db, int count)
{
    const std::string value = random_bytes(100);
    for (int i = 0; i < count; ++i) {
        co_await db.update([&](kw::Transaction& tx) {
            kw::BTree tree = tx.btree("b");
            for (int put = 0; put < puts; ++put) {
                tree.put(random_key(), value);
            }
        });
    }
}

void transaction_of_100_puts(benchmark::State& state)
{
    const Directory floor_directory("floor");
    const Directory directory("keywatch");
    BareStore bare(floor_directory.path());
    std::uint64_t revision = 0;
    asio::io_context context(1);
    kw::Options options = watched_options(directory.path(), kw::Durability::buffered);
    options.history.commits = transactions;
    kw::Database db = kw::Database::open_blocking(context.get_executor(), options);
    run(context, create_bucket(db));
    // Both sides fill a few memory tables before the measurement begins.
    bare_transactions(bare.db(), revision, 5 * transactions);
    run(context, our_transactions(db, 5 * transactions));
    for (auto _ : state) {
        compare_pairs(
            state, 9, transactions, [&] { bare_transactions(bare.db(), revision, transactions); },
            [&] { run(context, our_transactions(db, transactions)); });
    }
    run(context, close(db));
}

BENCHMARK(transaction_of_100_puts)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
