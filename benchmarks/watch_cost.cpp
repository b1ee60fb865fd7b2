// SPDX-License-Identifier: BSL-1.0
/// Measures the cost of `enable_watch` without a watch: the ratio of the time of a buffered commit
/// of one 100-byte put with it to the time without it.
/// Floor: the same ratio of bare LevelDB, with and without the history record in the batch.
#include "support.hpp"

#include <leveldb/write_batch.h>

#include <cstdlib>

namespace {

using namespace bench;

constexpr int commits = 20'000;
constexpr int rounds = 9;
/// Size in bytes of a history record of one such put.
constexpr std::size_t record_bytes = 160;

/// Bare LevelDB that receives the batches of such commits.
class Bare {
public:
    Bare(const std::string& name, bool history) : directory_(name), history_(history) {}

    void run(int count)
    {
        const std::string value = random_bytes(101);
        const std::string record = random_bytes(record_bytes);
        for (int i = 0; i < count; ++i) {
            leveldb::WriteBatch batch;
            batch.Put("d0001" + random_key(), value);
            if (history_) {
                batch.Put(history_key(++revision_), record);
            }
            if (!store_.db().Write({}, &batch).ok()) {
                std::abort();
            }
        }
    }

private:
    const Directory directory_;
    const bool history_;
    BareStore store_{directory_.path()};
    std::uint64_t revision_ = 0;
};

class Ours {
public:
    Ours(const std::string& name, bool watch) : directory_(name)
    {
        kw::Options options = watched_options(directory_.path(), kw::Durability::buffered);
        options.enable_watch = watch;
        db_ = kw::Database::open_blocking(context_.get_executor(), options);
        bench::run(context_, create_bucket(db_));
    }
    Ours(const Ours&) = delete;
    Ours& operator=(const Ours&) = delete;
    ~Ours() { bench::run(context_, close(db_)); }

    void run(int count) { bench::run(context_, put_commits(db_, count)); }

private:
    const Directory directory_;
    asio::io_context context_{1};
    kw::Database db_;
};

/// Times of the four in one round, in seconds.
struct Round {
    double bare_without, bare_with, without, with;

    double floor() const { return bare_with / bare_without; }
    double ours() const { return with / without; }
    double ratio() const { return ours() / floor(); }
};

void report(benchmark::State& state, const Round& round)
{
    const auto commit_ns = [](double seconds) { return seconds / commits * 1e9; };
    state.counters["floor_times"] = round.floor();
    state.counters["keywatch_times"] = round.ours();
    state.counters["ratio"] = round.ratio();
    state.counters["bare_without_ns"] = commit_ns(round.bare_without);
    state.counters["bare_with_ns"] = commit_ns(round.bare_with);
    state.counters["without_ns"] = commit_ns(round.without);
    state.counters["with_ns"] = commit_ns(round.with);
}

void enable_watch(benchmark::State& state)
{
    Bare bare_without("bare-without", false);
    Bare bare_with("bare-with", true);
    Ours without("without", false);
    Ours with("with", true);
    const auto in_turn = [&](int count) {
        Round round{};
        round.bare_without = seconds([&] { bare_without.run(count); });
        round.bare_with = seconds([&] { bare_with.run(count); });
        round.without = seconds([&] { without.run(count); });
        round.with = seconds([&] { with.run(count); });
        return round;
    };
    in_turn(200'000);  // all fill a few memory tables before the measurement begins
    for (auto _ : state) {
        std::vector<Round> measured;
        for (int i = 0; i < rounds; ++i) {
            measured.push_back(in_turn(commits));
        }
        std::sort(measured.begin(), measured.end(),
                  [](const Round& a, const Round& b) { return a.ratio() < b.ratio(); });
        report(state, measured[rounds / 2]);
    }
}

BENCHMARK(enable_watch)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
