// SPDX-License-Identifier: BSL-1.0
/// Measures opening a database with 10 million keys, with the blocks of its files in the operating
/// system's cache.
/// Floor: bare LevelDB. Each side opens a fresh copy of the same directory.
///
/// `loaded`: the database was closed after the last bulk transaction. Its log must be replayed, and
/// its newest history consists of long records. `settled`: small commits followed, and the database
/// was opened and closed once more. There is almost nothing to replay.
#include "support.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace {

using namespace bench;

constexpr int keys = 10'000'000;
constexpr int keys_per_transaction = 10'000;
constexpr int small_commits = 30'000;
constexpr int pairs = 9;

kw::Options options_for(const std::string& path)
{
    return watched_options(path, kw::Durability::buffered);
}

/// Loads the keys in ascending order. In another order LevelDB would sort for minutes.
asio::awaitable<void> load(kw::Database db)
{
    const std::string value = random_bytes(8);
    for (int next = 0; next < keys;) {
        co_await db.update([&](kw::Transaction& tx) {
            kw::BTree tree = tx.btree("b");
            for (const int end = next + keys_per_transaction; next < end; ++next) {
                tree.put(numbered_key(next), value);
            }
        });
    }
}

/// Makes small commits and waits until the long records of the load are trimmed. Trimming runs in
/// the background and leaves at most one thirty-second more than the limit.
asio::awaitable<void> put_and_trim(kw::Database db)
{
    co_await put_commits(db, small_commits);
    asio::steady_timer timer(co_await asio::this_coro::executor);
    const std::uint64_t limit = options_for("").history.commits;
    while (db.stats().history.commits > limit + limit / 32) {
        timer.expires_after(std::chrono::milliseconds(5));
        co_await timer.async_wait(asio::use_awaitable);
    }
}

/// Opens the database, calls `work` with it, and closes it.
template <class Work>
void use(const std::string& path, Work work)
{
    asio::io_context context(1);
    kw::Database db = kw::Database::open_blocking(context.get_executor(), options_for(path));
    work(context, db);
    run(context, close(db));
}

/// Copies a directory with hard links. That is safe because LevelDB never writes to a closed file
/// again.
void link_files(const std::string& from, const std::string& to)
{
    using Options = std::filesystem::copy_options;
    std::filesystem::copy(from, to, Options::recursive | Options::create_hard_links);
}

double open_bare(const std::string& original)
{
    const Directory copy("copy");
    link_files(original, copy.path());
    std::optional<BareStore> store;
    return seconds([&] { store.emplace(copy.path()); });
}

double open_ours(const std::string& original)
{
    const Directory copy("copy");
    link_files(original, copy.path());
    asio::io_context context(1);
    kw::Database db;
    const double took = seconds([&] {
        db = kw::Database::open_blocking(context.get_executor(), options_for(copy.path()));
    });
    run(context, close(db));
    return took;
}

void compare(benchmark::State& state, const std::string& path)
{
    for (auto _ : state) {
        std::vector<std::pair<double, double>> measured;
        for (int pair = 0; pair < pairs; ++pair) {
            const double floor = open_bare(path);
            measured.emplace_back(floor, open_ours(path));
        }
        report_median(state, std::move(measured), 1);
    }
}

/// Returns the directory of the loaded database, which is created once for all runs.
const Directory& loaded()
{
    static const Directory directory("loaded");
    static const bool made = [&] {
        use(directory.path(), [](asio::io_context& context, kw::Database& db) {
            run(context, create_bucket(db));
            run(context, load(db));
        });
        return true;
    }();
    benchmark::DoNotOptimize(made);
    return directory;
}

const Directory& settled()
{
    static const Directory directory("settled");
    static const bool made = [&] {
        link_files(loaded().path(), directory.path());
        use(directory.path(),
            [](asio::io_context& context, kw::Database& db) { run(context, put_and_trim(db)); });
        use(directory.path(), [](asio::io_context&, kw::Database&) {});
        return true;
    }();
    benchmark::DoNotOptimize(made);
    return directory;
}

void open_loaded(benchmark::State& state)
{
    compare(state, loaded().path());
}

void open_settled(benchmark::State& state)
{
    compare(state, settled().path());
}

BENCHMARK(open_loaded)->Iterations(1)->Repetitions(3);
BENCHMARK(open_settled)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
