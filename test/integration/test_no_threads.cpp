// SPDX-License-Identifier: BSL-1.0
#include "support/loop/event_loop.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include <pthread.h>

// The system cannot create threads.
using namespace keywatch;
using namespace keywatch::test;

namespace {

/// Sets a default stack size too large for any system, so that no thread can be created during its
/// lifetime.
class NoThreads {
public:
    NoThreads()
    {
        ::pthread_getattr_default_np(&before_);
        pthread_attr_t huge;
        ::pthread_attr_init(&huge);
        if (::pthread_attr_setstacksize(&huge, std::size_t{1} << 60) != 0 ||
            ::pthread_setattr_default_np(&huge) != 0) {
            throw std::runtime_error("the default stack cannot be set");
        }
        ::pthread_attr_destroy(&huge);
    }
    NoThreads(const NoThreads&) = delete;
    NoThreads& operator=(const NoThreads&) = delete;
    ~NoThreads()
    {
        ::pthread_setattr_default_np(&before_);
        ::pthread_attr_destroy(&before_);
    }

private:
    pthread_attr_t before_{};
};

/// Checks that the error of `function` says why.
template <class Function>
void check_failure(Error expected, Function function)
{
    try {
        function();
        BOOST_ERROR("nothing was thrown");
    } catch (const boost::system::system_error& error) {
        BOOST_TEST((error.code() == expected), error.what());
        BOOST_TEST(std::string_view(error.what()).find("Resource temporarily unavailable") !=
                       std::string_view::npos,
                   error.what());
    }
}

struct Fixture : EventLoop {
    TemporaryDirectory directory;
    Options options{directory / "db"};
};

}  // namespace

// A system that refuses to start threads.
BOOST_FIXTURE_TEST_SUITE(test_no_threads, Fixture)

BOOST_AUTO_TEST_CASE(a_store_is_not_opened_and_leaves_no_files)
{
    {
        const NoThreads none;
        check_failure(Error::open_failed, [&] { storage::Store::open(options); });
        BOOST_CHECK(files_below(directory.path()).empty());
    }
    storage::Store::open(options);
}

BOOST_AUTO_TEST_CASE(a_database_is_not_opened)
{
    {
        const NoThreads none;
        check_failure(Error::open_failed, [&] { Database::open_blocking(executor(), options); });
        check_failure(Error::open_failed,
                      [&] { run([&]() -> Task { co_await Database::open(options); }); });
        BOOST_CHECK(files_below(directory.path()).empty());
    }
    run([&]() -> Task {
        Database db = co_await Database::open(options);
        co_await db.close();
    });
}

// LevelDB creates its thread when it is first needed, and hangs if that fails.
BOOST_AUTO_TEST_CASE(an_open_database_needs_no_more_threads_to_write_and_compact)
{
    options.write_buffer_bytes = std::size_t{64} << 10;
    run([&]() -> Task {
        Database db = co_await Database::open(options);
        co_await create(db, "b");
        {
            const NoThreads none;
            for (int i = 0; i < 600; ++i) {
                co_await put(db, "b", std::to_string(i % 50), std::string(3000, 'v'));
            }
            BOOST_TEST((co_await get(db, "b", "7")).has_value());
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_backup_fails_and_can_be_repeated_later)
{
    run([&]() -> Task {
        Database db = co_await Database::open(options);
        co_await create(db, "b");
        std::string failure;
        {
            const NoThreads none;
            try {
                co_await db.backup(directory / "copy");
            } catch (const boost::system::system_error& error) {
                BOOST_TEST(error.code() == Error::backup_failed);
                failure = error.what();
            }
        }
        BOOST_TEST(failure.find("Resource temporarily unavailable") != std::string::npos, failure);
        co_await db.backup(directory / "copy");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
