// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>

namespace keywatch::test {

namespace asio = boost::asio;

using Task = asio::awaitable<void>;

/// The longest time to wait for anything. Generous, for sanitizers on slow machines.
inline constexpr std::chrono::seconds patience{20};

/// An event loop on the thread of the test.
class EventLoop {
public:
    EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    ~EventLoop();

    asio::any_io_executor executor() const;

    /// Runs a coroutine to its end, and then the loop until there is no work left. Rethrows the
    /// exception of the coroutine; throws std::runtime_error if either takes too long. The function
    /// is kept alive until then, so its captures may be used after a suspension.
    void run(const std::function<Task()>& main, std::chrono::seconds deadline = 3 * patience,
             std::source_location where = std::source_location::current());

    /// Runs the loop until a condition holds. For tests that stop halfway.
    void run_until(const std::function<bool()>& condition,
                   std::source_location where = std::source_location::current());

    /// Destroys the event loop, and with it everything that is suspended.
    void destroy();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// A coroutine that runs concurrently with the one that started it. Copies are handles to the same
/// one.
class Job {
public:
    Job(const asio::any_io_executor& executor, Task task);

    bool done() const;
    /// Waits for the end of the coroutine; rethrows its exception.
    Task join(std::source_location where = std::source_location::current()) const;
    /// Emits the coroutine's cancellation signal.
    void cancel(asio::cancellation_type type = asio::cancellation_type::terminal) const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

/// Starts a coroutine concurrently with the awaiting one, on the same executor.
asio::awaitable<Job> spawn(Task task);

/// Waits for a condition by taking turns of the event loop. Throws std::runtime_error if it does
/// not become true in time.
Task until(std::function<bool()> condition, std::chrono::milliseconds deadline = patience,
           std::source_location where = std::source_location::current());

/// Same as `until`, but never waits for a timer. Between two looks, each other coroutine of this
/// thread takes one step at most. For conditions that hold for a few steps only.
Task until_in_turns(std::function<bool()> condition,
                    std::source_location where = std::source_location::current());

/// Takes one turn of the event loop.
Task yield();

/// Suspends until it is cancelled (all types); then throws operation_aborted.
Task for_ever();

/// Waits for this time. Only for making something take longer than a limit under test.
Task take(std::chrono::milliseconds time);

/// Returns the error with which a task fails; no error if it succeeds. Exceptions other than
/// system_error are rethrown.
asio::awaitable<boost::system::error_code> failure_of(Task task);
boost::system::error_code failure_of(const std::function<void()>& function);

inline boost::system::error_code code(Error error)
{
    return make_error_code(error);
}

/// Same as `first || second` of Asio: the task that ends first cancels the other. Returns which one
/// it was.
asio::awaitable<std::size_t> race(Task first, Task second);

/// Holds coroutines until it is opened. On one executor only.
class Gate {
public:
    /// Waits until the gate is open. Cancellable.
    Task pass() const;
    void open() const;
    /// Returns how many coroutines have reached the gate so far.
    int reached() const;

private:
    struct State {
        bool open = false;
        int reached = 0;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace keywatch::test
