// SPDX-License-Identifier: BSL-1.0
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/power_loss_env.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;

namespace {

Options small_table()
{
    Options options("/db");
    options.write_buffer_bytes = std::size_t{1} << 16;
    return options;
}

/// Checks that exactly the first commits survived, each with data and history. Returns their
/// number.
Revision check_prefix(const Store& store, Revision written)
{
    const Revision head = store.head_at_open();
    const auto slice = store.read_history(0, UINT64_MAX, {SIZE_MAX, SIZE_MAX});
    BOOST_TEST(slice.commits.size() == head);
    for (Revision revision = 1; revision <= written; ++revision) {
        BOOST_TEST(has_data(store, revision) == (revision <= head), "revision " << revision);
    }
    return head;
}

/// Opens plain LevelDB with the same options.
std::unique_ptr<leveldb::DB> open_plain(leveldb::Env& env)
{
    leveldb::Options options;
    options.create_if_missing = true;
    options.env = &env;
    options.write_buffer_size = std::size_t{1} << 16;
    leveldb::DB* db = nullptr;
    const leveldb::Status status = leveldb::DB::Open(options, "/db", &db);
    BOOST_REQUIRE_MESSAGE(status.ok(), status.ToString());
    return std::unique_ptr<leveldb::DB>(db);
}

std::size_t count_plain(leveldb::Env& env)
{
    const auto db = open_plain(env);
    const std::unique_ptr<leveldb::Iterator> iterator(db->NewIterator({}));
    std::size_t count = 0;
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
        ++count;
    }
    return count;
}

/// Loses unsynced bytes, but no names.
Survival synced_bytes()
{
    Survival survival;
    survival.names = Survival::Unsynced::kept;
    return survival;
}

}  // namespace

// `Store::write`: batches, and disks that fail.
BOOST_AUTO_TEST_SUITE(test_store_write)

BOOST_AUTO_TEST_CASE(a_batch_is_applied_whole)
{
    const auto store = Store::open(Options("memory:"));
    Batch batch;
    batch.put("da", "1");
    batch.put("db", "2");
    Batch more;
    more.erase("da");
    more.put("dc", "");
    batch.append(more);
    BOOST_TEST(batch.writes() == 4U);
    BOOST_TEST(batch.memory_bytes() > 4U * 2);
    store->write(batch, false);
    BOOST_CHECK(!store->get("da", nullptr));
    BOOST_TEST(store->get("db", nullptr) == "2");
    BOOST_TEST(store->get("dc", nullptr) == "");
    batch.clear();
    BOOST_CHECK(batch.empty());
    BOOST_TEST(batch.memory_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_snapshot_does_not_change)
{
    const auto store = Store::open(Options("memory:"));
    Committer committer(*store);
    committer.commit();
    const auto snapshot = store->snapshot();
    committer.commit();
    BOOST_TEST(store->revision(*snapshot) == 1U);
    BOOST_CHECK(!store->get(data_prefix(1) + "r2", snapshot.get()));
    BOOST_CHECK(store->get(data_prefix(1) + "r2", nullptr));
    const auto iterator = store->iterate(snapshot.get(), true);
    iterator->Seek(data_prefix(1) + "r2");
    BOOST_CHECK(!iterator->Valid() || !iterator->key().starts_with(data_prefix(1)));
}

// Trap 14. LevelDB continues after a failed append, and loses what it acknowledges then.
BOOST_AUTO_TEST_CASE(a_torn_append_ends_all_writing)
{
    PowerLossEnv disk;
    {
        const auto store = Store::open(Options("/db"), &disk);
        Committer committer(*store);
        for (int i = 0; i < 10; ++i) {
            committer.commit(1, 100, true);
        }
        disk.fail_append(1, PowerLossEnv::Torn::half, ".log");
        BOOST_TEST(error_of([&] { committer.commit(1, 100, true); }) == Error::storage_failed);
        BOOST_CHECK(store->failed());
        const auto operations = disk.operations();
        for (int i = 0; i < 10; ++i) {
            BOOST_TEST(error_of([&] { committer.commit(); }) == Error::storage_failed);
        }
        BOOST_TEST(disk.operations() == operations);  // no write is attempted
        BOOST_CHECK_NO_THROW(store->prepare_rotation());
        BOOST_TEST(disk.operations() == operations);
        // Durable data can still be read, and nothing of the failed write.
        BOOST_TEST(store->revision(*store->snapshot()) == 10U);
        BOOST_CHECK(has_data(*store, 10) && !has_data(*store, 11));
    }
    const auto store = Store::open(Options("/db"), &disk);
    BOOST_TEST(check_prefix(*store, 30) == 10U);
    BOOST_TEST(Committer(*store).commit() == 11U);
}

// Plain LevelDB loses acknowledged writes here, which proves that the test above is effective.
BOOST_AUTO_TEST_CASE(leveldb_alone_loses_what_follows_a_torn_append)
{
    PowerLossEnv disk;
    disk.CreateDir("/db");
    leveldb::WriteOptions synced;
    synced.sync = true;
    std::size_t acknowledged = 0;
    {
        const auto db = open_plain(disk);
        const auto put = [&](int i) {
            return db->Put(synced, std::to_string(i), std::string(100, 'v')).ok();
        };
        for (int i = 0; i < 10; ++i) {
            acknowledged += put(i);
        }
        disk.fail_append(1, PowerLossEnv::Torn::half, ".log");
        BOOST_CHECK(!put(10));
        for (int i = 11; i < 20; ++i) {
            acknowledged += put(i);
        }
    }
    BOOST_TEST(acknowledged == 19U);
    BOOST_TEST(count_plain(disk) < acknowledged);
}

BOOST_AUTO_TEST_CASE(an_append_that_wrote_nothing_ends_all_writing_too)
{
    PowerLossEnv disk;
    const auto store = Store::open(Options("/db"), &disk);
    Committer committer(*store);
    disk.fail_append(1, PowerLossEnv::Torn::nothing, ".log");
    BOOST_TEST(error_of([&] { committer.commit(); }) == Error::storage_failed);
    BOOST_TEST(error_of([&] { committer.commit(); }) == Error::storage_failed);
}

BOOST_AUTO_TEST_CASE(a_failed_sync_ends_all_writing)
{
    PowerLossEnv disk;
    const auto store = Store::open(Options("/db"), &disk);
    Committer committer(*store);
    committer.commit(1, 10, true);
    disk.fail_sync(1, ".log");
    BOOST_TEST(error_of([&] { committer.commit(1, 10, true); }) == Error::storage_failed);
    BOOST_TEST(error_of([&] { committer.commit(1, 10, true); }) == Error::storage_failed);
    BOOST_TEST(store->revision(*store->snapshot()) == 1U);
}

BOOST_AUTO_TEST_CASE(a_full_disk_ends_writing_and_loses_nothing)
{
    PowerLossEnv disk;
    Revision acknowledged = 0;
    {
        const auto store = Store::open(small_table(), &disk);
        Committer committer(*store);
        disk.limit_space(300'000);
        const auto fill = [&] {
            for (;;) {
                acknowledged = committer.commit(1, 1000);
            }
        };
        BOOST_TEST(error_of(fill) == Error::storage_failed);
        BOOST_TEST(acknowledged > 50U);
        BOOST_TEST(store->revision(*store->snapshot()) == acknowledged);
    }
    disk.limit_space(UINT64_MAX);
    const auto store = Store::open(small_table(), &disk);
    BOOST_TEST(check_prefix(*store, acknowledged + 1) == acknowledged);
}

// Trap 14, W5. A group has commits before a rotation, and a synced one after it. The old log must
// not be the only file that is not on disk.
BOOST_AUTO_TEST_CASE(a_power_cut_after_a_rotation_inside_a_group_leaves_a_prefix)
{
    PowerLossEnv disk;
    std::unique_ptr<PowerLossEnv> after;
    {
        const auto store = Store::open(small_table(), &disk);
        disk.hold_background();  // the old table has not been written out yet
        Committer committer(*store);
        for (int i = 1; i <= 48; ++i) {
            committer.commit(1, 500, i % 24 == 0);
        }
        after = disk.survivors(Survival::nothing());
        disk.release_background();
    }
    BOOST_TEST(disk.contents().size() > 0U);
    const auto store = Store::open(small_table(), after.get());
    BOOST_TEST(check_prefix(*store, 48) == 48U);
}

// Plain LevelDB loses synced commits here, which proves that the test above is effective.
BOOST_AUTO_TEST_CASE(leveldb_alone_loses_commits_at_a_rotation)
{
    PowerLossEnv disk;
    disk.CreateDir("/db");
    disk.sync_directory("/");
    std::unique_ptr<PowerLossEnv> after;
    {
        const auto db = open_plain(disk);
        disk.hold_background();
        for (int i = 1; i <= 72; ++i) {
            leveldb::WriteOptions options;
            options.sync = i % 24 == 0;
            BOOST_REQUIRE(db->Put(options, std::to_string(i), std::string(1000, 'v')).ok());
        }
        after = disk.survivors(synced_bytes());
        disk.release_background();
    }
    BOOST_TEST(count_plain(*after) < 72U);
}

BOOST_AUTO_TEST_CASE(a_rotation_whose_old_log_cannot_be_synced_fails_before_anything_is_seen)
{
    PowerLossEnv disk;
    const auto store = Store::open(small_table(), &disk);
    Committer committer(*store);
    disk.fail_sync(1, ".log");
    Revision acknowledged = 0;
    const auto fill = [&] {
        for (int i = 0; i < 1000; ++i) {
            acknowledged = committer.commit(1, 1000);
        }
    };
    BOOST_TEST(error_of(fill) == Error::storage_failed);
    BOOST_TEST(acknowledged > 20U);
    BOOST_CHECK(!has_data(*store, acknowledged + 1));
    BOOST_TEST(store->revision(*store->snapshot()) == acknowledged);
}

// W5: after a power cut at any moment, a prefix with everything synced remains.
BOOST_AUTO_TEST_CASE(a_power_cut_at_any_moment_leaves_a_prefix)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round < 150; ++round) {
        BOOST_TEST_INFO_SCOPE("seed " << seed << ", round " << round);
        PowerLossEnv disk;
        Revision synced = 0;
        Revision tried = 0;
        {
            const auto store = Store::open(small_table(), &disk);
            Committer committer(*store);
            disk.cut_power_after(random() % 700);
            const int sync_every = static_cast<int>(1 + random() % 40);
            try {
                for (int i = 1; i <= 250; ++i) {
                    tried = committer.head() + 1;
                    committer.commit(1 + random() % 3, random() % 2000, i % sync_every == 0);
                    synced = i % sync_every == 0 ? committer.head() : synced;
                    if (store->wants_rotation()) {
                        store->prepare_rotation();
                    }
                }
            } catch (const boost::system::system_error&) {
            }
            disk.cut_power();
        }
        for (const Survival& survival :
             {Survival::nothing(), Survival::everything(), Survival::random(random())}) {
            const auto after = disk.survivors(survival);
            const auto store = Store::open(small_table(), after.get());
            BOOST_TEST(check_prefix(*store, tried) >= synced);
            Committer again(*store);
            again.commit(1, 10, true);
        }
    }
}

BOOST_AUTO_TEST_CASE(closing_makes_everything_durable)
{
    PowerLossEnv disk;
    {
        const auto store = Store::open(Options("/db"), &disk);
        Committer committer(*store);
        for (int i = 0; i < 5; ++i) {
            committer.commit();
        }
    }
    const auto after = disk.survivors(Survival::nothing());
    BOOST_TEST(check_prefix(*Store::open(Options("/db"), after.get()), 5) == 5U);
}

BOOST_AUTO_TEST_SUITE_END()
