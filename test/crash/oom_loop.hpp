// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/memory/failing_memory.hpp"

#include <keywatch/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <iostream>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include <unistd.h>

/// A program that runs out of memory, and checks the consequences.
namespace keywatch::test::oom {

namespace asio = boost::asio;

using Task = asio::awaitable<void>;

/// The exit status of a process that runs out of memory.
enum Status : int { survived = 0, not_reached = 3, ended_with_error = 4, broken = 5, dead = 6 };

/// The problems that a process has found. Each is written to the error output at once, as the
/// process may die at any time.
struct Findings {
    bool problems = false;
    /// True if a watch ended with an error.
    bool watch_failed = false;
    /// True if the pipeline did not fail.
    bool served = true;

    void add(const std::string& kind, const std::string& what)
    {
        const Spared spared;
        problems = true;
        std::cerr << kind + ": " + what + '\n';
    }
};

/// The name of what was waited for last. Read by a signal handler when that takes too long.
inline std::atomic<const char*> waiting_for{"nothing"};

/// Ends the process at once. Safe in a signal handler.
[[noreturn]] inline void die(const char* kind, const char* what) noexcept
{
    for (const char* const part : {kind, ": ", what, "\n"}) {
        if (::write(STDERR_FILENO, part, std::strlen(part)) < 0) {
            break;
        }
    }
    ::_exit(dead);
}

/// Returns a description of an error.
inline std::string text_of(const std::exception_ptr& error)
{
    if (!error) {
        return "no error";
    }
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& failure) {
        return failure.what();
    } catch (...) {
        return "something that is no exception";
    }
}

/// Returns true if an error is bad_alloc, or has one of these codes.
inline bool is_one_of(const std::exception_ptr& error, std::initializer_list<Error> reasons)
{
    try {
        std::rethrow_exception(error);
    } catch (const std::bad_alloc&) {
        return true;
    } catch (const boost::system::system_error& failure) {
        for (const Error each : reasons) {
            if (failure.code() == make_error_code(each)) {
                return true;
            }
        }
    } catch (...) {
        return false;
    }
    return false;
}

/// The state and the result of a coroutine.
struct Outcome {
    const char* name = "";
    bool done = false;
    /// True if its frame was destroyed before the coroutine had ended.
    bool destroyed = false;
    std::exception_ptr error;
    asio::cancellation_signal signal;

    bool over() const { return done || destroyed; }
};

using SharedOutcome = std::shared_ptr<Outcome>;

/// Takes a turn of the event loop; never fails.
inline Task turn()
{
    const Spared spared;
    auto initiate = [](auto handler) {
        const Spared spared_too;
        const auto executor = asio::get_associated_executor(handler);
        asio::post(executor, std::move(handler));
    };
    return asio::async_initiate<const asio::use_awaitable_t<>&, void()>(initiate,
                                                                        asio::use_awaitable);
}

/// An event loop on the thread of the test.
///
/// Only the allocations of what the loop runs are counted, not those of the test itself. The loop
/// also runs coroutines and callbacks of the test; these use `Spared` where they allocate.
class Loop {
public:
    explicit Loop(Findings& findings) : findings_(findings) {}

    /// True if Asio reuses the memory of a handler for the next one. Otherwise it allocates more.
    bool recycles = true;

    asio::io_context& context() { return context_; }
    asio::any_io_executor executor() { return context_.get_executor(); }

    /// Starts a coroutine. Its start and its end never fail. Must not be called by a coroutine.
    SharedOutcome begin(const char* name, Task task)
    {
        return begin(name, std::move(task), executor());
    }
    SharedOutcome begin(const char* name, Task task, const asio::any_io_executor& on)
    {
        const Spared spared;
        auto outcome = std::make_shared<Outcome>();
        outcome->name = name;
        auto ended = [this, outcome](std::exception_ptr) {
            --countdown.spared;  // see drive()
            outcome->done = true;
            context_.stop();
        };
        asio::co_spawn(on, drive(std::move(task), outcome, &context_),
                       asio::bind_cancellation_slot(outcome->signal.slot(), ended));
        return outcome;
    }

    /// Runs until a condition holds. It is checked when a coroutine has ended, and after each
    /// `stop()` of the context.
    template <class Condition>
    void run_until(const char* what, Condition condition)
    {
        waiting_for = what;
        while (!condition()) {
            try {
                const Counted counted;
                context_.restart();
                recycles ? context_.run() : context_.run_one();
            } catch (...) {
                findings_.add("escaped",
                              "the event loop's run() threw " + text_of(std::current_exception()));
            }
        }
    }

    /// Cancels a coroutine unless it has ended.
    void cancel(const SharedOutcome& outcome)
    {
        const auto emit = [&] { outcome->signal.emit(asio::cancellation_type::terminal); };
        while (!outcome->over() && !call("cancelling", {}, emit)) {
        }
    }

    /// Waits for the end of a coroutine.
    void finish(const SharedOutcome& outcome)
    {
        run_until(outcome->name, [&] { return outcome->over(); });
        if (outcome->destroyed) {
            findings_.add("destroyed", std::string(outcome->name) + " was destroyed unfinished");
        }
    }

    /// Waits for the end of a coroutine. If it has thrown, the exception must be bad_alloc or have
    /// one of these codes.
    void finish(const SharedOutcome& outcome, std::initializer_list<Error> reasons)
    {
        finish(outcome);
        check(outcome->name, outcome->error, reasons);
    }

    /// Calls a plain function and counts its allocations. Returns false if it has thrown; the
    /// exception must be bad_alloc or have one of these codes.
    template <class Function>
    bool call(const char* name, std::initializer_list<Error> reasons, Function function)
    {
        waiting_for = name;
        std::exception_ptr error;
        try {
            const Counted counted;
            function();
        } catch (...) {
            error = std::current_exception();
        }
        check(name, error, reasons);
        return !error;
    }

    void check(const char* name, const std::exception_ptr& error,
               std::initializer_list<Error> reasons)
    {
        const Spared spared;
        if (error && !is_one_of(error, reasons)) {
            findings_.add("wrong error", std::string(name) + ": " + text_of(error));
        }
    }

private:
    /// Detects that a frame is destroyed before its coroutine has ended.
    struct Frame {
        Outcome& outcome;
        asio::io_context& context;
        bool ended = false;

        Frame(Outcome& outcome_, asio::io_context& context_) : outcome(outcome_), context(context_)
        {
        }
        Frame(const Frame&) = delete;
        Frame& operator=(const Frame&) = delete;
        ~Frame()
        {
            if (!ended) {
                outcome.destroyed = true;
                context.stop();
            }
        }
    };

    static Task drive(Task task, SharedOutcome outcome, asio::io_context* context)
    {
        Frame frame(*outcome, *context);
        co_await turn();  // otherwise co_spawn allocates at its end
        try {
            co_await std::move(task);
        } catch (...) {
            outcome->error = std::current_exception();
        }
        frame.ended = true;
        ++countdown.spared;  // until the handler of co_spawn is called, which happens immediately
    }

    Findings& findings_;
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
};

}  // namespace keywatch::test::oom
