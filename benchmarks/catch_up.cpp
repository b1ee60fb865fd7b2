// SPDX-License-Identifier: BSL-1.0
/// Measures catching up: a watcher reads a million messages from history, in commits of 100 and of
/// 1.
/// Floor: a bare LevelDB iteration over the same records.
#include "support.hpp"

#include <leveldb/iterator.h>

#include <cstdlib>

namespace {

using namespace bench;

constexpr std::size_t total_messages = 1'000'000;

asio::awaitable<void> fill(kw::Database db, std::size_t per_commit)
{
    co_await db.update([](kw::Transaction& tx) { tx.create_bucket(kw::Structure::btree, "b"); });
    const std::string value = random_bytes(100);
    for (std::size_t done = 0; done < total_messages; done += per_commit) {
        co_await db.update([&](kw::Transaction& tx) {
            kw::BTree tree = tx.btree("b");
            for (std::size_t i = 0; i < per_commit; ++i) {
                tree.put(random_key(), value);
            }
        });
    }
    co_await db.close();
}

/// If `copied` is true, the values are read, into one string. LevelDB maps its tables into memory,
/// so a bare iteration never touches the bytes of a long record.
std::size_t iterate(leveldb::DB& db, bool copied)
{
    leveldb::ReadOptions options;
    options.fill_cache = false;
    const std::unique_ptr<leveldb::Iterator> at(db.NewIterator(options));
    std::size_t bytes = 0;
    std::string value;
    for (at->Seek("h"); at->Valid() && at->key().starts_with("h"); at->Next()) {
        bytes += at->value().size();
        if (copied) {
            value.assign(at->value().data(), at->value().size());
            benchmark::DoNotOptimize(value.data());
        }
    }
    return bytes;
}

asio::awaitable<void> catch_up(kw::Database db, std::size_t& seen)
{
    kw::WatchOptions options;
    options.from = kw::From::revision(1);
    std::size_t messages = 0;
    kw::Watcher watcher = db.watch(
        "b", kw::all(),
        [&](const kw::Message& message) {
            seen += message.value.size();
            return ++messages == total_messages + 1 ? kw::Flow::stop : kw::Flow::go_on;
        },
        options);
    co_await watcher.run();
}

void catch_up_from_history(benchmark::State& state)
{
    const auto per_commit = static_cast<std::size_t>(state.range(0));
    const Directory directory("history");
    asio::io_context context(1);
    kw::Options options = watched_options(directory.path(), kw::Durability::buffered);
    options.history.commits = 2 * total_messages;
    options.history.bytes = std::uint64_t{4} << 30;
    run(context, fill(kw::Database::open_blocking(context.get_executor(), options), per_commit));
    const auto commits = static_cast<double>(total_messages / per_commit);
    for (auto _ : state) {
        // Only one LevelDB at a time can open the directory.
        std::vector<std::pair<double, double>> pairs;
        std::vector<double> copied;
        for (int pair = 0; pair < 5; ++pair) {
            double floor = 0;
            {
                BareStore bare(directory.path());
                iterate(bare.db(), true);
                floor = seconds([&] { benchmark::DoNotOptimize(iterate(bare.db(), false)); });
                copied.push_back(
                    seconds([&] { benchmark::DoNotOptimize(iterate(bare.db(), true)); }));
            }
            kw::Database db = kw::Database::open_blocking(context.get_executor(), options);
            std::size_t seen = 0;
            run(context, catch_up(db, seen));
            pairs.emplace_back(floor, seconds([&] { run(context, catch_up(db, seen)); }));
            run(context, db.close());
        }
        std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
            return a.second / a.first < b.second / b.first;
        });
        report(state, pairs[2].first, pairs[2].second, commits);
        std::sort(copied.begin(), copied.end());
        state.counters["floor_copied_ns"] = copied[2] / commits * 1e9;
        state.counters["messages_per_s"] = static_cast<double>(total_messages) / pairs[2].second;
    }
}

BENCHMARK(catch_up_from_history)->Arg(100)->Arg(1)->Iterations(1)->Repetitions(1);

}  // namespace

BENCHMARK_MAIN();
