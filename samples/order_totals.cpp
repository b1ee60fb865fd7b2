// SPDX-License-Identifier: BSL-1.0
/// A table derived from another table: the total of what each customer has ordered. The consumer's
/// cursor is stored in the transaction that adds an order, so each order is added exactly once,
/// however often the program is stopped.
#include <keywatch/keywatch.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <utility>

namespace asio = boost::asio;
namespace kw = keywatch;

namespace {

constexpr const char* cursor = "order totals";

/// Creates the tables and a cursor before the first order, in one transaction.
void prepare(kw::Transaction& tx)
{
    if (!tx.cursor(cursor)) {
        tx.create_bucket(kw::Structure::list, "orders");
        tx.create_bucket(kw::Structure::btree, "totals");
        tx.save_cursor(cursor, tx.revision());
    }
}

/// Adds the orders of a commit to the totals of their customers and saves the cursor, in one
/// transaction.
asio::awaitable<void> add_up(kw::Database db, const kw::Commit& commit)
{
    const auto add = [&](kw::Transaction& tx) {
        for (const kw::Message& message : commit) {
            if (message.operation == kw::Operation::push_back) {
                tx.btree("totals").increment(message.key, std::stoll(std::string(message.value)));
            }
        }
        tx.save_cursor(cursor, commit);
    };
    co_await db.update(add);
}

kw::Watcher watch_orders(const kw::Database& db)
{
    kw::WatchOptions options;
    options.from = kw::From::cursor(cursor);
    const auto callback = [db](const kw::Commit& commit) { return add_up(db, commit); };
    return db.watch("orders", kw::all(), callback, options);
}

/// Makes the orders of this run. Two of them are in one transaction.
asio::awaitable<kw::Revision> order(kw::Database db)
{
    co_await db.update([](kw::Transaction& tx) {
        tx.list("orders").push_back("alice", "30");
        tx.list("orders").push_back("bob", "12");
    });
    co_return co_await db.update(
        [](kw::Transaction& tx) { tx.list("orders").push_back("alice", "4"); });
}

/// Prints the totals, which contain every order that was added up exactly once.
asio::awaitable<void> show(kw::Database db)
{
    co_await db.view([](const kw::Snapshot& snapshot) {
        for (const auto [customer, total] : snapshot.btree("totals").scan()) {
            std::cout << customer << " ordered " << snapshot.list("orders").size(customer)
                      << " times, for " << total << '\n';
        }
    });
    const auto cursors = co_await db.cursors();
    for (const kw::CursorLag& each : cursors) {
        std::cout << each.cursor.name << ": " << each.revisions << " revisions behind\n";
    }
}

asio::awaitable<void> app(std::string directory, bool stop_early)
{
    kw::Options options{std::move(directory)};
    options.enable_watch = true;
    kw::Database db = co_await kw::Database::open(options);
    co_await db.update(prepare);

    kw::Watcher totals = watch_orders(db);
    const kw::Revision last = co_await order(db);
    if (!stop_early) {  // otherwise the next run adds up the orders of this one
        asio::co_spawn(co_await asio::this_coro::executor, totals.run(), kw::rethrow);
        co_await totals.reached(last);
    }
    co_await show(db);
    co_await db.close();
}

}  // namespace

/// order_totals [DIRECTORY [stop]]: with a directory, each start makes three more orders. With
/// `stop` they are not added up before the next start.
int main(int count, char* arguments[])
{
    try {
        asio::io_context context(1);
        const std::string directory = count > 1 ? arguments[1] : "memory:";
        asio::co_spawn(context, app(directory, count > 2), kw::rethrow);
        context.run();
    } catch (const std::exception& error) {
        std::cerr << "order_totals: " << error.what() << '\n';
        return 1;
    }
}
