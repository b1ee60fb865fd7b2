// SPDX-License-Identifier: BSL-1.0
/// Measures the memory of an idle running watcher, including the owner's co_spawn.
/// Floor: a parked co_spawn.
#include "support.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <malloc.h>

namespace {

using namespace bench;

constexpr int count = 10'000;

double allocated()
{
    return static_cast<double>(::mallinfo2().uordblks);
}

asio::awaitable<void> park(asio::steady_timer& timer)
{
    co_await timer.async_wait(asio::use_awaitable);
}

double parked_bytes()
{
    asio::io_context context(1);
    asio::steady_timer timer(context, std::chrono::hours(1));
    const double before = allocated();
    for (int i = 0; i < count; ++i) {
        asio::co_spawn(context, park(timer), [](std::exception_ptr) {});
    }
    context.poll();
    return (allocated() - before) / count;
}

double watcher_bytes(double& handle_bytes)
{
    asio::io_context context(1);
    kw::Options options("memory:");
    options.enable_watch = true;
    kw::Database db = kw::Database::open_blocking(context.get_executor(), options);
    context.poll();
    std::vector<kw::Watcher> watchers;
    watchers.reserve(count);
    const double before = allocated();
    for (int i = 0; i < count; ++i) {
        watchers.push_back(
            db.watch("bucket", kw::key("key" + std::to_string(i)), [](const kw::Message&) {}));
    }
    handle_bytes = (allocated() - before) / count;
    for (kw::Watcher& each : watchers) {
        asio::co_spawn(context, each.run(), [](std::exception_ptr, const kw::WatchEnd&) {});
    }
    while (context.poll() > 0) {
    }
    return (allocated() - before) / count;
}

void idle_watcher_bytes(benchmark::State& state)
{
    for (auto _ : state) {
        double handle = 0;
        const double floor = parked_bytes();
        const double ours = watcher_bytes(handle);
        state.counters["floor_bytes"] = floor;
        state.counters["handle_bytes"] = handle;
        state.counters["keywatch_bytes"] = ours;
        state.counters["ratio"] = ours / floor;
    }
}

BENCHMARK(idle_watcher_bytes)->Iterations(1)->Repetitions(1);

}  // namespace

BENCHMARK_MAIN();
