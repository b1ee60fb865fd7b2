// SPDX-License-Identifier: BSL-1.0
// A program outside the tree that uses what must exist only once across a library boundary: types
// of exceptions, the category of errors, and Asio's knowledge of the executor it runs on.
#include <keywatch/keywatch.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <iostream>
#include <optional>
#include <stdexcept>

namespace asio = boost::asio;
namespace kw = keywatch;
using namespace std::chrono_literals;

namespace {

struct OwnError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

void require(bool holds, const char* what)
{
    if (!holds) {
        throw std::logic_error(what);
    }
}

/// Returns the exception of this type that an operation throws.
template <class Exception>
asio::awaitable<std::optional<Exception>> caught(std::function<asio::awaitable<void>()> operation)
{
    try {
        co_await operation();
    } catch (const Exception& error) {
        co_return error;
    }
    co_return std::nullopt;
}

asio::awaitable<void> trim_history(kw::Database db)
{
    auto fill = [](kw::Transaction& tx) { tx.btree("b").put("k", std::string(1000, 'v')); };
    while (db.oldest_revision() < 2) {
        co_await db.update(fill);
    }
}

asio::awaitable<void> exceptions_of_ours(kw::Database db)
{
    kw::Watcher late = db.watch(
        "b", kw::all(), [](const kw::Message&) {},
        [] {
            kw::WatchOptions options;
            options.from = kw::From::revision(1);
            return options;
        }());
    std::function<asio::awaitable<void>()> run = [&]() -> asio::awaitable<void> {
        co_await late.run();
    };
    const auto compacted = co_await caught<kw::Compacted>(run);
    require(compacted && compacted->requested() == 1, "Compacted is caught by its type");
    require(compacted->code() == kw::Error::compacted, "its code compares to the enumerator");
    require(&compacted->code().category() == &kw::error_category(), "there is one category");
}

asio::awaitable<void> exceptions_of_the_users(kw::Database db)
{
    std::function<asio::awaitable<void>()> update = [&]() -> asio::awaitable<void> {
        auto fail = [](kw::Transaction&) { throw OwnError("mine"); };
        co_await db.update(fail);
    };
    const auto own = co_await caught<OwnError>(update);
    require(own.has_value(), "what a function throws comes out with its type");
}

asio::awaitable<void> strand_is_known(kw::Database db)
{
    std::optional<bool> inline_call;
    kw::Watcher watcher =
        db.watch("b", kw::all(), [&](const kw::Message&) -> asio::awaitable<kw::Flow> {
            const asio::any_io_executor executor = co_await asio::this_coro::executor;
            asio::dispatch(executor, [&] { inline_call = true; });
            inline_call = inline_call.has_value();  // otherwise it was posted
            co_return kw::Flow::stop;
        });
    asio::co_spawn(co_await asio::this_coro::executor, watcher.run(), kw::rethrow);
    auto put = [](kw::Transaction& tx) { tx.btree("b").put("k", "v"); };
    co_await watcher.reached(co_await db.update(put));
    require(inline_call == true, "a callback knows that it runs on its strand");
}

asio::awaitable<void> app()
{
    kw::Options options{"memory:"};
    options.enable_watch = true;
    options.history.commits = 8;
    kw::Database db = co_await kw::Database::open(options);
    co_await db.update([](kw::Transaction& tx) { tx.create_bucket(kw::Structure::btree, "b"); });
    co_await trim_history(db);
    co_await exceptions_of_ours(db);
    co_await exceptions_of_the_users(db);
    co_await strand_is_known(db);
    co_await db.close();
    std::cout << "all holds\n";
}

}  // namespace

int main()
{
    try {
        asio::io_context context(1);
        asio::co_spawn(context, app(), kw::rethrow);
        context.run();
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
