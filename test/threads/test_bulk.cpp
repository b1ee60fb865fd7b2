// SPDX-License-Identifier: BSL-1.0
#include "crew.hpp"

#include "support/storage/temporary_directory.hpp"

#include <keywatch/backup.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <memory>
#include <optional>
#include <sstream>

namespace keywatch::test {
namespace {

constexpr int loaders = 4;
constexpr int writes = 3000;

Options options_at(std::string location)
{
    Options options(std::move(location));
    options.enable_watch = true;
    options.durability = Durability::buffered;
    options.write_buffer_bytes = 128 << 10;
    return options;
}

std::string bucket_of(int loader)
{
    return "b" + std::to_string(loader);
}

asio::awaitable<void> create(Database database, int loader)
{
    const auto make = [loader](Transaction& tx) {
        tx.create_bucket(Structure::btree, bucket_of(loader));
    };
    co_await database.update(make);
}

/// Writes through a bulk writer. Between two calls, the coroutine moves to any thread that is free.
asio::awaitable<std::uint64_t> load(Database database, int loader)
{
    BulkWriterOptions options;
    options.transaction_bytes = 4096;
    BulkWriter writer = database.bulk_writer(options);
    const std::string bucket = bucket_of(loader);
    for (int i = 0; i < writes; ++i) {
        co_await writer.put(bucket, "k" + std::to_string(i), std::to_string(loader));
        if (i % 50 == 0) {
            co_await turn();
        }
    }
    co_await writer.flush();
    co_return writer.committed();
}

/// Returns the number of keys in each bucket; -1 if they are not the first ones.
asio::awaitable<std::vector<int>> count(Database database)
{
    const auto look = [](const Snapshot& snapshot) {
        std::vector<int> counts;
        for (int loader = 0; loader < loaders; ++loader) {
            const BTreeView tree = snapshot.btree(bucket_of(loader));
            int present = 0;
            while (tree.contains("k" + std::to_string(present))) {
                ++present;
            }
            const auto keys = tree.scan().keys();
            counts.push_back(static_cast<int>(keys.size()) == present ? present : -1);
        }
        return counts;
    };
    auto counts = co_await database.view(look);
    co_return counts;
}

asio::awaitable<void> close(Database database)
{
    co_await database.close();
}

asio::awaitable<Revision> back_up(Database database, std::shared_ptr<std::stringstream> stream)
{
    const Revision revision = co_await database.backup(*stream);
    co_return revision;
}

}  // namespace

// Bulk writers and backups while several threads run the event loop.
BOOST_AUTO_TEST_SUITE(test_bulk)

// Each loader writes in order, so a backup contains a prefix of its writes.
BOOST_AUTO_TEST_CASE(bulk_writers_load_and_backups_are_taken_on_many_threads)
{
    const TemporaryDirectory directory;
    Crew crew(4);
    const Database database =
        Database::open_blocking(crew.executor(), options_at(directory / "db"));
    for (int loader = 0; loader < loaders; ++loader) {
        result(crew.start(create(database, loader)), "create");
    }
    std::vector<std::future<std::uint64_t>> loads;
    for (int loader = 0; loader < loaders; ++loader) {
        loads.push_back(crew.start(load(database, loader)));
    }
    for (int backup = 0; backup < 3; ++backup) {
        const auto stream = std::make_shared<std::stringstream>();
        const Revision revision = result(crew.start(back_up(database, stream)), "backup");
        const std::string copy = directory / ("copy" + std::to_string(backup));
        BOOST_TEST(restore_blocking(*stream, copy) == revision);
        const Database restored = Database::open_blocking(crew.executor(), options_at(copy));
        BOOST_TEST(restored.head_revision() == revision);
        for (const int present : result(crew.start(count(restored)), "count")) {
            BOOST_TEST(present >= 0);
            BOOST_TEST(present <= writes);
        }
        result(crew.start(close(restored)), "close of a copy");
    }
    for (std::future<std::uint64_t>& each : loads) {
        BOOST_TEST(result(std::move(each), "load") == std::uint64_t{writes});
    }
    BOOST_TEST(result(crew.start(count(database)), "count") == std::vector<int>(loaders, writes));
    result(crew.start(close(database)), "close");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keywatch::test
