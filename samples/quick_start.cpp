// SPDX-License-Identifier: BSL-1.0
#include <keywatch/keywatch.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <iostream>

namespace asio = boost::asio;
namespace kw = keywatch;
using namespace std::chrono_literals;

asio::awaitable<void> app()
{
    kw::Options options{"memory:"};  // or a directory: "data/demo"
    options.enable_watch = true;
    kw::Database db = co_await kw::Database::open(options);

    co_await db.update(
        [](kw::Transaction& tx) { tx.create_bucket(kw::Structure::btree, "users"); });

    kw::Watcher watcher =
        db.watch("users", kw::key("42"), [](const kw::Message& m) -> asio::awaitable<void> {
            std::cout << m.operation << ' ' << m.key << " = " << m.value << '\n';
            co_return;
        });
    asio::co_spawn(co_await asio::this_coro::executor, watcher.run(), kw::rethrow);
    co_await watcher.wait_ready(5s);

    kw::Revision revision =
        co_await db.update([](kw::Transaction& tx) { tx.btree("users").put("42", "alice"); });
    co_await watcher.reached(revision);  // the callback has seen it

    co_await db.close();  // run() returns after everything committed was delivered
}

int main()
{
    try {
        asio::io_context context(1);
        asio::co_spawn(context, app(), kw::rethrow);
        context.run();
    } catch (const std::exception& error) {
        std::cerr << "quick_start: " << error.what() << '\n';
        return 1;
    }
}
