// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

template <class T>
asio::awaitable<std::optional<boost::system::error_code>> code_of(asio::awaitable<T> call)
{
    std::optional<boost::system::error_code> code;
    try {
        co_await std::move(call);
    } catch (const boost::system::system_error& error) {
        code = error.code();
    }
    co_return code;
}

Options options_in(const TemporaryDirectory& directory, bool read_only)
{
    Options options = watched_options(directory / "db");
    options.read_only = read_only;
    return options;
}

/// Writes three puts, a cursor, and a key that expires soon.
Task write_some(Options options)
{
    Database db = co_await Database::open(options);
    co_await db.update([](Transaction& tx) { tx.create_bucket(Structure::btree, "b"); });
    for (const char* key : {"1", "2", "3"}) {
        co_await db.put("b", key, "v");
    }
    co_await db.put("b", "short", "v", 1ms);
    const Position position = db.head_position();
    co_await db.update([&](Transaction& tx) { tx.save_cursor("reader", position); });
    co_await db.close();
}

Task run(Watcher watcher)
{
    co_await watcher.run();
}

}  // namespace

// `Options::read_only`.
BOOST_AUTO_TEST_SUITE(test_read_only)

BOOST_AUTO_TEST_CASE(reads_work_and_writes_are_refused)
{
    const TemporaryDirectory directory;
    EventLoop loop;
    loop.run([&]() -> Task {
        co_await write_some(options_in(directory, false));
        const auto before = files_below(directory / "db");
        Database db = co_await Database::open(options_in(directory, true));
        const Revision head = db.head_revision();

        const auto value = co_await db.get("b", "2");
        BOOST_TEST(value == "v");
        const auto gone = co_await db.get("b", "short");
        BOOST_CHECK(!gone);
        const auto cursors = co_await db.cursors();
        BOOST_TEST(cursors.size() == 1U);
        BOOST_TEST(db.stats().history.commits == head);
        bool called = false;
        const auto update = [&](Transaction&) { called = true; };
        const auto updated = co_await code_of(db.update(update));
        BOOST_TEST(updated == Error::read_only);
        BOOST_CHECK(!called);
        const auto put = co_await code_of(db.put("b", "k", "v"));
        BOOST_TEST(put == Error::read_only);
        const auto erased = co_await code_of(db.erase("b", "1"));
        BOOST_TEST(erased == Error::read_only);
        BulkWriter writer = db.bulk_writer();
        co_await writer.put("b", "k", "v");
        const auto flushed = co_await code_of(writer.flush());
        BOOST_TEST(flushed == Error::read_only);

        co_await db.backup(directory / "copy");
        co_await db.close();
        BOOST_TEST(files_below(directory / "db") == before);
        Database copy = co_await Database::open(Options(directory / "copy"));
        BOOST_TEST(copy.head_revision() == head);
        co_await copy.close();
    });
}

BOOST_AUTO_TEST_CASE(history_can_be_watched_up_to_its_end)
{
    const TemporaryDirectory directory;
    EventLoop loop;
    loop.run([&]() -> Task {
        co_await write_some(options_in(directory, false));
        const auto before = files_below(directory / "db");
        Database db = co_await Database::open(options_in(directory, true));
        for (const From& from : {From::oldest(), From::snapshot(), From::revision(3)}) {
            std::vector<std::string> keys;
            WatchOptions options;
            options.from = from;
            Watcher watcher = db.watch(
                "b", all(), [&](const Message& message) { keys.emplace_back(message.key); },
                options);
            const Job job = co_await spawn(run(watcher));
            co_await watcher.reached(db.head_revision());
            co_await watcher.stop();
            co_await job.join();
            BOOST_CHECK(std::find(keys.begin(), keys.end(), "3") != keys.end());
        }
        co_await db.close();
        BOOST_TEST(files_below(directory / "db") == before);
    });
}

BOOST_AUTO_TEST_CASE(a_database_in_memory_cannot_be_only_read)
{
    Options options("memory:");
    options.read_only = true;
    EventLoop loop;
    loop.run([&]() -> Task {
        const auto code = co_await code_of(Database::open(options));
        BOOST_TEST(code == Error::invalid_option);
    });
}

BOOST_AUTO_TEST_SUITE_END()
