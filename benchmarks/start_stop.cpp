// SPDX-License-Identifier: BSL-1.0
/// Measures the time to create a watcher, run it, and stop it, on one thread, among 10,000 other
/// watchers of the same bucket.
/// Floor: a coroutine that is spawned, waits, is cancelled, and awaited.
#include "support.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <optional>

namespace {

using namespace bench;

constexpr int rounds = 5'000;

asio::awaitable<void> wait_for_ever()
{
    asio::steady_timer never(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
}

asio::awaitable<void> spawn_and_cancel()
{
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    for (int i = 0; i < rounds; ++i) {
        asio::cancellation_signal signal;
        bool done = false;
        asio::co_spawn(
            executor, wait_for_ever(),
            asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr) { done = true; }));
        co_await asio::post(executor, asio::use_awaitable);
        signal.emit(asio::cancellation_type::terminal);
        while (!done) {
            co_await asio::post(executor, asio::use_awaitable);
        }
    }
}

asio::awaitable<void> start_and_stop(kw::Database db)
{
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    for (int i = 0; i < rounds; ++i) {
        kw::Watcher watcher = db.watch("b", kw::key(numbered_key(static_cast<unsigned>(i))),
                                       [](const kw::Message&) {});
        bool done = false;
        asio::co_spawn(executor, watcher.run(),
                       [&](std::exception_ptr, kw::WatchEnd) { done = true; });
        co_await watcher.wait_ready(std::chrono::seconds(10));
        co_await watcher.stop();
        while (!done) {
            co_await asio::post(executor, asio::use_awaitable);
        }
    }
}

void start_stop(benchmark::State& state)
{
    const Directory directory("keywatch");
    asio::io_context context(1);
    kw::Database db = kw::Database::open_blocking(
        context.get_executor(), watched_options(directory.path(), kw::Durability::buffered));
    run_beside(context, create_bucket(db));
    std::vector<kw::Watcher> others;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        others.push_back(
            db.watch("b", kw::key("other" + std::to_string(i)), [](const kw::Message&) {}));
    }
    for (kw::Watcher& each : others) {
        asio::co_spawn(context, each.run(), kw::rethrow);
    }
    for (auto _ : state) {
        compare_pairs(
            state, 9, rounds, [&] { run_beside(context, spawn_and_cancel()); },
            [&] { run_beside(context, start_and_stop(db)); });
    }
    state.counters["per_second"] = 1e9 / state.counters["keywatch_ns"];
    run_beside(context, close(db));
}

BENCHMARK(start_stop)->Arg(0)->Arg(10'000)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
