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
#include <string>

namespace keywatch::test {

namespace asio = boost::asio;

using Task = asio::awaitable<void>;

/// Waiting longer than this for anything is a failure. Generous, for sanitizers on slow machines.
inline constexpr std::chrono::seconds patience{20};

/// An event loop on the thread of the test.
class EventLoop {
public:
    EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    ~EventLoop();

    asio::any_io_executor executor() const;

    /// Runs a coroutine to its end and then the loop until nothing is left to do; throws what the
    /// coroutine threw, and std::runtime_error if either takes too long. The function is kept
    /// until then, so its captures may be used after a suspension.
    void run(const std::function<Task()>& main, std::chrono::seconds deadline = 3 * patience);

    /// Runs what there is to do, until a condition holds. For tests that stop halfway.
    void run_until(const std::function<bool()>& condition);

    /// Destroys the event loop, and with it all that is suspended.
    void destroy();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// A coroutine that runs beside the one that started it. Copies are handles to the same one.
class Job {
public:
    Job(const asio::any_io_executor& executor, Task task);

    bool done() const;
    /// Waits for its end; throws what it threw.
    Task join() const;
    /// Emits the signal that it was spawned with.
    void cancel(asio::cancellation_type type = asio::cancellation_type::terminal) const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

/// Starts a coroutine beside the awaiting one, on the same executor.
asio::awaitable<Job> spawn(Task task);

/// Waits for a condition by taking turns of the event loop; throws std::runtime_error when it does
/// not come true.
Task until(std::function<bool()> condition, std::chrono::milliseconds deadline = patience);

/// A turn of the event loop.
Task yield();

/// Suspended until it is cancelled (all types); throws operation_aborted then.
Task for_ever();

/// A timer. Only to have something take longer than a limit that is being tested.
Task take(std::chrono::milliseconds time);

/// What a task fails with; no error if it does not. Other exceptions than system_error come out.
asio::awaitable<boost::system::error_code> failure_of(Task task);
boost::system::error_code failure_of(const std::function<void()>& function);

inline boost::system::error_code code(Error error)
{
    return make_error_code(error);
}

/// `first || second` of Asio: the one that ends first cancels the other. Gives which it was.
asio::awaitable<std::size_t> race(Task first, Task second);

/// Holds coroutines up until it is opened. On one executor only.
class Gate {
public:
    /// Waits until it is open. Cancellable.
    Task pass() const;
    void open() const;
    /// How many have come to it so far.
    int reached() const;

private:
    struct State {
        bool open = false;
        int reached = 0;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace keywatch::test
