// SPDX-License-Identifier: BSL-1.0
#include "storage/backup/backup_directory.hpp"
#include "storage/backup/restore.hpp"
#include "storage/backup/store_backup.hpp"
#include "storage/format/checksum.hpp"
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/power_loss_env.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;

namespace {

Options options_for(bool create = true)
{
    Options options("/db");
    options.write_buffer_bytes = 65536;
    options.create_if_missing = create;
    return options;
}

void nothing() {}

void copy(const StoreBackup& backup, leveldb::Env& to)
{
    BackupDirectory target(backup_location("/db", &to));
    backup.copy_to(target, nothing);
    target.keep();
}

/// Returns all entries of a store.
std::vector<std::pair<std::string, std::string>> entries_of(const Store& store)
{
    std::vector<std::pair<std::string, std::string>> entries;
    const auto iterator = store.iterate(nullptr, false);
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
        entries.emplace_back(iterator->key().ToString(), iterator->value().ToString());
    }
    BOOST_TEST(iterator->status().ok());
    return entries;
}

/// Opens a copy, and checks that it contains exactly these entries.
void check_copy(PowerLossEnv& disk,
                const std::vector<std::pair<std::string, std::string>>& expected, Revision head)
{
    const auto store = Store::open(options_for(false), &disk);
    BOOST_TEST(store->head_at_open() == head);
    BOOST_TEST(entries_of(*store) == expected);
}

std::size_t files_with(const PowerLossEnv& disk, const std::string& ending)
{
    const auto contents = disk.contents();
    return static_cast<std::size_t>(std::ranges::count_if(
        contents, [&](const auto& each) { return each.first.ends_with(ending); }));
}

void wait_for(const std::function<bool()>& condition)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
        BOOST_TEST_REQUIRE(std::chrono::steady_clock::now() < end);
        std::this_thread::yield();
    }
}

/// A store in memory.
struct Source {
    PowerLossEnv disk;
    std::unique_ptr<Store> store = Store::open(options_for(), &disk);
    Committer committer{*store};

    void commit(int commits, std::size_t value_bytes = 10)
    {
        for (int i = 0; i < commits; ++i) {
            committer.commit(1, value_bytes);
        }
    }
};

}  // namespace

// The files of a backup, taken from a store that is in use.
BOOST_AUTO_TEST_SUITE(test_backup)

BOOST_AUTO_TEST_CASE(checksums_are_those_of_crc_32c)
{
    Checksum whole;
    BOOST_TEST(whole.value() == 0U);
    whole.add("123456789");
    BOOST_TEST(whole.value() == 0xe3069283U);
    Checksum parts;
    for (const char* each : {"1", "", "2345678", "9"}) {
        parts.add(each);
    }
    BOOST_TEST(parts.value() == whole.value());
    Checksum zeros;
    zeros.add(std::string(32, '\0'));
    BOOST_TEST(zeros.value() == 0x8a9136aaU);
}

// Writes after the moment of the backup are not in it, whatever LevelDB does to its files.
BOOST_AUTO_TEST_CASE(a_backup_is_of_one_moment)
{
    Source source;
    source.commit(300, 400);
    auto backup = source.store->start_backup();
    const auto expected = entries_of(*source.store);
    BOOST_TEST(backup->identity().revision == 300U);
    BOOST_TEST(backup->identity().history == source.store->history_id());
    const std::size_t before = files_with(source.disk, ".ldb");
    source.commit(3000, 400);
    PowerLossEnv copied;
    copy(*backup, copied);
    check_copy(copied, expected, 300);
    BOOST_TEST(files_with(source.disk, ".ldb") > before);
}

// A memory table is being written out. Its log is an old one that will be removed.
BOOST_AUTO_TEST_CASE(a_memory_table_may_be_written_out_meanwhile)
{
    Source source;
    source.disk.hold_background();
    wait_for([&] {
        source.commit(1, 1000);
        return files_with(source.disk, ".log") == 2;
    });
    source.commit(3);
    const auto expected = entries_of(*source.store);
    const Revision head = source.committer.head();
    {
        const auto backup = source.store->start_backup();
        source.disk.release_background();
        wait_for([&] { return files_with(source.disk, ".ldb") == 1; });
        source.commit(3);
        BOOST_TEST(files_with(source.disk, ".log") == 2U);
        PowerLossEnv copied;
        copy(*backup, copied);
        check_copy(copied, expected, head);
    }
    wait_for([&] { return files_with(source.disk, ".log") == 1; });
}

BOOST_AUTO_TEST_CASE(a_damaged_table_is_not_backed_up)
{
    Source source;
    source.commit(300, 400);
    wait_for([&] { return files_with(source.disk, ".ldb") > 0; });
    const auto backup = source.store->start_backup();
    for (auto [name, bytes] : source.disk.contents()) {
        if (name.ends_with(".ldb")) {
            bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
            source.disk.overwrite(name, bytes);
            break;
        }
    }
    PowerLossEnv copied;
    BOOST_TEST(error_of([&] { copy(*backup, copied); }) == Error::damaged);
    BOOST_TEST(files_with(copied, "KEYWATCH") == 0U);
}

BOOST_AUTO_TEST_CASE(backups_hold_files_each_for_itself)
{
    Source source;
    source.commit(500, 400);
    auto first = source.store->start_backup();
    const auto expected_first = entries_of(*source.store);
    source.commit(500, 400);
    auto second = source.store->start_backup();
    const auto expected_second = entries_of(*source.store);
    source.commit(3000, 400);
    PowerLossEnv copied_second;
    copy(*second, copied_second);
    second.reset();
    source.commit(3000, 400);
    PowerLossEnv copied_first;
    copy(*first, copied_first);
    const std::size_t held = files_with(source.disk, ".log");
    first.reset();
    BOOST_TEST(held > 10U);
    BOOST_TEST(files_with(source.disk, ".log") <= 2U);
    check_copy(copied_first, expected_first, 500);
    check_copy(copied_second, expected_second, 1000);
}

// After a crash, the same record could be the result of a power cut.
BOOST_AUTO_TEST_CASE(a_bad_record_in_a_log_of_a_backup_is_damage)
{
    Source source;
    source.commit(50);
    PowerLossEnv copied;
    copy(*source.store->start_backup(), copied);
    for (const auto& [name, bytes] : copied.contents()) {
        for (std::size_t at = 0; name.ends_with(".log") && at + 20 < bytes.size(); at += 7) {
            std::string changed = bytes;
            changed[at] = static_cast<char>(changed[at] ^ 1);
            copied.overwrite(name, changed);
            BOOST_TEST(error_of([&] { Store::open(options_for(false), &copied); }) ==
                       Error::damaged);
            copied.overwrite(name, bytes);
        }
    }
    BOOST_TEST(Store::open(options_for(false), &copied)->head_at_open() == 50U);
}

BOOST_AUTO_TEST_CASE(without_history_the_head_is_kept_too)
{
    Source source;
    source.commit(3);
    source.committer.commit_without_history();
    PowerLossEnv copied;
    const auto backup = source.store->start_backup();
    BOOST_TEST(backup->identity().revision == 4U);
    copy(*backup, copied);
    check_copy(copied, entries_of(*source.store), 4);
}

BOOST_AUTO_TEST_CASE(after_a_failed_write_there_is_no_backup)
{
    Source source;
    source.commit(3);
    source.disk.fail_append(1, PowerLossEnv::Torn::half, ".log");
    BOOST_TEST(error_of([&] { source.commit(1); }) == Error::storage_failed);
    BOOST_TEST(error_of([&] { source.store->start_backup(); }) == Error::storage_failed);
}

// A write that fails while the files are copied does not affect them.
BOOST_AUTO_TEST_CASE(a_write_may_fail_meanwhile)
{
    Source source;
    source.commit(300, 400);
    const auto backup = source.store->start_backup();
    const auto expected = entries_of(*source.store);
    source.disk.fail_append(1, PowerLossEnv::Torn::half, ".log");
    BOOST_TEST(error_of([&] { source.commit(1); }) == Error::storage_failed);
    PowerLossEnv copied;
    copy(*backup, copied);
    check_copy(copied, expected, 300);
}

// A power cut leaves a directory with the whole backup, or one that is not a database.
BOOST_AUTO_TEST_CASE(a_backup_that_was_cut_short_is_no_database)
{
    Source source;
    source.commit(300, 400);
    const auto backup = source.store->start_backup();
    std::size_t whole = 0;
    for (std::uint64_t operations = 0;; ++operations) {
        PowerLossEnv copied;
        copied.cut_power_after(operations);
        const auto error = error_of([&] { copy(*backup, copied); });
        BOOST_CHECK(!error || error == Error::backup_failed);
        std::vector<Survival> survivals{Survival::nothing(), Survival::everything()};
        for (std::uint64_t seed = 0; seed < 6; ++seed) {
            survivals.push_back(Survival::random(100 * operations + seed));
        }
        for (const Survival& survival : survivals) {
            const auto after = copied.survivors(survival);
            std::unique_ptr<Store> store;
            const auto refused =
                error_of([&] { store = Store::open(options_for(false), after.get()); });
            BOOST_CHECK(!refused || refused == Error::not_a_database ||
                        refused == Error::open_failed);
            if (!refused) {
                BOOST_TEST(store->head_at_open() == 300U);
                ++whole;
            }
            BOOST_CHECK(error || !refused);
        }
        if (!copied.power_is_cut()) {
            BOOST_TEST(operations > 10U);
            break;
        }
    }
    BOOST_TEST(whole > 0U);
}

BOOST_AUTO_TEST_CASE(a_disk_that_fails_leaves_nothing_of_a_backup)
{
    Source source;
    source.commit(300, 400);
    const auto backup = source.store->start_backup();
    const auto check_nothing_left = [&](PowerLossEnv& disk) {
        const auto error = error_of([&] { copy(*backup, disk); });
        BOOST_CHECK(!error || error == Error::backup_failed);
        if (error) {
            BOOST_CHECK(disk.contents().empty());
            BOOST_CHECK(!disk.FileExists("/db"));
        }
        return error.has_value();
    };
    for (const bool append : {true, false}) {
        std::uint64_t nth = 0;
        bool failed = true;
        while (failed) {
            PowerLossEnv disk;
            ++nth;
            append ? disk.fail_append(nth, PowerLossEnv::Torn::half) : disk.fail_sync(nth);
            failed = check_nothing_left(disk);
        }
        BOOST_TEST(nth > 4U);
    }
    for (const std::uint64_t space : {0, 1000, 100'000}) {
        PowerLossEnv disk;
        disk.limit_space(space);
        BOOST_TEST(check_nothing_left(disk));
    }
}

BOOST_AUTO_TEST_CASE(a_directory_that_is_not_empty_is_refused)
{
    Source source;
    source.commit(3);
    const auto backup = source.store->start_backup();
    PowerLossEnv disk;
    disk.CreateDir("/db");
    copy(*backup, disk);
    const auto before = disk.contents();
    BOOST_TEST(error_of([&] { copy(*backup, disk); }) == Error::backup_failed);
    BOOST_TEST(disk.contents() == before);
}

BOOST_AUTO_TEST_SUITE_END()
