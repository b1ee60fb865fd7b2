// SPDX-License-Identifier: BSL-1.0
/// Measures the cost of a sweep, for each key of 100 bytes that is due, `buffered`, history kept.
/// Floor: bare LevelDB, which walks over the due keys of an index, gets the value of each, and
/// writes batches of 256 with both deletes of each key and one record with all their values.
///
/// Measures also the cost of a put where keys have had deadlines: it looks for the deadline that it
/// replaces.
/// Floor: the same put in a bucket in which no key ever had a deadline.
#include "support.hpp"

#include <leveldb/write_batch.h>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cstdlib>

namespace {

using namespace bench;
using namespace std::chrono_literals;

constexpr unsigned per_batch = 256;
constexpr auto time_to_live = 1h;

void check(const leveldb::Status& status)
{
    if (!status.ok()) {
        std::abort();
    }
}

std::string index_key(unsigned number)
{
    return "e00000001" + numbered_key(number);
}

void load_floor(leveldb::DB& db, unsigned count, std::uint64_t& revision)
{
    for (unsigned done = 0; done < count;) {
        leveldb::WriteBatch batch;
        std::string record;
        for (const unsigned end = std::min(done + 1000, count); done < end; ++done) {
            const std::string value = random_bytes(109);
            batch.Put("d0001" + numbered_key(done), value);
            batch.Put(index_key(done), "");
            record.append("put").append(numbered_key(done)).append(value);
        }
        batch.Put(history_key(++revision), record);
        check(db.Write({}, &batch));
    }
}

void sweep_floor(leveldb::DB& db, unsigned count, std::uint64_t& revision)
{
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    std::string from = "e";
    for (unsigned done = 0; done < count;) {
        const std::unique_ptr<leveldb::Iterator> due(db.NewIterator(options));
        leveldb::WriteBatch batch;
        std::string record;
        std::string value;
        unsigned taken = 0;
        for (due->Seek(from); taken < per_batch && due->Valid(); due->Next(), ++taken) {
            const leveldb::Slice key = due->key();
            if (!key.starts_with("e")) {
                break;
            }
            const std::string data_key = "d0001" + key.ToString().substr(9);
            check(db.Get(options, data_key, &value));
            batch.Delete(data_key);
            batch.Delete(key);
            record.append("erased").append(data_key).append(value);
        }
        if (due->Valid()) {
            from = due->key().ToString();
        }
        batch.Put(history_key(++revision), record);
        check(db.Write({}, &batch));
        done += taken;
    }
}

/// A clock that only moves when `time` is set. Records when it was first read after a move.
struct HandClock {
    std::atomic<kw::Time> time{kw::Time{std::chrono::hours{24 * 365 * 50}}};
    std::atomic<bool> moved{false};
    std::atomic<Clock::time_point> seen{};

    kw::Clock clock()
    {
        return [this] {
            if (moved.load() && moved.exchange(false)) {
                seen = Clock::now();
            }
            return time.load();
        };
    }
};

asio::awaitable<void> load(kw::Database db, unsigned count)
{
    for (unsigned done = 0; done < count;) {
        co_await db.update([&](kw::Transaction& tx) {
            kw::BTree tree = tx.btree("b");
            for (const unsigned end = std::min(done + 1000, count); done < end; ++done) {
                tree.put(numbered_key(done), random_bytes(100), time_to_live);
            }
        });
    }
}

/// Measures from the moment when the sweeper first sees that the keys are due.
asio::awaitable<void> sweep(kw::Database db, unsigned count, HandClock& clock, double& taken)
{
    const std::uint64_t before = db.stats().engine.expired;
    clock.time = clock.time.load() + time_to_live;
    clock.moved = true;
    while (db.stats().engine.expired < before + count) {
        co_await asio::post(asio::use_awaitable);
    }
    taken = std::chrono::duration<double>(Clock::now() - clock.seen.load()).count();
}

void sweep_keys(benchmark::State& state)
{
    const auto count = static_cast<unsigned>(state.range(0));
    const Directory floor_directory("floor");
    const Directory directory("keywatch");
    BareStore bare(floor_directory.path());
    std::uint64_t revision = 0;
    HandClock clock;
    asio::io_context context(1);
    kw::Options options = watched_options(directory.path(), kw::Durability::buffered);
    options.clock = clock.clock();
    kw::Database db = kw::Database::open_blocking(context.get_executor(), options);
    run(context, create_bucket(db));
    for (auto _ : state) {
        std::vector<std::pair<double, double>> measured;
        for (int pair = 0; pair < 5; ++pair) {
            load_floor(bare.db(), count, revision);
            const double floor = seconds([&] { sweep_floor(bare.db(), count, revision); });
            double ours = 0;
            run(context, load(db, count));
            run(context, sweep(db, count, clock, ours));
            measured.emplace_back(floor, ours);
        }
        report_median(state, std::move(measured), count);
    }
    run(context, bench::close(db));
}

asio::awaitable<void> give_one_a_deadline(kw::Database db)
{
    co_await db.update([](kw::Transaction& tx) {
        tx.create_bucket(kw::Structure::btree, "dated");
        tx.btree("dated").put("k", "v", 24h);
    });
}

asio::awaitable<void> puts(kw::Database db, const char* bucket, int count)
{
    const std::string value = random_bytes(100);
    for (int i = 0; i < count; ++i) {
        co_await db.update([&](kw::Transaction& tx) { tx.btree(bucket).put(random_key(), value); });
    }
}

void put_beside_deadlines(benchmark::State& state)
{
    constexpr int count = 20'000;
    const Directory directory("keywatch");
    asio::io_context context(1);
    kw::Database db = kw::Database::open_blocking(
        context.get_executor(), watched_options(directory.path(), kw::Durability::buffered));
    run(context, create_bucket(db));
    run(context, give_one_a_deadline(db));
    run(context, puts(db, "b", 100'000));
    run(context, puts(db, "dated", 100'000));
    for (auto _ : state) {
        compare_pairs(
            state, 9, count, [&] { run(context, puts(db, "b", count)); },
            [&] { run(context, puts(db, "dated", count)); });
    }
    run(context, bench::close(db));
}

BENCHMARK(sweep_keys)->Arg(1'000)->Arg(100'000)->Iterations(1)->Repetitions(3);
BENCHMARK(put_beside_deadlines)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
