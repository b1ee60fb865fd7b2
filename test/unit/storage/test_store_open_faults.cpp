// SPDX-License-Identifier: BSL-1.0
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/power_loss_env.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;

namespace {

std::vector<Survival> many_survivals(std::uint64_t seed)
{
    std::vector<Survival> survivals{Survival::nothing(), Survival::everything()};
    for (std::uint64_t i = 0; i < 12; ++i) {
        survivals.push_back(Survival::random(100 * seed + i));
    }
    return survivals;
}

/// Adds files with the numbers that LevelDB will use next, which no manifest names.
void add_unreferenced_files(PowerLossEnv& disk)
{
    const auto contents = disk.contents();
    for (int number = 4; number < 12; ++number) {
        const std::string digits = "00000" + std::to_string(number);
        const std::string name = digits.substr(digits.size() - 6);
        for (const std::string& file :
             {"/db/" + name + ".ldb", "/db/" + name + ".dbtmp", "/db/MANIFEST-" + name}) {
            if (!contents.contains(file)) {
                disk.overwrite(file, "left by a crash");
            }
        }
    }
}

}  // namespace

// `Store::open` on a disk that fails or stops anywhere.
BOOST_AUTO_TEST_SUITE(test_store_open_faults)

// An interrupted creation is completed by the next one, at whatever point it was interrupted.
BOOST_AUTO_TEST_CASE(a_creation_can_be_cut_short_anywhere)
{
    for (std::uint64_t operations = 0;; ++operations) {
        PowerLossEnv disk;
        disk.cut_power_after(operations);
        error_of([&] { Store::open(Options("/db"), &disk); });
        for (const Survival& survival : many_survivals(operations)) {
            const auto after = disk.survivors(survival);
            BOOST_TEST_CONTEXT("after " << operations << " operations")
            {
                BOOST_CHECK_NO_THROW(Store::open(Options("/db"), after.get()));
            }
        }
        if (!disk.power_is_cut()) {
            BOOST_TEST(operations > 10U);
            break;
        }
    }
}

// Reopening replays the log. The old files must remain until that is finished.
BOOST_AUTO_TEST_CASE(a_reopening_can_be_cut_short_anywhere)
{
    PowerLossEnv first;
    {
        const auto store = Store::open(Options("/db"), &first);
        Committer committer(*store);
        for (int i = 0; i < 3; ++i) {
            committer.commit(1, 10, true);
        }
    }
    for (std::uint64_t operations = 0;; ++operations) {
        const auto disk = first.survivors(Survival::nothing());
        disk->cut_power_after(operations);
        error_of([&] { Store::open(Options("/db"), disk.get()); });
        for (const Survival& survival : many_survivals(operations)) {
            const auto after = disk->survivors(survival);
            BOOST_TEST_CONTEXT("after " << operations << " operations")
            {
                const auto store = Store::open(Options("/db"), after.get());
                BOOST_TEST(store->head_at_open() == 3U);
                BOOST_CHECK(has_data(*store, 1) && has_data(*store, 3));
            }
        }
        if (!disk->power_is_cut()) {
            BOOST_TEST(operations > 5U);
            break;
        }
    }
}

// Every single failure of the disk during opening is an error and leaves everything unchanged. That
// includes files left by a crash whose numbers LevelDB uses again.
BOOST_AUTO_TEST_CASE(a_disk_that_fails_once_while_opening_changes_nothing)
{
    PowerLossEnv first;
    {
        const auto store = Store::open(Options("/db"), &first);
        Committer(*store).commit();
    }
    add_unreferenced_files(first);
    const auto before = first.contents();
    for (const bool append : {true, false}) {
        bool failed = true;
        for (std::uint64_t nth = 1; failed; ++nth) {
            const auto disk = first.survivors(Survival::everything());
            if (append) {
                disk->fail_append(nth, PowerLossEnv::Torn::half);
            } else {
                disk->fail_sync(nth);
            }
            const auto error = error_of([&] { Store::open(Options("/db"), disk.get()); });
            failed = error.has_value();
            BOOST_CHECK(!error || error == Error::open_failed);
            if (error) {
                BOOST_TEST(disk->contents() == before);
                BOOST_TEST(Store::open(Options("/db"), disk.get())->head_at_open() == 1U);
            }
            BOOST_TEST_REQUIRE(nth < 100);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_open_that_succeeds_leaves_no_second_names)
{
    PowerLossEnv disk;
    Committer(*Store::open(Options("/db"), &disk)).commit();
    add_unreferenced_files(disk);
    disk.overwrite("/db/KEYWATCH.0123456789ab-000005.ldb", "left by a crash");
    BOOST_TEST(Store::open(Options("/db"), &disk)->head_at_open() == 1U);
    for (const auto& [name, bytes] : disk.contents()) {
        BOOST_TEST(name.find("KEYWATCH.") == std::string::npos, name);
        // LevelDB itself keeps some of the other files.
        BOOST_TEST((bytes != "left by a crash" || !name.ends_with(".ldb")), name);
    }
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_no_incomplete_database)
{
    for (const std::uint64_t space : {0, 10, 40, 100}) {
        PowerLossEnv disk;
        disk.limit_space(space);
        BOOST_TEST(error_of([&] { Store::open(Options("/db"), &disk); }) == Error::open_failed);
        BOOST_CHECK(disk.contents().empty());
        BOOST_CHECK(!disk.FileExists("/db"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
