// SPDX-License-Identifier: BSL-1.0
#include "storage/files/disk_env.hpp"
#include "storage/files/environment.hpp"
#include "support/printing.hpp"
#include "support/storage/power_loss_env.hpp"
#include "support/storage/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

using namespace keywatch::storage;
using namespace keywatch::test;

namespace {

std::unique_ptr<leveldb::WritableFile> create(leveldb::Env& env, const std::string& name)
{
    leveldb::WritableFile* file = nullptr;
    const leveldb::Status status = env.NewWritableFile(name, &file);
    return std::unique_ptr<leveldb::WritableFile>(status.ok() ? file : nullptr);
}

/// Appends in the same way as LevelDB's log writer.
leveldb::Status append(leveldb::WritableFile& file, const std::string& bytes)
{
    const leveldb::Status status = file.Append(bytes);
    return status.ok() ? file.Flush() : status;
}

/// Returns the contents of a file after a power cut now; nothing if the name is not durable.
std::optional<std::string> on_disk(const PowerLossEnv& disk, const std::string& name)
{
    const auto contents = disk.survivors(Survival::nothing())->contents();
    const auto found = contents.find(name);
    return found != contents.end() ? std::optional{found->second} : std::nullopt;
}

/// Makes the first removal wait until the test releases it.
class SlowRemovals : public leveldb::EnvWrapper {
public:
    explicit SlowRemovals(leveldb::Env& base) : EnvWrapper(&base) {}

    leveldb::Status RemoveFile(const std::string& name) override
    {
        if (!std::exchange(any_, true)) {
            began_.set_value();
            go_.get_future().wait();
        }
        return target()->RemoveFile(name);
    }
    void wait_for_removal() { began_.get_future().wait(); }
    void let_go() { go_.set_value(); }

private:
    bool any_ = false;
    std::promise<void> began_;
    std::promise<void> go_;
};

struct Fixture {
    Fixture()
    {
        disk.CreateDir("/db");
        disk.sync_directory("/");
    }
    PowerLossEnv disk;
    Environment env{&disk, &disk};
};

}  // namespace

// `Environment`: what it syncs, and when, on a simulated disk.
BOOST_FIXTURE_TEST_SUITE(test_environment, Fixture)

// Tests the simulation itself: without it, no test below could fail.
BOOST_AUTO_TEST_CASE(the_simulated_disk_loses_unsynced_data)
{
    auto file = create(disk, "/db/a");
    append(*file, "synced");
    file->Sync();
    append(*file, "not");
    BOOST_CHECK(!on_disk(disk, "/db/a"));  // its name is not on disk
    disk.sync_directory("/db");
    BOOST_TEST(on_disk(disk, "/db/a") == "synced");
    disk.RenameFile("/db/a", "/db/b");
    BOOST_TEST(on_disk(disk, "/db/a") == "synced");
    const auto everything = disk.survivors(Survival::everything())->contents();
    BOOST_CHECK(everything.size() == 1U && everything.at("/db/b") == "syncednot");
    disk.sync_directory("/db");
    BOOST_CHECK(on_disk(disk, "/db/b") == "synced" && !on_disk(disk, "/db/a"));
    disk.RemoveFile("/db/b");
    BOOST_TEST(on_disk(disk, "/db/b") == "synced");
    disk.cut_power();
    BOOST_CHECK(!append(*file, "x").ok() && !disk.sync_directory("/db").ok());
}

BOOST_AUTO_TEST_CASE(a_sync_makes_the_name_durable_too)
{
    auto file = create(env, "/db/000003.log");
    append(*file, "one");
    BOOST_CHECK(!on_disk(disk, "/db/000003.log"));
    BOOST_CHECK(file->Sync().ok());
    BOOST_TEST(on_disk(disk, "/db/000003.log") == "one");
}

// W5, trap 14: LevelDB destroys the log that it rotates away from, without a sync.
BOOST_AUTO_TEST_CASE(a_destroyed_file_is_synced)
{
    auto file = create(env, "/db/000003.log");
    append(*file, "acknowledged");
    file.reset();
    BOOST_TEST(on_disk(disk, "/db/000003.log") == "acknowledged" + mark_bytes(LogMark::closed, 12));
    BOOST_CHECK(!env.close_failed());
}

BOOST_AUTO_TEST_CASE(a_closed_file_is_synced)
{
    auto file = create(env, "/db/000005.ldb");
    append(*file, "table");
    BOOST_CHECK(file->Close().ok());
    BOOST_TEST(on_disk(disk, "/db/000005.ldb") == "table");
}

BOOST_AUTO_TEST_CASE(the_next_log_is_created_only_once_the_old_one_is_synced)
{
    auto old_log = create(env, "/db/000003.log");
    append(*old_log, "first");
    disk.fail_sync(1, "000003.log");
    BOOST_TEST(create(env, "/db/000004.log") == nullptr);
    BOOST_CHECK(!disk.contents().contains("/db/000004.log"));
    auto next_log = create(env, "/db/000004.log");
    BOOST_TEST_REQUIRE(next_log != nullptr);
    BOOST_TEST(on_disk(disk, "/db/000003.log") == "first");
}

// LevelDB's background thread then begins a table; nothing waits for that.
BOOST_AUTO_TEST_CASE(a_rotated_log_gets_its_mark_once_a_table_is_begun)
{
    auto old_log = create(env, "/db/000003.log");
    append(*old_log, "first");
    auto next_log = create(env, "/db/000004.log");
    old_log.reset();
    BOOST_TEST(on_disk(disk, "/db/000003.log") == "first");
    BOOST_CHECK(!on_disk(disk, "/db/000004.log"));
    disk.fail_sync(1, "/db/");
    create(env, "/db/000005.ldb").reset();  // without the next log's name there is no mark
    BOOST_TEST(disk.contents().at("/db/000003.log") == "first");

    append(*next_log, "next");
    auto last_log = create(env, "/db/000006.log");
    next_log.reset();
    create(env, "/db/000007.ldb").reset();
    BOOST_TEST(on_disk(disk, "/db/000004.log") == "next" + mark_bytes(LogMark::rotated, 4));
    BOOST_TEST(on_disk(disk, "/db/000006.log") == "");
    BOOST_CHECK(!env.close_failed());
}

BOOST_AUTO_TEST_CASE(a_log_that_lost_something_gets_no_mark)
{
    auto log = create(env, "/db/000003.log");
    append(*log, "first");
    disk.fail_append(1, PowerLossEnv::Torn::half, ".log");
    append(*log, "second");
    log.reset();
    BOOST_TEST(disk.contents().at("/db/000003.log") == "firstsec");
    log = create(env, "/db/000004.log");
    append(*log, "first");
    disk.fail_sync(1, ".log");
    log.reset();
    BOOST_TEST(disk.contents().at("/db/000004.log") == "first");
    log = create(env, "/db/000005.log");
    append(*log, "first");
    disk.fail_sync(1, ".log");
    BOOST_CHECK(!env.sync_log().ok());  // unsynced data may already be lost by then
    log.reset();
    BOOST_TEST(disk.contents().at("/db/000005.log") == "first");
}

BOOST_AUTO_TEST_CASE(a_failed_sync_at_the_end_is_reported)
{
    auto file = create(env, "/db/000003.log");
    append(*file, "first");
    disk.fail_sync(1, "000003.log");
    file.reset();
    BOOST_CHECK(env.close_failed());
    // LevelDB considers this log replaced, but it may be the only copy of its records.
    BOOST_CHECK(!env.RemoveFile("/db/000003.log").ok());
    BOOST_CHECK(disk.contents().contains("/db/000003.log"));
}

BOOST_AUTO_TEST_CASE(a_failed_sync_of_the_directory_fails_the_sync)
{
    auto file = create(env, "/db/000003.log");
    append(*file, "first");
    disk.fail_sync(1, "/db/");
    BOOST_CHECK(!file->Sync().ok());
}

BOOST_AUTO_TEST_CASE(a_rename_is_durable)
{
    auto file = create(env, "/db/000001.dbtmp");
    append(*file, "MANIFEST-000001\n");
    file->Close();
    BOOST_CHECK(env.RenameFile("/db/000001.dbtmp", "/db/CURRENT").ok());
    BOOST_TEST(on_disk(disk, "/db/CURRENT") == "MANIFEST-000001\n");
}

// On top of LevelDB's own syncs, opening makes one sync of the directory, after the rename.
BOOST_AUTO_TEST_CASE(names_that_become_durable_anyway_cost_no_sync_of_their_own)
{
    auto manifest = create(env, "/db/MANIFEST-000002");
    append(*manifest, "edit");
    const auto before = disk.operations();
    BOOST_CHECK(manifest->Sync().ok());
    BOOST_TEST(disk.operations() == before + 1);
    BOOST_TEST(on_disk(disk, "/db/MANIFEST-000002") == "edit");

    auto temporary = create(env, "/db/000002.dbtmp");
    append(*temporary, "MANIFEST-000002\n");
    const auto made = disk.operations();
    BOOST_CHECK(temporary->Sync().ok());
    BOOST_TEST(disk.operations() == made + 1);
    BOOST_CHECK(env.RenameFile("/db/000002.dbtmp", "/db/CURRENT").ok());
    BOOST_TEST(on_disk(disk, "/db/CURRENT") == "MANIFEST-000002\n");
}

// If this were reported as a failure, then LevelDB would remove the manifest of CURRENT.
BOOST_AUTO_TEST_CASE(a_rename_that_may_not_be_durable_is_not_reported_as_failed)
{
    create(env, "/db/000001.dbtmp").reset();
    disk.fail_sync(1, "/db/");
    BOOST_CHECK(env.RenameFile("/db/000001.dbtmp", "/db/CURRENT").ok());
    BOOST_CHECK(env.close_failed());
}

BOOST_AUTO_TEST_CASE(sync_log_leaves_nothing_for_the_rotation)
{
    BOOST_CHECK(env.sync_log().ok());  // no log yet
    auto log = create(env, "/db/000003.log");
    append(*log, "first");
    BOOST_CHECK(env.sync_log().ok());
    BOOST_TEST(on_disk(disk, "/db/000003.log") == "first");
    const auto before = disk.operations();
    BOOST_CHECK(env.sync_log().ok());
    BOOST_TEST(disk.operations() == before);
    auto next = create(env, "/db/000004.log");
    log.reset();
    BOOST_TEST(disk.operations() == before + 1);  // the creation, no sync
}

BOOST_AUTO_TEST_CASE(sync_log_reports_a_failure)
{
    auto log = create(env, "/db/000003.log");
    append(*log, "first");
    disk.fail_sync(1, "000003.log");
    BOOST_CHECK(!env.sync_log().ok());
    BOOST_CHECK(env.sync_log().ok());
}

BOOST_AUTO_TEST_CASE(logs_are_counted_and_an_old_one_is_pending_until_it_is_removed)
{
    BOOST_TEST(env.logs_created() == 0U);
    auto first = create(env, "/db/000003.log");
    create(env, "/db/000004.ldb").reset();
    create(env, "/db/MANIFEST-000002").reset();
    BOOST_TEST(env.logs_created() == 1U);
    BOOST_CHECK(!env.old_log_pending());
    auto second = create(env, "/db/000005.log");
    BOOST_TEST(env.logs_created() == 2U);
    BOOST_CHECK(env.old_log_pending());
    const auto changes = env.changes();
    env.RemoveFile("/db/000003.log");
    BOOST_CHECK(!env.old_log_pending());
    BOOST_TEST(env.changes() != changes);
}

BOOST_AUTO_TEST_CASE(held_removals_are_executed_later)
{
    create(env, "/db/000003.ldb").reset();
    create(env, "/db/000004.ldb").reset();
    env.hold_removals();
    BOOST_CHECK(env.RemoveFile("/db/000003.ldb").ok());
    BOOST_CHECK(env.RemoveFile("/db/000004.ldb").ok());
    create(env, "/db/000004.ldb").reset();  // created again, so it must not be removed
    BOOST_TEST(disk.contents().size() == 2U);
    env.release_removals();
    BOOST_CHECK(!disk.contents().contains("/db/000003.ldb"));
    BOOST_CHECK(disk.contents().contains("/db/000004.ldb"));
}

// LevelDB reuses the numbers of tables that a crash or a backup left and no manifest names.
BOOST_AUTO_TEST_CASE(a_file_created_while_others_are_removed_stays)
{
    SlowRemovals slow(disk);
    Environment both(&slow, &disk);
    create(both, "/db/000003.ldb").reset();
    create(both, "/db/000004.ldb").reset();
    both.hold_removals();
    both.RemoveFile("/db/000003.ldb");
    both.RemoveFile("/db/000004.ldb");
    std::thread releasing([&] { both.release_removals(); });
    slow.wait_for_removal();
    create(both, "/db/000004.ldb").reset();
    slow.let_go();
    releasing.join();
    BOOST_CHECK(!disk.contents().contains("/db/000003.ldb"));
    BOOST_CHECK(disk.contents().contains("/db/000004.ldb"));
}

BOOST_AUTO_TEST_CASE(a_file_is_recreated_only_after_its_removal_has_finished)
{
    SlowRemovals slow(disk);
    Environment both(&slow, &disk);
    create(both, "/db/000003.ldb").reset();
    std::thread removing([&] { both.RemoveFile("/db/000003.ldb"); });
    slow.wait_for_removal();
    auto made = std::async(std::launch::async, [&] { create(both, "/db/000003.ldb").reset(); });
    made.wait_for(std::chrono::milliseconds(50));  // a fault would create the file here
    slow.let_go();
    removing.join();
    made.get();
    BOOST_CHECK(disk.contents().contains("/db/000003.ldb"));
}

BOOST_AUTO_TEST_CASE(a_torn_append_is_reported_and_earlier_data_is_kept)
{
    auto log = create(env, "/db/000003.log");
    append(*log, "first");
    disk.fail_append(1, PowerLossEnv::Torn::half, ".log");
    BOOST_CHECK(!append(*log, "second").ok());
    log.reset();
    BOOST_CHECK(on_disk(disk, "/db/000003.log")->starts_with("first"));
}

// LevelDB would do that to its manifest if a compaction ended after one that failed.
BOOST_AUTO_TEST_CASE(nothing_is_appended_after_a_failure)
{
    auto manifest = create(env, "/db/MANIFEST-000002");
    append(*manifest, "first");
    disk.fail_append(1, PowerLossEnv::Torn::half, "MANIFEST-000002");
    BOOST_CHECK(!append(*manifest, "torn").ok());
    BOOST_CHECK(!append(*manifest, "behind").ok());
    BOOST_TEST(disk.contents().at("/db/MANIFEST-000002") == "firstto");
    auto other = create(env, "/db/000005.ldb");
    append(*other, "first");
    disk.fail_sync(1, ".ldb");
    BOOST_CHECK(!other->Sync().ok());
    BOOST_CHECK(!append(*other, "behind").ok());
}

BOOST_AUTO_TEST_CASE(in_memory_nothing_has_to_be_synced_from_outside)
{
    Environment memory(&disk, nullptr);
    auto log = create(memory, "/db/000003.log");
    append(*log, "first");
    const auto before = disk.operations();
    BOOST_CHECK(memory.sync_log().ok());
    BOOST_TEST(disk.operations() == before);
    log.reset();  // the file's own sync still happens, and that of the mark
    BOOST_TEST(disk.operations() == before + 3);
}

// Uses real files, mainly for the sanitizers.
BOOST_AUTO_TEST_CASE(a_real_log_is_synced_while_it_grows_and_after_its_removal)
{
    const keywatch::test::TemporaryDirectory directory;
    DiskEnv files;
    Environment real(&files, &files);
    auto log = create(real, directory / "000003.log");
    BOOST_TEST_REQUIRE(log != nullptr);
    std::atomic<bool> done{false};
    std::atomic<bool> failed{false};  // Boost.Test's checks may be used by one thread only
    std::thread syncer([&] {
        while (!done) {
            failed = failed || !real.sync_log().ok();
        }
    });
    for (int i = 0; i < 2000; ++i) {
        BOOST_CHECK(append(*log, "record").ok());
    }
    done = true;
    syncer.join();
    BOOST_CHECK(!failed);
    append(*log, "last");
    real.RemoveFile(directory / "000003.log");
    BOOST_CHECK(real.sync_log().ok());
    log.reset();
    BOOST_CHECK(!real.close_failed());
    BOOST_CHECK(!files.sync_directory(directory / "not there").ok());
}

BOOST_AUTO_TEST_SUITE_END()
