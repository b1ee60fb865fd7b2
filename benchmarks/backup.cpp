// SPDX-License-Identifier: BSL-1.0
/// Measures the cost of an online backup, per byte of keys and values: a database of 400,000 puts
/// of 100 bytes with their history, to a directory (synced), and to a stream into a file.
/// Floor: iterates over bare LevelDB, opened on such a directory, and writes every key and value to
/// a file; synced as well for the directory.
#include "support.hpp"

#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace bench;

constexpr int puts = 400'000;
constexpr int puts_per_commit = 100;

asio::awaitable<void> fill(kw::Database db)
{
    co_await db.update([](kw::Transaction& tx) { tx.create_bucket(kw::Structure::btree, "b"); });
    for (int i = 0; i < puts; i += puts_per_commit) {
        const auto put = [&](kw::Transaction& tx) {
            kw::BTree tree = tx.btree("b");
            for (int k = 0; k < puts_per_commit; ++k) {
                tree.put(random_key() + std::to_string(i + k), random_bytes(100));
            }
        };
        co_await db.update(put);
    }
}

asio::awaitable<void> back_up(kw::Database db, std::string directory)
{
    co_await db.backup(std::move(directory));
}

asio::awaitable<void> back_up_to_file(kw::Database db, std::string name)
{
    std::ofstream file(name, std::ios::binary);
    co_await db.backup(file);
}

asio::awaitable<void> shut(kw::Database db)
{
    co_await db.close();
}

/// Returns the number of bytes of all keys and values.
std::size_t copy_entries(leveldb::DB& db, const std::string& name, bool sync)
{
    const int file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    std::size_t bytes = 0;
    std::string buffer;
    const auto write = [&] {
        if (::write(file, buffer.data(), buffer.size()) != static_cast<ssize_t>(buffer.size())) {
            std::abort();
        }
        bytes += buffer.size();
        buffer.clear();
    };
    leveldb::ReadOptions options;
    options.fill_cache = false;
    options.verify_checksums = true;
    const std::unique_ptr<leveldb::Iterator> each(db.NewIterator(options));
    for (each->SeekToFirst(); each->Valid(); each->Next()) {
        buffer.append(each->key().data(), each->key().size());
        buffer.append(each->value().data(), each->value().size());
        if (buffer.size() >= std::size_t{1} << 20) {
            write();
        }
    }
    write();
    if (!each->status().ok() || (sync && ::fdatasync(file) != 0)) {
        std::abort();
    }
    ::close(file);
    return bytes;
}

void compare(benchmark::State& state, bool stream)
{
    const Directory floor_directory("floor");
    const Directory directory("keywatch");
    const Directory copies("copies");
    asio::io_context context(1);
    kw::Options options(directory.path());
    options.enable_watch = true;
    options.durability = kw::Durability::buffered;
    kw::Database db = kw::Database::open_blocking(context.get_executor(), options);
    run(context, fill(db));
    run(context, back_up(db, floor_directory.path()));
    std::filesystem::create_directory(copies.path());
    BareStore bare(floor_directory.path());
    const std::string copy = copies.path() + "/ours";
    const std::string floor_copy = copies.path() + "/floor";
    const std::size_t bytes = copy_entries(bare.db(), floor_copy, true);
    for (auto _ : state) {
        compare_pairs(
            state, 9, static_cast<double>(bytes),
            [&] { copy_entries(bare.db(), floor_copy, !stream); },
            [&] {
                std::filesystem::remove_all(copy);
                run(context, stream ? back_up_to_file(db, copy) : back_up(db, copy));
            });
    }
    run(context, shut(db));
}

void backup_directory(benchmark::State& state)
{
    compare(state, false);
}

void backup_stream(benchmark::State& state)
{
    compare(state, true);
}

BENCHMARK(backup_directory)->Iterations(1)->Repetitions(3);
BENCHMARK(backup_stream)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
