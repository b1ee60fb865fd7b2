// SPDX-License-Identifier: BSL-1.0
/// A watch without a callback: its consumer asks for commits in its own loop, here to add up what
/// visitors have spent while they continue to write.
#include <keywatch/keywatch.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstdint>
#include <exception>
#include <iostream>
#include <string>

namespace asio = boost::asio;
namespace kw = keywatch;

namespace {

asio::awaitable<void> visitors(kw::Database db)
{
    for (int visit = 0; visit < 1000; ++visit) {
        const std::string name = "visitor" + std::to_string(visit % 7);
        co_await db.increment("spent", name, visit % 10);
    }
    co_await db.close();  // the consumer receives everything before wait() returns false
}

asio::awaitable<void> consume(kw::PullWatcher watcher)
{
    std::uint64_t commits = 0;
    std::string last;
    while (co_await watcher.wait()) {
        while (const auto commit = watcher.try_next()) {
            for (const kw::Message& message : *commit) {
                last = std::string(message.key) + " has spent " + std::string(message.value);
            }
            ++commits;
        }
    }
    std::cout << commits << " commits; the last one: " << last << '\n';
}

asio::awaitable<void> app()
{
    kw::Options options{"memory:"};
    options.enable_watch = true;
    options.durability = kw::Durability::buffered;
    kw::Database db = co_await kw::Database::open(options);
    co_await db.update(
        [](kw::Transaction& tx) { tx.create_bucket(kw::Structure::btree, "spent"); });

    kw::PullWatcher watcher = db.watch("spent", kw::all());
    asio::co_spawn(co_await asio::this_coro::executor, visitors(db), kw::rethrow);
    co_await consume(watcher);

    const kw::Stats stats = db.stats();
    std::cout << stats.engine.commits << " commits in all, " << stats.watchers.commits_delivered
              << " delivered\n";
}

}  // namespace

int main()
{
    try {
        asio::io_context context(1);
        asio::co_spawn(context, app(), kw::rethrow);
        context.run();
    } catch (const std::exception& error) {
        std::cerr << "pull: " << error.what() << '\n';
        return 1;
    }
}
