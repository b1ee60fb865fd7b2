// SPDX-License-Identifier: BSL-1.0
#include "storage/backup/backup_directory.hpp"
#include "storage/backup/backup_stream.hpp"
#include "storage/backup/restore.hpp"
#include "storage/backup/store_backup.hpp"
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/database_directory.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <sstream>
#include <string>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;
namespace fs = std::filesystem;

namespace {

/// Limits the number of files that the process can still open, during its lifetime.
class FewDescriptors {
public:
    explicit FewDescriptors(int more)
    {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::open("/dev/null", O_RDONLY);
        ::close(next);
        rlimit less = before_;
        less.rlim_cur = static_cast<rlim_t>(next + more);
        ::setrlimit(RLIMIT_NOFILE, &less);
    }
    FewDescriptors(const FewDescriptors&) = delete;
    FewDescriptors& operator=(const FewDescriptors&) = delete;
    ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

/// Returns true if the error contains the reason that the system reported.
bool tells_why(const std::string& message)
{
    return message.find("Too many open files") != std::string::npos;
}

struct Walk : DatabaseDirectory {
    /// Runs `action` with more and more descriptors until it succeeds. Each failure must have one
    /// of these two errors, contain the reason, and leave everything below the directory unchanged.
    void run(Error expected, Error or_else, const std::function<void()>& action)
    {
        int failures = 0;
        for (bool failed = true; failed; ++failures) {
            BOOST_TEST_REQUIRE(failures < 100);
            const auto before = files_below(directory.path());
            std::string message;
            std::optional<Error> error;
            {
                const FewDescriptors few(failures);
                error = error_of([&] {
                    try {
                        action();
                    } catch (const std::exception& thrown) {
                        message = thrown.what();
                        throw;
                    }
                });
            }
            failed = error.has_value();
            BOOST_TEST_CONTEXT("with " << failures << " descriptors: " << message)
            {
                BOOST_CHECK(!failed || error == expected || error == or_else);
                BOOST_CHECK(!failed || tells_why(message));
                BOOST_CHECK(!failed || files_below(directory.path()) == before);
            }
        }
        BOOST_TEST(failures > 2);
    }
};

}  // namespace

// A process that has no more file descriptors.
BOOST_FIXTURE_TEST_SUITE(test_descriptors, Walk)

BOOST_AUTO_TEST_CASE(a_database_that_cannot_be_created_leaves_nothing)
{
    run(Error::open_failed, Error::open_failed, [&] { Store::open(options()); });
}

BOOST_AUTO_TEST_CASE(a_database_that_cannot_be_opened_is_unchanged)
{
    make_database();
    make_database();
    run(Error::open_failed, Error::open_failed, [&] { Store::open(options()); });
    BOOST_TEST(Store::open(options())->head_at_open() == 6U);
}

BOOST_AUTO_TEST_CASE(a_backup_that_fails_leaves_nothing)
{
    make_database();
    const auto store = Store::open(options());
    const std::string copy = directory / "copy";
    run(Error::backup_failed, Error::storage_failed, [&] {
        BackupDirectory target(backup_location(copy));
        const auto backup = store->start_backup();
        backup->copy_to(target, [] {});
        target.keep();
    });
    BOOST_TEST(Store::open(Options(copy))->head_at_open() == 3U);
}

BOOST_AUTO_TEST_CASE(a_restoring_that_fails_leaves_nothing)
{
    std::ostringstream stream;
    {
        make_database();
        const auto store = Store::open(options());
        BackupStream target(stream);
        store->start_backup()->copy_to(target, [] {});
    }
    const std::string copy = directory / "copy";
    run(Error::backup_failed, Error::open_failed, [&] {
        std::istringstream in(stream.str());
        restore(in, copy);
    });
    BOOST_TEST(Store::open(Options(copy))->head_at_open() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
