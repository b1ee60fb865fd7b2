// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/keywatch.hpp>

#include <benchmark/benchmark.h>
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

/// Helpers that the benchmarks share: both sides of a comparison, set up in the same way, and their
/// ratio.
namespace bench {

namespace asio = boost::asio;
namespace kw = keywatch;
using Clock = std::chrono::steady_clock;

/// A temporary directory in KEYWATCH_BENCH_DIR, or in the current one. The destructor removes it.
class Directory {
public:
    explicit Directory(const std::string& name);
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory();
    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

/// LevelDB as keywatch opens it, on its own Env.
class BareStore {
public:
    explicit BareStore(const std::string& path);
    leveldb::DB& db() { return *db_; }

private:
    std::unique_ptr<leveldb::Cache> cache_;
    std::unique_ptr<const leveldb::FilterPolicy> filter_;
    std::unique_ptr<leveldb::DB> db_;
};

/// Returns options with history enabled and a limit so low that trimming always runs.
kw::Options watched_options(const std::string& path, kw::Durability durability);

/// Returns `key` + 8 digits.
std::string numbered_key(unsigned number);
/// Returns a random one of 100,000 numbered keys.
std::string random_key();
/// Returns bytes that do not compress.
std::string random_bytes(std::size_t size);
/// Returns a key of the same size as that of a history record.
std::string history_key(std::uint64_t revision);

/// Runs a coroutine on the event loop, until the loop has no work left.
void run(asio::io_context& context, asio::awaitable<void> work);
/// Runs a coroutine to its end, while other work stays on the loop (running watchers).
void run_beside(asio::io_context& context, asio::awaitable<void> work);

/// Creates the bucket `b`, to which the benchmarks write.
asio::awaitable<void> create_bucket(kw::Database db);
/// Makes commits of one put of 100 bytes each, one after the other.
asio::awaitable<void> put_commits(kw::Database db, int count);
asio::awaitable<void> close(kw::Database db);

/// Compares floor and keywatch: runs them in turn, `pairs` times, and reports the pair with the
/// median ratio.
template <class Floor, class Ours>
void compare_pairs(benchmark::State& state, int pairs, double units, Floor floor, Ours ours);

/// Returns the seconds that the function takes.
template <class Function>
double seconds(Function function)
{
    const auto began = Clock::now();
    function();
    return std::chrono::duration<double>(Clock::now() - began).count();
}

/// Reports the times of the floor and of keywatch for a unit, in nanoseconds.
inline void report(benchmark::State& state, double floor_seconds, double our_seconds, double units)
{
    state.counters["floor_ns"] = floor_seconds / units * 1e9;
    state.counters["keywatch_ns"] = our_seconds / units * 1e9;
    state.counters["ratio"] = our_seconds / floor_seconds;
}

/// Reports the pair with the median ratio. Each pair has first the floor, then keywatch.
inline void report_median(benchmark::State& state, std::vector<std::pair<double, double>> measured,
                          double units)
{
    std::sort(measured.begin(), measured.end(),
              [](const auto& a, const auto& b) { return a.second / a.first < b.second / b.first; });
    const auto [floor_seconds, our_seconds] = measured[measured.size() / 2];
    report(state, floor_seconds, our_seconds, units);
}

template <class Floor, class Ours>
void compare_pairs(benchmark::State& state, int pairs, double units, Floor floor, Ours ours)
{
    std::vector<std::pair<double, double>> measured;
    for (int pair = 0; pair < pairs; ++pair) {
        const double floor_seconds = seconds(floor);
        measured.emplace_back(floor_seconds, seconds(ours));
    }
    report_median(state, std::move(measured), units);
}

}  // namespace bench
