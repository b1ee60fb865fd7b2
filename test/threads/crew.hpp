// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/called_at.hpp"
#include "support/printing.hpp"

#include <keywatch/keywatch.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <future>
#include <iostream>
#include <mutex>
#include <random>
#include <source_location>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace keywatch::test {

/// Longer than any operation takes, even with the thread sanitizer on a busy machine.
inline constexpr std::chrono::seconds crew_patience{120};

/// Problems found by any thread. Boost.Test's own checks may be used by one thread only.
class Problems {
public:
    void add(std::string what)
    {
        const std::lock_guard lock(mutex_);
        if (found_.size() < 10) {
            found_.push_back(std::move(what));
        }
    }
    void expect(bool holds, const char* what)
    {
        if (!holds) {
            add(what);
        }
    }
    void report(std::source_location where = std::source_location::current()) const
    {
        const std::lock_guard lock(mutex_);
        for (const std::string& each : found_) {
            BOOST_ERROR(each << ", " << called_at(where));
        }
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> found_;
};

/// An event loop that runs on several threads.
class Crew {
public:
    explicit Crew(std::size_t threads)
    {
        for (std::size_t i = 0; i < threads; ++i) {
            threads_.emplace_back([this] { context_.run(); });
        }
    }
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;
    /// Waits until the loop has no more work.
    ~Crew() { finish(); }

    asio::io_context& context() { return context_; }
    asio::any_io_executor executor() { return context_.get_executor(); }

    template <class T>
    std::future<T> start(asio::awaitable<T> task)
    {
        return asio::co_spawn(context_, std::move(task), asio::use_future);
    }

    void finish()
    {
        guard_.reset();
        for (std::thread& each : std::exchange(threads_, {})) {
            each.join();
        }
    }

private:
    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> guard_{context_.get_executor()};
    std::vector<std::thread> threads_;
};

/// Returns the result of a coroutine. Aborts if it does not end in time: a program that hangs would
/// report nothing.
template <class T>
T result(std::future<T> future, const char* what)
{
    if (future.wait_for(crew_patience) != std::future_status::ready) {
        std::cerr << "does not end: " << what << std::endl;
        std::abort();
    }
    return future.get();
}

inline asio::awaitable<void> turn()
{
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

/// Returns KEYWATCH_SEED, or a random seed. Prints it, so that it can be used again.
inline std::uint64_t new_seed()
{
    const char* const given = std::getenv("KEYWATCH_SEED");
    const std::uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::cerr << "KEYWATCH_SEED=" << seed << '\n';
    return seed;
}

inline bool is(const boost::system::system_error& error, Error code)
{
    return error.code() == make_error_code(code);
}

}  // namespace keywatch::test
