// SPDX-License-Identifier: BSL-1.0
/// A leaderboard: players score points, and a watcher prints the top three when they change.
#include <keywatch/keywatch.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace kw = keywatch;

namespace {

using Players = std::vector<std::pair<std::string, double>>;

asio::awaitable<void> play(kw::Database db)
{
    const Players rounds{{"ada", 10}, {"bob", 7}, {"cyd", 3}, {"dan", 1}, {"bob", 5}, {"cyd", 20}};
    for (const auto& [player, points] : rounds) {
        co_await db.update([&](kw::Transaction& tx) {
            tx.sorted_set("game").increment("points", player, points);
        });
    }
    co_await db.update([](kw::Transaction& tx) {
        tx.sorted_set("game").remove("points", "bob");  // bob cheated
    });
    co_await db.close();  // the watcher receives everything before its run() returns
}

class Board {
public:
    explicit Board(kw::Database db) : db_(std::move(db)) {}

    asio::awaitable<void> changed(kw::Message message)
    {
        std::cout << message.operation << ' ' << message.value << ' '
                  << message.previous_score.value_or(0) << " -> " << message.score.value_or(0)
                  << '\n';
        Players top;
        co_await db_.view([&](const kw::Snapshot& snapshot) {
            top = snapshot.sorted_set("game")
                      .range_by_score("points", {}, {.limit = 3, .reverse = true})
                      .to_vector();
        });
        if (top != shown_) {
            show(std::move(top));
        }
    }

private:
    void show(Players top)
    {
        shown_ = std::move(top);
        for (int place = 1; const auto& [player, points] : shown_) {
            std::cout << "    " << place++ << ". " << player << " with " << points << '\n';
        }
    }

    kw::Database db_;
    Players shown_;
};

asio::awaitable<void> app()
{
    kw::Options options{"memory:"};
    options.enable_watch = true;
    kw::Database db = co_await kw::Database::open(options);
    co_await db.update(
        [](kw::Transaction& tx) { tx.create_bucket(kw::Structure::sorted_set, "game"); });

    Board board(db);
    kw::Watcher watcher = db.watch("game", kw::key("points"), [&board](const kw::Message& message) {
        return board.changed(message);
    });
    asio::co_spawn(co_await asio::this_coro::executor, play(db), kw::rethrow);
    co_await watcher.run();
}

}  // namespace

int main()
{
    try {
        asio::io_context context(1);
        asio::co_spawn(context, app(), kw::rethrow);
        context.run();
    } catch (const std::exception& error) {
        std::cerr << "leaderboard: " << error.what() << '\n';
        return 1;
    }
}
