// SPDX-License-Identifier: BSL-1.0
#include "support/memory/counted_memory.hpp"
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>

using namespace keywatch;
using namespace keywatch::test;

namespace {

constexpr int keys = 100'000;
constexpr std::size_t value_bytes = 100;
/// The limit for a snapshot of more than 30 MB, counted as messages.
constexpr std::size_t limit = std::size_t{3} << 20;

Task fill(Database db)
{
    co_await create(db, "b");
    const std::string value(value_bytes, 'v');
    for (int first = 0; first < keys; first += 1000) {
        co_await db.update([&](Transaction& tx) {
            for (int i = first; i < first + 1000; ++i) {
                tx.btree("b").put("k" + std::to_string(i), value);
            }
        });
    }
}

}  // namespace

// The memory used for a snapshot while it is streamed, in bytes.
BOOST_FIXTURE_TEST_SUITE(test_snapshot_memory, EventLoop)

// W8 W10
BOOST_AUTO_TEST_CASE(a_large_snapshot_takes_no_more_than_the_buffers)
{
    const TemporaryDirectory directory;
    run([&]() -> Task {
        Options options = watched_options(directory / "db");
        options.durability = Durability::buffered;
        options.cache_bytes = 1 << 20;
        Database db = co_await open_database(options);
        co_await fill(db);
        co_await db.close();
        db = co_await open_database(options);
        for (const std::size_t buffer : {4U, 1024U}) {
            WatchOptions watching = watch_from(From::snapshot());
            watching.buffer_messages = buffer;
            int seen = 0;
            bool in_parts = true;
            Watcher watcher = db.watch(
                "b", all(),
                [&](const Commit& commit) {
                    in_parts = in_parts && commit.size() <= buffer;
                    seen += static_cast<int>(commit.size());
                    return commit[0].operation == Operation::synced ? Flow::stop : Flow::go_on;
                },
                watching);
            const Peak peak;
            co_await watcher.run();
            BOOST_TEST(peak.grown() < limit);
            BOOST_TEST(in_parts);
            BOOST_TEST(seen == keys + 2);  // including the bucket and the marker
        }
        co_await db.close();
    });
}

// W10: bytes are limited as well; a message larger than the buffer is delivered alone.
BOOST_AUTO_TEST_CASE(bytes_are_bounded_too)
{
    run([&]() -> Task {
        Database db = co_await open_with("b");
        const std::string value(10'000, 'v');
        for (int i = 0; i < 50; ++i) {
            co_await put(db, "b", "k" + std::to_string(i), value);
        }
        WatchOptions watching = watch_from(From::snapshot());
        watching.buffer_bytes = 35'000;
        std::size_t parts = 0;
        Watcher watcher = db.watch(
            "b", all(),
            [&](const Commit& commit) {
                ++parts;
                BOOST_TEST(commit.size() <= 4U);
                return commit[0].operation == Operation::synced ? Flow::stop : Flow::go_on;
            },
            watching);
        co_await watcher.run();
        BOOST_TEST(parts >= 18U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
