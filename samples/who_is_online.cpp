// SPDX-License-Identifier: BSL-1.0
/// Friends that are online: two sets, their intersection, and a watch that reports arrivals and
/// departures.
#include <keywatch/keywatch.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <exception>
#include <iostream>

namespace asio = boost::asio;
namespace kw = keywatch;
using namespace std::chrono_literals;

namespace {

void tell(const kw::Message& message)
{
    const bool came = message.operation == kw::Operation::add;
    std::cout << message.value << (came ? " is online\n" : " is gone\n");
}

asio::awaitable<void> people_come_and_go(kw::Database db)
{
    co_await db.update([](kw::Transaction& tx) {
        tx.create_bucket(kw::Structure::set, "people");
        kw::Set people = tx.set("people");
        people.add("friends", {"alice", "carol", "dave"});
        people.add("online", {"alice", "bob", "carol"});
    });
    co_await db.update([](kw::Transaction& tx) {
        kw::Set people = tx.set("people");
        people.add("online", "bob");  // already online: no message
        people.add("online", "dave");
        people.move("online", "busy", "carol");
    });
}

asio::awaitable<void> app()
{
    kw::Options options{"memory:"};
    options.enable_watch = true;
    kw::Database db = co_await kw::Database::open(options);

    kw::Watcher watcher = db.watch("people", kw::key("online"), tell);
    asio::co_spawn(co_await asio::this_coro::executor, watcher.run(), kw::rethrow);
    co_await watcher.wait_ready(5s);
    co_await people_come_and_go(db);
    co_await watcher.reached(db.head_revision());

    co_await db.view([](const kw::Snapshot& snapshot) {
        std::cout << "friends who are online:";
        for (const std::string_view name :
             snapshot.set("people").intersection("friends", "online")) {
            std::cout << ' ' << name;
        }
        std::cout << '\n';
    });
    co_await db.close();
}

}  // namespace

int main()
{
    try {
        asio::io_context context(1);
        asio::co_spawn(context, app(), kw::rethrow);
        context.run();
    } catch (const std::exception& error) {
        std::cerr << "who_is_online: " << error.what() << '\n';
        return 1;
    }
}
