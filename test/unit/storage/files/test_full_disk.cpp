// SPDX-License-Identifier: BSL-1.0
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/power_loss_env.hpp"
#include "support/storage/store_tools.hpp"
#include "support/storage/tiny_disk.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;

BOOST_TEST_GLOBAL_FIXTURE(OwnMounts);

namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

Options options_for(const std::string& location)
{
    Options options(location);
    options.write_buffer_bytes = mebibyte;
    return options;
}

std::string message_of(const std::function<void()>& action, Error expected)
{
    try {
        action();
    } catch (const boost::system::system_error& error) {
        BOOST_TEST(error.code() == make_error_code(expected));
        return error.what();
    }
    return {};
}

bool tells_that_the_disk_is_full(const std::string& message)
{
    return message.find("No space left on device") != std::string::npos;
}

/// A database on a disk that was filled, and the checks made then.
struct FullDisk {
    Options options;
    leveldb::Env* base;
    std::function<void()> exhaust;  ///< fills the disk with other files
    std::function<std::map<std::string, std::string>()> contents;
    Revision committed = 0;

    std::unique_ptr<Store> open(bool read_only = false) const
    {
        Options how = options;
        how.read_only = read_only;
        return Store::open(how, base);
    }

    void fill()
    {
        const auto store = open();
        Committer committer(*store);
        for (int i = 0; i < 3000; ++i) {
            committer.commit(1, 1000);
        }
        exhaust();
        const auto commit = [&] {
            for (;;) {
                committed = committer.head();
                committer.commit(1, 1000);
            }
        };
        BOOST_CHECK(tells_that_the_disk_is_full(message_of(commit, Error::storage_failed)));
    }

    void check_all_there(const Store& store) const
    {
        BOOST_TEST(store.head_at_open() >= committed);
        for (Revision revision = 1; revision <= committed; revision += 97) {
            BOOST_REQUIRE(has_data(store, revision));
        }
        BOOST_CHECK(has_data(store, committed));
    }

    void check_readable() const
    {
        const auto before = contents();
        check_all_there(*open(true));
        BOOST_TEST(contents() == before);
    }

    /// Deletes all data. `is_scarce`: opening leaves less room than the reserve takes.
    void check_deletable(bool is_scarce = true) const
    {
        {
            const auto store = open();
            check_all_there(*store);
            if (is_scarce) {
                BOOST_TEST(store->reserve_bytes()->load() == 0U);
            }
            for (Revision revision = 1; revision <= store->head_at_open();) {
                Batch batch;
                for (int i = 0; i < 500; ++i, ++revision) {
                    batch.erase(data_prefix(1) + "r" + std::to_string(revision));
                }
                BOOST_REQUIRE_NO_THROW(store->write(batch, false));
            }
        }
        BOOST_CHECK(!has_data(*open(true), 1) && !has_data(*open(true), committed));
    }

    /// Deletes all history.
    void check_history_deletable() const
    {
        const auto store = open();
        HistoryLimits newest;
        newest.commits = 1;
        HistoryState state = store->history_at_open();
        while (store->trim(state, newest, state.oldest_time, 500) > 0) {
        }
        BOOST_TEST(state.oldest == state.newest);
    }
};

/// Returns a database to which other files will leave this much space.
FullDisk in_memory(PowerLossEnv& disk, std::uint64_t left)
{
    disk.limit_space(200 * mebibyte);
    return {options_for("/db"), &disk, [&disk, left] { disk.limit_space(left); },
            [&disk] { return disk.contents(); }};
}

}  // namespace

// A store on a full disk, and the space that it holds in reserve.
BOOST_AUTO_TEST_SUITE(test_full_disk)

BOOST_AUTO_TEST_CASE(a_full_disk_can_always_be_opened_for_reading_and_deleting)
{
    for (std::uint64_t left = 0; left < 3 * mebibyte; left = left * 3 + 10'007) {
        BOOST_TEST_CONTEXT("with " << left << " bytes")
        {
            PowerLossEnv disk;
            FullDisk full = in_memory(disk, left);
            full.fill();
            full.check_readable();
            full.check_deletable();
            full.check_history_deletable();
        }
    }
}

// Opening needs no reserve, but deleting does afterwards.
BOOST_AUTO_TEST_CASE(an_open_that_leaves_little_room_releases_the_reserve)
{
    for (std::uint64_t left = 3 * mebibyte; left < 19 * mebibyte; left += 5 * mebibyte) {
        BOOST_TEST_CONTEXT("with " << left << " bytes")
        {
            PowerLossEnv disk;
            FullDisk full = in_memory(disk, 0);
            full.fill();
            disk.limit_space(left);
            // Opening frees some MiB of logs, early or late, and the reserve takes 19.
            full.check_deletable(left < 10 * mebibyte);
            full.check_history_deletable();
        }
    }
}

BOOST_AUTO_TEST_CASE(an_open_that_leaves_enough_room_keeps_the_reserve)
{
    PowerLossEnv disk;
    FullDisk full = in_memory(disk, 0);
    full.fill();
    disk.limit_space(25 * mebibyte);
    BOOST_TEST(full.open()->reserve_bytes()->load() == 19 * mebibyte);
}

BOOST_AUTO_TEST_CASE(without_a_reserve_a_full_disk_can_still_be_read)
{
    int refused = 0;
    for (std::uint64_t left = 0; left < 3 * mebibyte; left = left * 3 + 10'007) {
        PowerLossEnv disk;
        FullDisk full = in_memory(disk, left);
        full.options.reserve_bytes = 0;
        full.fill();
        full.check_readable();
        const auto before = disk.contents();
        const std::string message = message_of([&] { full.open(); }, Error::open_failed);
        if (!message.empty()) {
            BOOST_TEST(tells_that_the_disk_is_full(message), message);
            BOOST_TEST(message.find("Options::read_only") != std::string::npos, message);
            BOOST_TEST(disk.contents() == before);
            ++refused;
        }
    }
    BOOST_TEST(refused > 0);
}

// An open that fails even with the reserve does not spend it.
BOOST_AUTO_TEST_CASE(an_open_that_fails_nevertheless_restores_the_reserve)
{
    PowerLossEnv disk;
    FullDisk full = in_memory(disk, 0);
    full.options.reserve_bytes = 1024;
    full.fill();
    const auto before = disk.contents();
    std::uint64_t size = 0;
    for (int i = 0; i < 2; ++i) {
        BOOST_CHECK(disk.GetFileSize("/db/KEYWATCH.reserve", &size).ok());
        BOOST_TEST(size == 1024U);
        BOOST_CHECK(!message_of([&] { full.open(); }, Error::open_failed).empty());
        BOOST_TEST(disk.contents() == before);
    }
    full.check_readable();
}

BOOST_AUTO_TEST_CASE(a_released_reserve_is_recreated_if_there_is_much_room)
{
    PowerLossEnv disk;
    FullDisk full = in_memory(disk, 0);
    full.fill();
    full.check_deletable();
    disk.limit_space(30 * mebibyte);
    BOOST_TEST(full.open()->reserve_bytes()->load() == 0U);
    disk.limit_space(200 * mebibyte);
    full.options.write_buffer_bytes = 65536;  // so that little free space suffices
    full.options.reserve_bytes = 19 * mebibyte;
    BOOST_TEST(full.open()->reserve_bytes()->load() == 19 * mebibyte);
}

BOOST_AUTO_TEST_CASE(a_small_database_has_no_reserve_and_a_grown_one_has_what_fits)
{
    PowerLossEnv disk;
    disk.limit_space(40 * mebibyte);
    Options options = options_for("/db");
    const auto reserved = [&](int commits) {
        const auto store = Store::open(options, &disk);
        Committer committer(*store);
        for (int i = 0; i < commits; ++i) {
            committer.commit(1, 1000);
        }
        return store->reserve_bytes()->load();
    };
    BOOST_TEST(reserved(10) == 0U);
    const std::uint64_t quarter = reserved(2000);
    BOOST_TEST(quarter > 8 * mebibyte);
    BOOST_TEST(quarter < 10 * mebibyte);
    disk.limit_space(1000 * mebibyte);
    BOOST_TEST(reserved(0) == 19 * mebibyte);
    options.reserve_bytes = 2 * mebibyte;
    BOOST_TEST(reserved(0) == 2 * mebibyte);
    options.reserve_bytes = 0;
    BOOST_TEST(reserved(0) == 0U);
    BOOST_CHECK(!disk.FileExists("/db/KEYWATCH.reserve"));
}

BOOST_AUTO_TEST_CASE(a_real_disk_that_is_full_can_be_opened_for_reading_and_deleting)
{
    const TinyDisk disk(96 * mebibyte);
    if (!disk.mounted()) {
        BOOST_TEST_MESSAGE("skipped: nothing can be mounted here");
        return;
    }
    const auto exhaust = [&] {
        std::ofstream other(disk / "other", std::ios::binary);
        while (other << std::string(65536, 'x') << std::flush) {
        }
    };
    FullDisk full{options_for(disk / "db"), nullptr, exhaust,
                  [&] { return files_below(disk / "db"); }};
    full.fill();
    full.check_readable();
    full.check_deletable();
    full.check_history_deletable();
}

BOOST_AUTO_TEST_SUITE_END()
