// SPDX-License-Identifier: BSL-1.0
#include "crew.hpp"

#include "support/storage/temporary_directory.hpp"

#include <atomic>
#include <memory>
#include <optional>

namespace keywatch::test {
namespace {

Options in_memory()
{
    Options options{"memory:"};
    options.enable_watch = true;
    options.write_buffer_bytes = 65536;
    return options;
}

asio::awaitable<void> create_bucket(Database database)
{
    co_await database.update([](Transaction& tx) { tx.create_bucket(Structure::btree, "data"); });
}

asio::awaitable<void> put_some(Database database, int count)
{
    for (int i = 0; i < count; ++i) {
        const auto put = [&](Transaction& tx) { tx.btree("data").put("key", std::to_string(i)); };
        co_await database.update(put);
    }
}

/// Puts until the database closes, or until this coroutine is destroyed.
asio::awaitable<void> put_for_ever(Database database)
{
    try {
        co_await put_some(database, 1'000'000'000);
    } catch (const boost::system::system_error& error) {
        if (!is(error, Error::closed)) {
            throw;
        }
    }
}

/// Runs a watch without keeping a handle to the database, which would prevent it from closing.
asio::awaitable<WatchEnd> watch(Database database)
{
    Watcher watcher = database.watch("data", all(), [](const Message&) {});
    database = Database();
    co_return co_await watcher.run();
}

/// Checks that the watch was ended by the closing, or was refused because it had not begun by then.
void expect_closed(std::future<WatchEnd> watching)
{
    try {
        const WatchEnd end = result(std::move(watching), "a watcher");
        BOOST_TEST(end.reason == EndReason::database_closed);
    } catch (const boost::system::system_error& error) {
        BOOST_TEST(is(error, Error::closed));
    }
}

enum class Goodbye { close, drop, destroy };

/// The life of a whole program, on an event loop of its own.
void one_life(Goodbye goodbye, bool blocking)
{
    asio::io_context context(1);
    const auto live = [&](Database database) -> asio::awaitable<void> {
        if (!blocking) {
            database = co_await Database::open(in_memory());
        }
        co_await create_bucket(database);
        asio::co_spawn(co_await asio::this_coro::executor, watch(database), rethrow);
        asio::co_spawn(co_await asio::this_coro::executor, watch(database), rethrow);
        co_await put_some(database, 20);
        if (goodbye == Goodbye::destroy) {
            asio::co_spawn(co_await asio::this_coro::executor, put_for_ever(database), rethrow);
            co_await put_some(database, 5);
            context.stop();
        } else if (goodbye == Goodbye::close) {
            co_await database.close();
        }
    };
    asio::co_spawn(
        context,
        live(blocking ? Database::open_blocking(context.get_executor(), in_memory()) : Database()),
        rethrow);
    context.run();
}

}  // namespace

// Opening, closing and destroying databases on several threads.
BOOST_AUTO_TEST_SUITE(test_open_close)

BOOST_AUTO_TEST_CASE(programs_start_and_end_on_several_threads)
{
    Problems problems;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 3; ++thread) {
        threads.emplace_back([&] {
            try {
                for (int i = 0; i < 30; ++i) {
                    one_life(static_cast<Goodbye>(i % 3), i % 2 == 0);
                }
            } catch (const std::exception& error) {
                problems.add(error.what());
            }
        });
    }
    for (std::thread& each : threads) {
        each.join();
    }
    problems.report();
}

BOOST_AUTO_TEST_CASE(a_database_is_used_from_another_context_than_its_own)
{
    for (int i = 0; i < 20; ++i) {
        Crew own(2);
        Crew other(2);
        Database database = Database::open_blocking(own.executor(), in_memory());
        result(other.start(create_bucket(database)), "create");
        std::vector<std::future<WatchEnd>> watching;
        std::vector<std::future<void>> working;
        for (int each = 0; each < 3; ++each) {
            watching.push_back((each % 2 == 0 ? own : other).start(watch(database)));
            working.push_back(other.start(put_some(database, 20)));
            working.push_back(own.start(put_some(database, 20)));
        }
        for (auto& each : working) {
            result(std::move(each), "a committer");
        }
        result(other.start(database.close()), "close");
        for (auto& each : watching) {
            BOOST_TEST(result(std::move(each), "a watcher").reason == EndReason::database_closed);
        }
        (i % 2 == 0 ? own : other).finish();
    }
}

/// A caller on an event loop of its own that ends in the middle of its work.
void live_and_leave(Database database, int turns)
{
    asio::io_context context(1);
    const auto pull = [](PullWatcher watcher) -> asio::awaitable<void> {
        for (bool more = true; more;) {
            more = co_await watcher.wait();
            while (watcher.try_next()) {
            }
        }
    };
    const auto reach = [](Watcher watcher) -> asio::awaitable<void> {
        co_await watcher.reached(1'000'000'000);
    };
    Watcher watcher = database.watch(
        "data", all(), [](const Message&) -> asio::awaitable<void> { co_await turn(); });
    asio::co_spawn(context, watcher.run(), [](std::exception_ptr, WatchEnd) {});
    asio::co_spawn(context, watch(database), [](std::exception_ptr, WatchEnd) {});
    asio::co_spawn(context, reach(watcher), [](std::exception_ptr) {});
    asio::co_spawn(context, pull(database.watch("data", all())), [](std::exception_ptr) {});
    for (int i = 0; i < 3; ++i) {
        asio::co_spawn(context, put_for_ever(database), [](std::exception_ptr) {});
    }
    for (int i = 0; i < turns; ++i) {
        context.run_one();
    }
}

BOOST_AUTO_TEST_CASE(contexts_of_callers_are_created_and_destroyed_while_the_database_is_open)
{
    Crew own(2);
    Database database = Database::open_blocking(own.executor(), in_memory());
    result(own.start(create_bucket(database)), "create");
    auto working = own.start(put_for_ever(database));
    auto watching = own.start(watch(database));
    Problems problems;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 3; ++thread) {
        threads.emplace_back([&, thread] {
            try {
                for (int i = 0; i < 40; ++i) {
                    live_and_leave(database, 10 + thread + 7 * i);
                }
            } catch (const std::exception& error) {
                problems.add(error.what());
            }
        });
    }
    for (std::thread& each : threads) {
        each.join();
    }
    problems.report();
    result(own.start(database.close()), "close");
    result(std::move(working), "a committer");
    expect_closed(std::move(watching));
    BOOST_TEST(database.stats().watchers.running == 0U);
}

// The handle is destroyed on one thread while calls are running on other threads. These calls
// finish.
BOOST_AUTO_TEST_CASE(the_last_handle_is_destroyed_while_calls_are_running)
{
    for (int i = 0; i < 20; ++i) {
        Crew own(2);
        Crew other(2);
        std::optional<Database> database = Database::open_blocking(own.executor(), in_memory());
        result(other.start(create_bucket(*database)), "create");
        std::vector<std::future<void>> working;
        for (int each = 0; each < 4; ++each) {
            working.push_back(other.start(put_some(*database, 20)));
        }
        auto watching = other.start(watch(*database));
        database.reset();
        for (auto& each : working) {
            result(std::move(each), "a committer");
        }
        expect_closed(std::move(watching));
    }
}

BOOST_AUTO_TEST_CASE(closing_from_many_sides_at_once_closes_once)
{
    for (int i = 0; i < 20; ++i) {
        Crew crew(4);
        Database database = Database::open_blocking(crew.executor(), in_memory());
        result(crew.start(create_bucket(database)), "create");
        auto working = crew.start(put_for_ever(database));
        auto watching = crew.start(watch(database));
        std::vector<std::future<void>> closing;
        for (int each = 0; each < 4; ++each) {
            closing.push_back(crew.start(database.close()));
        }
        for (auto& each : closing) {
            result(std::move(each), "close");
        }
        result(std::move(working), "a committer");
        expect_closed(std::move(watching));
        database = Database();
    }
}

BOOST_AUTO_TEST_CASE(a_directory_is_opened_only_once_by_concurrent_callers)
{
    const TemporaryDirectory directory;
    Options options{directory / "db"};
    options.enable_watch = true;
    Problems problems;
    std::atomic<int> inside{0};
    std::atomic<int> opened{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 3; ++thread) {
        threads.emplace_back([&] {
            const auto use = [&](Database database) -> asio::awaitable<void> {
                problems.expect(++inside == 1, "open twice");
                co_await database.view([](const Snapshot&) {});
                --inside;
                co_await database.close();
            };
            for (int i = 0; i < 40; ++i) {
                try {
                    asio::io_context context(1);
                    Database database = Database::open_blocking(context.get_executor(), options);
                    ++opened;
                    asio::co_spawn(context, use(std::move(database)), rethrow);
                    context.run();
                } catch (const boost::system::system_error& error) {
                    problems.expect(is(error, Error::locked), error.what());
                }
            }
        });
    }
    for (std::thread& each : threads) {
        each.join();
    }
    problems.report();
    BOOST_TEST(opened > 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keywatch::test
