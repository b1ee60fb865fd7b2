// SPDX-License-Identifier: BSL-1.0
#include "storage/backup/store_backup.hpp"
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/process/other_user.hpp"
#include "support/storage/database_directory.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;
namespace fs = std::filesystem;

namespace {

mode_t mode_of(const std::string& name)
{
    struct stat found{};
    return ::lstat(name.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
}

/// Returns options of a store whose logs and tables change often.
Options busy_options(std::string location)
{
    Options options(std::move(location));
    options.write_buffer_bytes = 65536;
    return options;
}

/// Commits until an error occurs. Returns the number of commits, at most 600.
Revision commit_until_refused(Committer& committer, std::string& message)
{
    try {
        while (committer.head() < 600) {
            committer.commit(1, 1000);
        }
    } catch (const boost::system::system_error& error) {
        BOOST_TEST(error.code() == make_error_code(Error::storage_failed));
        message = error.what();
        return committer.head() - 1;
    }
    return committer.head();
}

/// Changes the current directory of the process during its lifetime.
struct CurrentDirectory {
    fs::path before = fs::current_path();
    explicit CurrentDirectory(const fs::path& path) { fs::current_path(path); }
    ~CurrentDirectory() { fs::current_path(before); }
};

/// A database with a file of each kind.
struct EveryFile : DatabaseDirectory {
    std::vector<std::string> names{"KEYWATCH", "CURRENT", "LOCK"};

    EveryFile()
    {
        make_database();
        make_database();  // reopening it has written a table
        for (const auto& entry : fs::directory_iterator(path)) {
            const std::string name = entry.path().filename();
            if (name.ends_with(".log") || name.ends_with(".ldb") || name.starts_with("MANIFEST")) {
                names.push_back(name);
            }
        }
        BOOST_TEST(names.size() >= 6U);
    }

    void check_refused_with(Error code, const std::string& text)
    {
        std::string message;
        const auto error = error_of([&] {
            try {
                Store::open(options());
            } catch (const std::exception& refusal) {
                message = refusal.what();
                throw;
            }
        });
        BOOST_TEST(error == code);
        BOOST_TEST(message.find(text) != std::string::npos, message);
    }
};

}  // namespace

// The directory of a `Store`: its permissions, its owner and other files in it.
BOOST_AUTO_TEST_SUITE(test_store_directory)

BOOST_FIXTURE_TEST_CASE(a_new_database_can_be_used_by_its_owner_only, DatabaseDirectory)
{
    const mode_t before = ::umask(0);
    make_database();
    make_database();
    ::umask(before);
    BOOST_TEST(mode_of(path) == 0700U);
    for (const auto& entry : fs::directory_iterator(path)) {
        BOOST_TEST(mode_of(entry.path()) == 0600U, entry.path());
    }
}

BOOST_FIXTURE_TEST_CASE(other_users_can_neither_read_nor_lock_a_database, DatabaseDirectory)
{
    if (!can_become_others()) {
        BOOST_TEST_MESSAGE("skipped: needs root to become somebody else");
        return;
    }
    fs::permissions(directory.path(), fs::perms::all);
    fs::create_directory(path);
    fs::permissions(path, fs::perms::all);
    make_database();
    for (const char* name : {"/KEYWATCH", "/CURRENT", "/LOCK"}) {
        BOOST_CHECK(as_nobody([&] { return ::open((path + name).c_str(), O_RDONLY) < 0; }));
    }
}

BOOST_FIXTURE_TEST_CASE(anything_else_in_the_place_of_a_file_is_refused_at_once, EveryFile)
{
    const std::string outside = directory / "outside";
    for (const std::string& name : names) {
        const std::string file = path + "/" + name;
        const std::string bytes = read_file(file);
        const auto check = [&] {
            BOOST_TEST_CONTEXT(name)
            {
                write_file(outside, bytes);
                check_refused_with(Error::open_failed, file);
                BOOST_TEST(read_file(outside) == bytes);
            }
            fs::remove(file);
        };
        fs::remove(file);
        BOOST_TEST_REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
        check();
        fs::create_symlink(outside, file);
        check();
        fs::create_symlink(directory / "nowhere", file);
        check();
        BOOST_CHECK(!fs::exists(directory / "nowhere"));
        fs::create_directory(file);
        check();
        write_file(file, bytes);
    }
    BOOST_TEST(Store::open(options())->head_at_open() == 6U);
}

BOOST_FIXTURE_TEST_CASE(a_huge_file_in_the_place_of_a_small_one_is_not_read, EveryFile)
{
    for (const char* name : {"KEYWATCH", "CURRENT"}) {
        const std::string bytes = read_file(path + "/" + name);
        fs::resize_file(path + "/" + name, std::uintmax_t{1} << 40);
        check_refused_with(Error::damaged, name);
        write_file(path + "/" + name, bytes);
    }
    BOOST_TEST(Store::open(options())->head_at_open() == 6U);
}

BOOST_FIXTURE_TEST_CASE(what_belongs_to_another_user_is_refused, EveryFile)
{
    if (!can_become_others()) {
        BOOST_TEST_MESSAGE("skipped: needs root to make files of other users");
        return;
    }
    constexpr uid_t other = 12345;
    fs::permissions(directory.path(), fs::perms::all);
    const auto give_to = [&](uid_t user) {
        for (const auto& entry : fs::recursive_directory_iterator(directory.path())) {
            BOOST_TEST_REQUIRE(::chown(entry.path().c_str(), user, user) == 0);
            fs::permissions(entry.path(), fs::perms::all);
        }
    };
    const auto refused = [&] {
        try {
            Store::open(options());
        } catch (const boost::system::system_error& error) {
            return error.code() == make_error_code(Error::open_failed) &&
                   std::string(error.what()).find("belongs to another user (12345)") !=
                       std::string::npos;
        }
        return false;
    };
    give_to(other);
    BOOST_CHECK(as_nobody(refused));
    for (const std::string& name : names) {
        give_to(nobody);
        BOOST_TEST_REQUIRE(::chown((path + "/" + name).c_str(), other, other) == 0);
        BOOST_TEST(as_nobody(refused), name);
    }
    give_to(nobody);
    BOOST_CHECK(as_nobody([&] { return Store::open(options())->head_at_open() == 6; }));
}

BOOST_FIXTURE_TEST_CASE(what_root_adds_belongs_to_the_owner_of_the_directory, EveryFile)
{
    if (!can_become_others()) {
        BOOST_TEST_MESSAGE("skipped: needs root");
        return;
    }
    fs::permissions(directory.path(), fs::perms::all);
    for (const auto& entry : fs::recursive_directory_iterator(directory.path())) {
        BOOST_TEST_REQUIRE(::chown(entry.path().c_str(), nobody, nobody) == 0);
    }
    make_database();
    BOOST_CHECK(as_nobody([&] { return Store::open(options())->head_at_open() == 9; }));
}

BOOST_FIXTURE_TEST_CASE(a_relative_location_stays_where_it_was_at_the_open, DatabaseDirectory)
{
    fs::create_directory(directory / "one");
    fs::create_directory(directory / "two");
    {
        Committer(*Store::open(Options(directory / "two/rel"))).commit();
    }
    const auto other = files_below(directory / "two");
    Revision committed = 0;
    {
        std::unique_ptr<Store> store;
        {
            const CurrentDirectory here(directory / "one");
            store = Store::open(busy_options("rel"));
        }
        const CurrentDirectory there(directory / "two");
        std::string message;
        Committer committer(*store);
        committed = commit_until_refused(committer, message);
        BOOST_TEST(committed == 600U, message);
        BOOST_CHECK(has_data(*store, 1));
    }
    BOOST_TEST(Store::open(Options(directory / "one/rel"))->head_at_open() == committed);
    BOOST_TEST(files_below(directory / "two") == other);
}

// This also holds if another database has taken the place of the moved one.
BOOST_FIXTURE_TEST_CASE(a_directory_that_was_moved_is_noticed_and_nothing_is_lost,
                        DatabaseDirectory)
{
    for (const bool replaced : {false, true}) {
        const std::string moved = directory / (replaced ? "moved again" : "moved");
        auto store = Store::open(busy_options(path));
        std::string message;
        Committer committer(*store);
        for (int i = 0; i < 300; ++i) {
            committer.commit(1, 1000);
        }
        fs::rename(path, moved);
        if (replaced) {
            make_database(300);
        }
        const auto other = replaced ? files_below(path) : decltype(files_below(path))();
        BOOST_TEST(error_of([&] { store->start_backup(); }) == Error::storage_failed);
        BOOST_TEST(error_of([&] { store->check_location(); }) == Error::storage_failed);
        const Revision committed = commit_until_refused(committer, message);
        BOOST_TEST(message.find(path + ": was moved") != std::string::npos, message);
        BOOST_TEST(committed >= 300U);
        BOOST_TEST(committed < 600U);
        BOOST_TEST(store->get(data_prefix(1) + "r1", nullptr) == std::string(1000, 'v'));
        store.reset();
        BOOST_CHECK(!replaced || files_below(path) == other);
        BOOST_TEST(Store::open(Options(moved))->head_at_open() >= committed);
        fs::remove_all(path);
    }
}

BOOST_AUTO_TEST_SUITE_END()
