// SPDX-License-Identifier: BSL-1.0
/// A board of prices that change faster than they can be read: it begins with the current prices,
/// and then shows changes a few times a second, each time only the newest value of each price.
#include <keywatch/keywatch.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <iostream>
#include <string>

namespace asio = boost::asio;
namespace kw = keywatch;
using namespace std::chrono_literals;

namespace {

constexpr int changes = 3000;
constexpr std::array<const char*, 4> keys{"eu/copper", "eu/tin", "eu/zinc", "us/copper"};

/// Changes one price after the other, about three thousand times a second.
asio::awaitable<void> trade(kw::Database db)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (int i = 0; i < changes; ++i) {
        const std::string key = keys[static_cast<std::size_t>(i) % keys.size()];
        co_await db.put("prices", key, std::to_string(100 + i));
        if (i % 100 == 0) {
            timer.expires_after(33ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }
}

void show(const kw::Message& message)
{
    if (message.operation == kw::Operation::synced) {
        std::cout << "---\n";
    } else if (message.operation == kw::Operation::put) {
        std::cout << message.key << ' ' << message.value << '\n';
    }
}

asio::awaitable<void> app()
{
    kw::Options database_options{"memory:"};
    database_options.enable_watch = true;
    kw::Database db = co_await kw::Database::open(database_options);
    co_await db.update([](kw::Transaction& tx) {
        tx.create_bucket(kw::Structure::btree, "prices");
        tx.create_bucket(kw::Structure::btree, "rates");
        for (const char* key : keys) {
            tx.btree("prices").put(key, "100");
        }
        tx.btree("rates").put("eur", "1.08");
    });

    kw::WatchOptions options;
    options.from = kw::From::snapshot();
    options.overflow = kw::Overflow::latest;
    options.min_interval = 200ms;
    kw::Watcher board =
        db.watch({kw::in("prices", kw::prefix("eu/")), kw::in("rates", kw::all())}, show, options);
    asio::co_spawn(co_await asio::this_coro::executor, board.run(), kw::rethrow);
    co_await trade(db);
    co_await db.close();  // delivers the last prices immediately

    const kw::WatcherInfo info = board.info();
    std::cout << changes << " changes: " << info.messages << " messages shown, " << info.coalesced
              << " left out for newer ones\n";
}

}  // namespace

int main()
{
    try {
        asio::io_context context(1);
        asio::co_spawn(context, app(), kw::rethrow);
        context.run();
    } catch (const std::exception& error) {
        std::cerr << "dashboard: " << error.what() << '\n';
        return 1;
    }
}
