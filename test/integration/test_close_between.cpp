// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <thread>

namespace {

/// Number of allocations until `at_moment` is called, on this thread; 0: never.
thread_local int moment = 0;
thread_local const std::function<void()>* at_moment = nullptr;
/// True if the program uses the functions below: a sanitizer may bring its own.
std::atomic<bool> replaced{false};

void* allocate(std::size_t size) noexcept
{
    replaced.store(true, std::memory_order_relaxed);
    if (moment > 0 && --moment == 0) {
        (*at_moment)();
    }
    return std::malloc(size != 0 ? size : 1);
}

}  // namespace

// All unaligned forms are replaced, as memory of one form is released by another. Weak, for
// sanitizers.
[[gnu::weak]] void* operator new(std::size_t size)
{
    if (void* const memory = allocate(size)) {
        return memory;
    }
    throw std::bad_alloc();
}
[[gnu::weak]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
    return allocate(size);
}
[[gnu::weak]] void operator delete(void* memory, const std::nothrow_t&) noexcept
{
    std::free(memory);
}
[[gnu::weak]] void operator delete(void* memory) noexcept
{
    std::free(memory);
}
[[gnu::weak]] void operator delete(void* memory, std::size_t) noexcept
{
    std::free(memory);
}

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

/// The event loop of the database, on its own thread.
class Loop {
public:
    Loop() : guard_(asio::make_work_guard(context)), thread_([this] { context.run(); }) {}
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    ~Loop()
    {
        guard_.reset();
        thread_.join();
    }

    asio::io_context context;

private:
    asio::executor_work_guard<asio::io_context::executor_type> guard_;
    std::thread thread_;
};

using Call = std::function<Task(Database)>;

/// Closes the database at the n-th allocation of the call. Returns true if that allocation was
/// reached.
bool close_in_the_middle(const Call& call, int n)
{
    Loop loop;
    Database db = Database::open_blocking(loop.context.get_executor(), watched_options());
    std::promise<void> closed;
    const std::future<void> is_closed = closed.get_future();
    bool closing = false;
    const auto close = [&] {
        closing = true;
        asio::co_spawn(loop.context, db.close(), [&](std::exception_ptr) { closed.set_value(); });
    };
    const std::function<void()> close_and_wait = [&] {
        close();
        // The wait is limited, as the call may hold a lock that closing needs.
        is_closed.wait_for(200ms);
    };
    asio::io_context mine;
    std::exception_ptr error;
    asio::co_spawn(mine, call(db), [&](std::exception_ptr failure) {
        moment = 0;
        error = std::move(failure);
    });
    at_moment = &close_and_wait;
    moment = n;
    mine.run_for(50ms);
    moment = 0;
    const bool in_the_middle = closing;
    if (!closing) {
        close();
    }
    mine.restart();
    mine.run_for(patience);
    BOOST_TEST_REQUIRE(mine.stopped(), "it waits for ever, after allocation " << n);
    BOOST_TEST_REQUIRE(error != nullptr);
    BOOST_CHECK_EXCEPTION(std::rethrow_exception(error), boost::system::system_error,
                          [](const auto& e) { return e.code() == Error::closed; });
    is_closed.wait();
    return in_the_middle;
}

void close_at_every_moment(const Call& call)
{
    int n = 1;
    while (close_in_the_middle(call, n)) {
        ++n;
    }
    BOOST_TEST((n > 2 || !replaced));
}

const auto nothing = [](const Message&) {};

}  // namespace

// Runs a whole close() in the middle of another call, at each moment at which that call allocates.
// The call must end nevertheless.
BOOST_AUTO_TEST_SUITE(test_close_between)

BOOST_AUTO_TEST_CASE(a_wait_for_a_revision_of_a_watch_that_is_never_run_ends)
{
    close_at_every_moment([](Database db) -> Task {
        const Watcher watcher = db.watch("b", all(), nothing);
        co_await watcher.reached(100);
    });
}

BOOST_AUTO_TEST_CASE(a_wait_for_a_watch_to_be_ready_ends)
{
    close_at_every_moment([](Database db) -> Task {
        const Watcher watcher = db.watch("b", all(), nothing);
        co_await watcher.wait_ready(2 * patience);
    });
}

BOOST_AUTO_TEST_SUITE_END()
