// SPDX-License-Identifier: BSL-1.0
/// Sessions with a time limit: each request renews its session, and a watcher reports a session
/// that has not been used for a while, with its contents.
#include <keywatch/keywatch.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <iostream>

namespace asio = boost::asio;
namespace kw = keywatch;
using namespace std::chrono_literals;

namespace {

constexpr auto session_time = 200ms;

/// Bob continues to make requests after Alice has left. Then he leaves, too.
asio::awaitable<void> requests(kw::Database db)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    co_await db.put("sessions", "alice", "3 books", session_time);
    co_await db.put("sessions", "bob", "1 pen", session_time);
    for (int request = 0; request < 6; ++request) {
        timer.expires_after(session_time / 2);
        co_await timer.async_wait(asio::use_awaitable);
        co_await db.update(
            [](kw::Transaction& tx) { tx.btree("sessions").set_ttl("bob", session_time); });
    }
}

/// Stops when both have left.
asio::awaitable<void> watch(kw::Database db)
{
    int gone = 0;
    kw::Watcher watcher = db.watch("sessions", kw::all(), [&](const kw::Message& message) {
        if (message.cause != kw::Cause::expired) {
            return kw::Flow::go_on;
        }
        std::cout << message.key << " has left " << message.previous.value_or("") << '\n';
        return ++gone == 2 ? kw::Flow::stop : kw::Flow::go_on;
    });
    co_await watcher.run();
    co_await db.close();
}

asio::awaitable<void> app()
{
    kw::Options options{"memory:"};
    options.enable_watch = true;
    kw::Database db = co_await kw::Database::open(options);
    co_await db.update(
        [](kw::Transaction& tx) { tx.create_bucket(kw::Structure::btree, "sessions"); });
    asio::co_spawn(co_await asio::this_coro::executor, requests(db), kw::rethrow);
    co_await watch(db);
}

}  // namespace

int main()
{
    try {
        asio::io_context context(1);
        asio::co_spawn(context, app(), kw::rethrow);
        context.run();
    } catch (const std::exception& error) {
        std::cerr << "sessions: " << error.what() << '\n';
        return 1;
    }
}
