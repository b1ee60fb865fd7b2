// SPDX-License-Identifier: BSL-1.0
#include "event_loop.hpp"

#include "support/called_at.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <utility>
#include <variant>

namespace keywatch::test {

namespace {

using Clock = std::chrono::steady_clock;

/// Number of consecutive turns in which conditions are tested before a timer is used.
constexpr int quick_looks = 20;
constexpr std::chrono::milliseconds slow_look{1};

/// Returns by what factor a test is slower with sanitizers.
int slowness()
{
    const char* const given = std::getenv("KEYWATCH_TEST_SLOWNESS");
    return given != nullptr ? std::max(std::atoi(given), 1) : 1;
}

[[noreturn]] void fail(const char* what, const std::source_location& where)
{
    throw std::runtime_error(what + (", " + called_at(where)));
}

}  // namespace

class EventLoop::Impl {
public:
    asio::io_context context{1};
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

asio::any_io_executor EventLoop::executor() const
{
    return impl_->context.get_executor();
}

void EventLoop::run(const std::function<Task()>& main, std::chrono::seconds deadline,
                    std::source_location where)
{
    const Clock::time_point end = Clock::now() + deadline * slowness();
    bool done = false;
    std::exception_ptr failure;
    asio::co_spawn(impl_->context, main(), [&](std::exception_ptr error) {
        failure = std::move(error);
        done = true;
    });
    impl_->context.restart();
    impl_->context.run_until(end);
    if (failure) {
        std::rethrow_exception(failure);
    }
    if (!done) {
        fail("the test's coroutine does not end", where);
    }
    if (!impl_->context.stopped()) {
        fail("work is left when the test's coroutine has ended", where);
    }
}

void EventLoop::run_until(const std::function<bool()>& condition, std::source_location where)
{
    const Clock::time_point end = Clock::now() + patience;
    while (!condition()) {
        impl_->context.restart();
        impl_->context.run_one_for(slow_look);
        if (Clock::now() > end) {
            fail("the event loop does not get there", where);
        }
    }
}

void EventLoop::destroy()
{
    impl_.reset();
}

struct Job::State {
    asio::cancellation_signal signal;
    bool done = false;
    std::exception_ptr error;
};

Job::Job(const asio::any_io_executor& executor, Task task) : state_(std::make_shared<State>())
{
    auto ended = [state = state_](std::exception_ptr error) {
        state->error = std::move(error);
        state->done = true;
    };
    asio::co_spawn(executor, std::move(task),
                   asio::bind_cancellation_slot(state_->signal.slot(), std::move(ended)));
}

bool Job::done() const
{
    return state_->done;
}

Task Job::join(std::source_location where) const
{
    const std::shared_ptr<State> state = state_;
    co_await until([&] { return state->done; }, patience, where);
    if (state->error) {
        std::rethrow_exception(state->error);
    }
}

void Job::cancel(asio::cancellation_type type) const
{
    state_->signal.emit(type);
}

asio::awaitable<Job> spawn(Task task)
{
    co_return Job(co_await asio::this_coro::executor, std::move(task));
}

Task until(std::function<bool()> condition, std::chrono::milliseconds deadline,
           std::source_location where)
{
    const Clock::time_point end = Clock::now() + deadline;
    for (int looks = 0; !condition(); ++looks) {
        if (Clock::now() > end) {
            fail("a condition does not come true", where);
        }
        if (looks < quick_looks) {
            co_await yield();
        } else {
            co_await take(slow_look);
        }
    }
}

Task until_in_turns(std::function<bool()> condition, std::source_location where)
{
    const Clock::time_point end = Clock::now() + patience;
    while (!condition()) {
        if (Clock::now() > end) {
            fail("a condition does not come true in turns", where);
        }
        co_await yield();
    }
}

Task yield()
{
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

Task take(std::chrono::milliseconds time)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

Task for_ever()
{
    asio::steady_timer timer(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<boost::system::error_code> failure_of(Task task)
{
    try {
        co_await std::move(task);
    } catch (const boost::system::system_error& error) {
        co_return error.code();
    }
    co_return boost::system::error_code();
}

boost::system::error_code failure_of(const std::function<void()>& function)
{
    try {
        function();
    } catch (const boost::system::system_error& error) {
        return error.code();
    }
    return {};
}

asio::awaitable<std::size_t> race(Task first, Task second)
{
    using namespace asio::experimental::awaitable_operators;
    const auto winner = co_await (std::move(first) || std::move(second));
    co_return winner.index();
}

Task Gate::pass() const
{
    const std::shared_ptr<State> state = state_;
    ++state->reached;
    while (!state->open) {
        co_await take(slow_look);
    }
}

void Gate::open() const
{
    state_->open = true;
}

int Gate::reached() const
{
    return state_->reached;
}

}  // namespace keywatch::test
