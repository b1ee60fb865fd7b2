// SPDX-License-Identifier: BSL-1.0
/// Measures reading in a view: 100,000 keys with values of 100 bytes, all in tables and in the
/// cache.
/// Floor: bare LevelDB with the same options, on a copy of the same directory.
#include "support.hpp"

#include "storage/format/layout.hpp"

#include <leveldb/iterator.h>

#include <cstdlib>

namespace {

using namespace bench;

constexpr int keys = 100'000;
constexpr int gets = 100'000;

asio::awaitable<void> fill(kw::Database db)
{
    const std::string value = random_bytes(100);
    for (int next = 0; next < keys;) {
        co_await db.update([&](kw::Transaction& tx) {
            kw::BTree tree = tx.btree("b");
            for (const int end = next + 1'000; next < end; ++next) {
                tree.put(numbered_key(next), value);
            }
        });
    }
}

/// Two identical directories, one opened by LevelDB alone, the other by keywatch.
class Alike {
public:
    Alike()
    {
        {
            asio::io_context context(1);
            kw::Database db = kw::Database::open_blocking(context.get_executor(), options());
            run(context, create_bucket(db));
            run(context, fill(db));
            run(context, close(db));
        }
        BareStore(directory_.path()).db().CompactRange(nullptr, nullptr);
        std::filesystem::copy(directory_.path(), floor_directory_.path());
        bare_.emplace(floor_directory_.path());
        db_ = kw::Database::open_blocking(context_.get_executor(), options());
    }
    Alike(const Alike&) = delete;
    Alike& operator=(const Alike&) = delete;
    ~Alike() { run(context_, close(db_)); }

    leveldb::DB& bare() { return bare_->db(); }
    kw::Database& db() { return db_; }
    asio::io_context& context() { return context_; }

private:
    kw::Options options() const
    {
        return watched_options(directory_.path(), kw::Durability::buffered);
    }

    const Directory directory_{"keywatch"};
    const Directory floor_directory_{"floor"};
    std::optional<BareStore> bare_;
    asio::io_context context_{1};
    kw::Database db_;
};

leveldb::ReadOptions read_options(const leveldb::Snapshot* snapshot)
{
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    options.snapshot = snapshot;
    return options;
}

const std::string& prefix()
{
    static const std::string first_bucket = kw::storage::data_prefix(1);
    return first_bucket;
}

std::size_t bare_gets(leveldb::DB& db, const leveldb::Snapshot* snapshot)
{
    const leveldb::ReadOptions options = read_options(snapshot);
    std::size_t bytes = 0;
    for (int i = 0; i < gets; ++i) {
        std::string value;
        if (!db.Get(options, prefix() + random_key(), &value).ok()) {
            std::abort();
        }
        bytes += value.size();
    }
    return bytes;
}

std::size_t bare_scan(leveldb::DB& db)
{
    const std::unique_ptr<leveldb::Iterator> at(db.NewIterator(read_options(nullptr)));
    std::size_t bytes = 0;
    for (at->Seek(prefix()); at->Valid() && at->key().starts_with(prefix()); at->Next()) {
        bytes += at->key().size() + at->value().size();
    }
    return bytes;
}

asio::awaitable<void> gets_in_one_view(kw::Database db, std::size_t& bytes)
{
    co_await db.view([&](const kw::Snapshot& snapshot) {
        const kw::BTreeView tree = snapshot.btree("b");
        for (int i = 0; i < gets; ++i) {
            bytes += tree.get(random_key()).value().size();
        }
    });
}

asio::awaitable<void> gets_in_a_view_each(kw::Database db, std::size_t& bytes)
{
    for (int i = 0; i < gets; ++i) {
        co_await db.view([&](const kw::Snapshot& snapshot) {
            bytes += snapshot.btree("b").get(random_key()).value().size();
        });
    }
}

asio::awaitable<void> scan(kw::Database db, std::size_t& bytes)
{
    co_await db.view([&](const kw::Snapshot& snapshot) {
        for (const auto [key, value] : snapshot.btree("b").scan()) {
            bytes += key.size() + value.size();
        }
    });
}

void get_in_one_view(benchmark::State& state)
{
    Alike both;
    std::size_t bytes = 0;
    const auto floor = [&] {
        const leveldb::Snapshot* const snapshot = both.bare().GetSnapshot();
        bytes += bare_gets(both.bare(), snapshot);
        both.bare().ReleaseSnapshot(snapshot);
    };
    const auto ours = [&] { run(both.context(), gets_in_one_view(both.db(), bytes)); };
    floor();
    ours();
    for (auto _ : state) {
        compare_pairs(state, 9, gets, floor, ours);
    }
    benchmark::DoNotOptimize(bytes);
}

void get_in_a_view_each(benchmark::State& state)
{
    Alike both;
    std::size_t bytes = 0;
    const auto floor = [&] { bytes += bare_gets(both.bare(), nullptr); };
    const auto ours = [&] { run(both.context(), gets_in_a_view_each(both.db(), bytes)); };
    floor();
    ours();
    for (auto _ : state) {
        compare_pairs(state, 9, gets, floor, ours);
    }
    benchmark::DoNotOptimize(bytes);
}

void scan_of_all(benchmark::State& state)
{
    Alike both;
    std::size_t bytes = 0;
    const auto floor = [&] { bytes += bare_scan(both.bare()); };
    const auto ours = [&] { run(both.context(), scan(both.db(), bytes)); };
    floor();
    ours();
    for (auto _ : state) {
        compare_pairs(state, 9, keys, floor, ours);
    }
    benchmark::DoNotOptimize(bytes);
}

BENCHMARK(get_in_one_view)->Iterations(1)->Repetitions(3);
BENCHMARK(get_in_a_view_each)->Iterations(1)->Repetitions(3);
BENCHMARK(scan_of_all)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
