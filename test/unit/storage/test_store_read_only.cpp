// SPDX-License-Identifier: BSL-1.0
#include "storage/backup/backup_directory.hpp"
#include "storage/backup/restore.hpp"
#include "storage/backup/store_backup.hpp"
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/process/other_user.hpp"
#include "support/storage/database_directory.hpp"
#include "support/storage/power_loss_env.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <memory>
#include <string>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;
namespace fs = std::filesystem;

namespace {

Options reading(const std::string& location)
{
    Options options(location);
    options.read_only = true;
    return options;
}

}  // namespace

// A `Store` that is opened with `Options::read_only`.
BOOST_FIXTURE_TEST_SUITE(test_store_read_only, DatabaseDirectory)

BOOST_AUTO_TEST_CASE(reading_changes_nothing)
{
    make_database(300);
    make_database(300);  // there is a table and a log now
    const auto before = files_below(directory.path());
    for (int i = 0; i < 3; ++i) {
        const auto store = Store::open(reading(path));
        BOOST_TEST(store->head_at_open() == 600U);
        BOOST_CHECK(has_data(*store, 1) && has_data(*store, 600));
        BOOST_TEST(revisions(store->read_history(0, UINT64_MAX, {SIZE_MAX, SIZE_MAX})).size() ==
                   600U);
        Batch batch;
        batch.put("d", "v");
        BOOST_TEST(error_of([&] { store->write(batch, true); }) == Error::read_only);
    }
    BOOST_TEST(files_below(directory.path()) == before);
}

BOOST_AUTO_TEST_CASE(a_backup_of_a_read_only_store_is_complete)
{
    make_database(300);
    make_database(300);
    const auto before = files_below(path);
    const auto store = Store::open(reading(path));
    const auto backup = store->start_backup();
    BackupDirectory target(backup_location(directory / "copy"));
    backup->copy_to(target, [] {});
    target.keep();
    BOOST_TEST(files_below(path) == before);
    const auto copy = Store::open(Options(directory / "copy"));
    BOOST_TEST(copy->head_at_open() == 600U);
    BOOST_TEST(copy->history_id() == store->history_id());
    BOOST_CHECK(has_data(*copy, 1) && has_data(*copy, 600));
}

BOOST_AUTO_TEST_CASE(nothing_is_created_for_a_reader)
{
    const auto before = files_below(directory.path());
    BOOST_TEST(error_of([&] { Store::open(reading(path)); }) == Error::open_failed);
    BOOST_TEST(files_below(directory.path()) == before);
    fs::create_directory(path);
    BOOST_TEST(error_of([&] { Store::open(reading(path)); }) == Error::open_failed);
    BOOST_CHECK(fs::is_empty(path));
    write_file(path + "/notes.txt", "mine");
    BOOST_TEST(error_of([&] { Store::open(reading(path)); }) == Error::not_a_database);
}

BOOST_AUTO_TEST_CASE(readers_share_a_database_with_each_other_only)
{
    make_database();
    {
        const auto one = Store::open(reading(path));
        const auto other = Store::open(reading(path));
        BOOST_TEST(other->head_at_open() == 3U);
        check_refused(Error::locked);
    }
    const auto writer = Store::open(options());
    BOOST_TEST(error_of([&] { Store::open(reading(path)); }) == Error::locked);
    Committer committer(*writer);
    BOOST_TEST(committer.commit() == 4U);
}

BOOST_AUTO_TEST_CASE(a_user_who_can_read_the_files_can_open_them)
{
    if (!can_become_others()) {
        BOOST_TEST_MESSAGE("skipped: needs root to become somebody else");
        return;
    }
    make_database();
    make_database();
    fs::permissions(directory.path(), fs::perms::all);
    fs::permissions(path, fs::perms::others_read | fs::perms::others_exec);
    for (const auto& entry : fs::directory_iterator(path)) {
        fs::permissions(entry.path(), fs::perms::others_read);
    }
    const auto before = files_below(directory.path());
    BOOST_CHECK(as_nobody([&] {
        return error_of([&] { Store::open(options()); }) == Error::read_only &&
               Store::open(reading(path))->head_at_open() == 6;
    }));
    BOOST_TEST(files_below(directory.path()) == before);
    fs::permissions(path + "/CURRENT", fs::perms::none);
    BOOST_CHECK(
        as_nobody([&] { return error_of([&] { Store::open(reading(path)); }).has_value(); }));
}

// The log left by a crash is replayed into memory, and LevelDB is prevented from compacting.
BOOST_AUTO_TEST_CASE(files_left_by_a_crash_can_be_read)
{
    PowerLossEnv disk;
    Options options("/db");
    options.write_buffer_bytes = 65536;
    {
        const auto store = Store::open(options, &disk);
        Committer committer(*store);
        for (int i = 0; i < 2000; ++i) {
            committer.commit(1, 200);
        }
        disk.cut_power();
    }
    const auto left = disk.survivors(Survival::everything());
    for (int number = 100; number < 200; ++number) {  // LevelDB uses such numbers again
        const std::string name = "/db/000" + std::to_string(number) + ".ldb";
        if (!left->FileExists(name)) {
            left->overwrite(name, "no manifest names it");
        }
    }
    const auto before = left->contents();
    options.read_only = true;
    {
        const auto store = Store::open(options, left.get());
        BOOST_TEST(store->head_at_open() == 2000U);
        for (Revision revision = 1; revision <= 2000; ++revision) {
            BOOST_REQUIRE(has_data(*store, revision));
        }
    }
    BOOST_TEST(left->contents() == before);
}

BOOST_AUTO_TEST_SUITE_END()
