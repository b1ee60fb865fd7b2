// SPDX-License-Identifier: BSL-1.0
/// A work queue: one coroutine pushes jobs to a list, and a watcher of its key takes them off.
#include <keywatch/keywatch.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <iostream>
#include <string>

namespace asio = boost::asio;
namespace kw = keywatch;

namespace {

/// Pushes jobs to the back of the list, and urgent jobs to the front.
asio::awaitable<kw::Revision> produce(kw::Database db)
{
    co_await db.update([](kw::Transaction& tx) {
        tx.list("jobs").push_back("images", {"resize cat.png", "resize dog.png"});
    });
    co_return co_await db.update([](kw::Transaction& tx) {
        kw::List jobs = tx.list("jobs");
        jobs.push_back("images", "resize owl.png");
        jobs.push_front("images", "delete secret.png");
    });
}

/// Takes one job for each job that was pushed. It may be a different one, but none is taken twice,
/// even if other workers do the same.
asio::awaitable<void> work(kw::Database db, kw::Operation operation)
{
    if (operation != kw::Operation::push_back && operation != kw::Operation::push_front) {
        co_return;  // the worker's own pop
    }
    const auto taken =
        co_await db.update([](kw::Transaction& tx) { return tx.list("jobs").pop_front("images"); });
    if (taken.value) {
        std::cout << "revision " << taken.revision << ": " << *taken.value << '\n';
    }
}

asio::awaitable<void> app()
{
    kw::Options options{"memory:"};
    options.enable_watch = true;
    options.durability = kw::Durability::buffered;
    kw::Database db = co_await kw::Database::open(options);
    co_await db.update([](kw::Transaction& tx) { tx.create_bucket(kw::Structure::list, "jobs"); });

    kw::Watcher worker = db.watch("jobs", kw::key("images"), [db](const kw::Message& message) {
        return work(db, message.operation);
    });
    asio::co_spawn(co_await asio::this_coro::executor, worker.run(), kw::rethrow);

    const kw::Revision last = co_await produce(db);
    co_await worker.reached(last);  // every job pushed so far has been processed

    const auto left = co_await db.view(
        [](const kw::Snapshot& snapshot) { return snapshot.list("jobs").size("images"); });
    std::cout << left << " jobs left\n";
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
        std::cerr << "work_queue: " << error.what() << '\n';
        return 1;
    }
}
