// SPDX-License-Identifier: BSL-1.0
#include "support.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <unistd.h>

namespace bench {

namespace {

std::mt19937_64& generator()
{
    static std::mt19937_64 engine(1);
    return engine;
}

std::filesystem::path root()
{
    const char* const chosen = std::getenv("KEYWATCH_BENCH_DIR");
    return chosen ? chosen : ".";
}

}  // namespace

Directory::Directory(const std::string& name)
    : path_(root() / ("keywatch-bench-" + std::to_string(::getpid()) + "-" + name))
{
    std::filesystem::remove_all(path_);
}

Directory::~Directory()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

BareStore::BareStore(const std::string& path)
    : cache_(leveldb::NewLRUCache(kw::Options("x").cache_bytes)),
      filter_(leveldb::NewBloomFilterPolicy(10))
{
    leveldb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = kw::Options("x").write_buffer_bytes;
    options.block_cache = cache_.get();
    options.filter_policy = filter_.get();
    options.compression = leveldb::kNoCompression;
    leveldb::DB* db = nullptr;
    const leveldb::Status status = leveldb::DB::Open(options, path, &db);
    if (!status.ok()) {
        throw std::runtime_error(status.ToString());
    }
    db_.reset(db);
}

kw::Options watched_options(const std::string& path, kw::Durability durability)
{
    kw::Options options(path);
    options.enable_watch = true;
    options.durability = durability;
    options.history.commits = 20'000;
    return options;
}

std::string numbered_key(unsigned number)
{
    char key[16];
    std::snprintf(key, sizeof key, "key%08u", number);
    return key;
}

std::string random_key()
{
    return numbered_key(static_cast<unsigned>(generator()() % 100'000));
}

std::string random_bytes(std::size_t size)
{
    std::string bytes(size, '\0');
    for (char& each : bytes) {
        each = static_cast<char>(generator()());
    }
    return bytes;
}

std::string history_key(std::uint64_t revision)
{
    std::string key = "h";
    for (int shift = 56; shift >= 0; shift -= 8) {
        key += static_cast<char>(revision >> shift);
    }
    return key + std::string(2, '\0');
}

void run(asio::io_context& context, asio::awaitable<void> work)
{
    asio::co_spawn(context, std::move(work), kw::rethrow);
    context.restart();
    context.run();
}

void run_beside(asio::io_context& context, asio::awaitable<void> work)
{
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr error) {
        context.stop();
        kw::rethrow(std::move(error));
    });
    context.restart();
    context.run();
}

asio::awaitable<void> create_bucket(kw::Database db)
{
    co_await db.update([](kw::Transaction& tx) { tx.create_bucket(kw::Structure::btree, "b"); });
}

asio::awaitable<void> put_commits(kw::Database db, int count)
{
    const std::string value = random_bytes(100);
    for (int i = 0; i < count; ++i) {
        co_await db.update([&](kw::Transaction& tx) { tx.btree("b").put(random_key(), value); });
    }
}

asio::awaitable<void> close(kw::Database db)
{
    co_await db.close();
}

}  // namespace bench
