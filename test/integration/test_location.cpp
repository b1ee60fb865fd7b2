// SPDX-License-Identifier: BSL-1.0
#include "handles/database_state.hpp"

#include "support/printing.hpp"
#include "support/storage/power_loss_env.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace fs = std::filesystem;
using namespace keywatch;
using namespace keywatch::test;

namespace {

struct Places {
    TemporaryDirectory directory;
    fs::path before = fs::current_path();

    Places()
    {
        fs::create_directory(directory / "one");
        fs::create_directory(directory / "two");
        fs::current_path(directory / "one");
    }
    ~Places() { fs::current_path(before); }
};

/// The code and message of the exception of an awaited call.
struct Refusal {
    boost::system::error_code code;
    std::string message;
};

template <class T>
asio::awaitable<Refusal> refusal_of(asio::awaitable<T> call)
{
    Refusal refusal;
    try {
        co_await std::move(call);
    } catch (const boost::system::system_error& error) {
        refusal = {error.code(), error.what()};
    }
    co_return refusal;
}

}  // namespace

// A database whose directory, or that of the program, changes.
BOOST_AUTO_TEST_SUITE(test_location)

BOOST_FIXTURE_TEST_CASE(the_program_may_change_its_directory, Places)
{
    EventLoop loop;
    loop.run([&]() -> Task {
        Options options("rel");
        options.write_buffer_bytes = 65536;
        options.durability = Durability::buffered;
        Database db = co_await Database::open(options);
        co_await db.update([](Transaction& tx) { tx.create_bucket(Structure::btree, "b"); });
        fs::current_path(directory / "two");
        for (int i = 0; i < 300; ++i) {
            co_await db.put("b", std::to_string(i), std::string(1000, 'v'));
        }
        co_await db.backup("copy");
        {
            std::ofstream out("stream", std::ios::binary);
            co_await db.backup(out);
        }
        std::ifstream in("stream", std::ios::binary);
        const Revision head = db.head_revision();
        BOOST_TEST(restore_blocking(in, "restored") == head);
        co_await db.close();
        for (const char* place : {"one/rel", "two/copy", "two/restored"}) {
            Options there(directory / place);
            there.create_if_missing = false;
            Database again = co_await Database::open(there);
            BOOST_TEST(again.head_revision() == head);
            co_await again.close();
        }
        BOOST_CHECK(!fs::exists(directory / "two/rel"));
    });
}

BOOST_FIXTURE_TEST_CASE(closing_reports_that_the_directory_was_moved, Places)
{
    EventLoop loop;
    loop.run([&]() -> Task {
        Database db = co_await Database::open(Options("rel"));
        co_await db.update([](Transaction& tx) { tx.create_bucket(Structure::btree, "b"); });
        fs::rename("rel", "moved");
        co_await db.put("b", "k", "v");
        const Refusal backup = co_await refusal_of(db.backup(directory / "copy"));
        BOOST_TEST(backup.code == Error::storage_failed);
        BOOST_CHECK(!fs::exists(directory / "copy"));
        const Refusal closing = co_await refusal_of(db.close());
        BOOST_TEST(closing.code == Error::storage_failed);
        BOOST_TEST(closing.message.find("was moved") != std::string::npos, closing.message);
        Database again = co_await Database::open(Options("moved"));
        const auto value = co_await again.get("b", "k");
        BOOST_TEST(value == "v");
        co_await again.close();
    });
}

// A failed write, and every write that is refused after it, reports the reason of the first
// failure.
BOOST_AUTO_TEST_CASE(refused_transactions_report_the_first_reason)
{
    for (const Durability durability : {Durability::sync, Durability::buffered}) {
        PowerLossEnv disk;
        EventLoop loop;
        loop.run([&]() -> Task {
            Options options("/db");
            options.durability = durability;
            options.enable_watch = true;
            Database db(DatabaseState::open_blocking(loop.executor(), options, &disk));
            co_await db.update([](Transaction& tx) { tx.create_bucket(Structure::btree, "b"); });
            disk.limit_space(100'000);
            int refused = 0;
            for (int i = 0; i < 100 && refused < 5; ++i) {
                const Refusal refusal =
                    co_await refusal_of(db.put("b", "k", std::string(10'000, 'v')));
                if (refusal.code) {
                    BOOST_TEST(refusal.code == Error::storage_failed);
                    BOOST_TEST(refusal.message.find("No space left") != std::string::npos,
                               refusal.message);
                    ++refused;
                    disk.limit_space(UINT64_MAX);
                }
            }
            BOOST_TEST(refused == 5);
            std::ostringstream stream;
            const Refusal backup = co_await refusal_of(db.backup(stream));
            BOOST_TEST(backup.message.find("No space left") != std::string::npos, backup.message);
            co_await db.close();
        });
    }
}

BOOST_AUTO_TEST_SUITE_END()
