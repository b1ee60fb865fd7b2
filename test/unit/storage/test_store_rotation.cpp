// SPDX-License-Identifier: BSL-1.0
#include "storage/store.hpp"
#include "support/printing.hpp"
#include "support/storage/power_loss_env.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

using namespace keywatch;
using namespace keywatch::storage;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

Options small_table()
{
    Options options("/db");
    options.write_buffer_bytes = std::size_t{1} << 16;
    return options;
}

/// Waits until LevelDB's background thread has finished its work.
template <class Condition>
bool soon(Condition condition)
{
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        std::this_thread::yield();
    }
    return true;
}

}  // namespace

// The rotation of logs by a `Store`, ahead of LevelDB's own.
BOOST_AUTO_TEST_SUITE(test_store_rotation)

BOOST_AUTO_TEST_CASE(a_rotation_is_requested_before_it_would_happen_by_itself)
{
    PowerLossEnv disk;
    const auto store = Store::open(small_table(), &disk);
    Committer committer(*store);
    const auto logs = [&] {
        const auto contents = disk.contents();
        return std::count_if(contents.begin(), contents.end(),
                             [](const auto& file) { return file.first.ends_with(".log"); });
    };
    BOOST_CHECK(!store->wants_rotation());
    while (!store->wants_rotation()) {
        BOOST_REQUIRE(!store->may_stall(100));
        committer.commit(1, 200);
        BOOST_TEST_REQUIRE(committer.head() < 1000);
    }
    disk.hold_background();
    BOOST_TEST(logs() == 1);
    store->prepare_rotation();
    BOOST_TEST(logs() == 2);
    BOOST_CHECK(!store->wants_rotation());
    BOOST_CHECK(!store->may_stall(100));
    // While the old table is being written, a second rotation would stall. It is not requested,
    // only announced.
    while (!store->may_stall(100)) {
        BOOST_CHECK(!store->wants_rotation());
        committer.commit(1, 200);
        BOOST_TEST_REQUIRE(committer.head() < 2000);
    }
    store->prepare_rotation();
    BOOST_TEST(logs() == 2);
    disk.release_background();
    BOOST_CHECK(soon([&] { return store->wants_rotation(); }));
    store->prepare_rotation();
    BOOST_CHECK(!store->may_stall(100));
}

// A wrong estimate of the memory table's size would show here: LevelDB would rotate by itself.
BOOST_AUTO_TEST_CASE(may_stall_predicts_every_rotation_by_leveldb)
{
    for (const std::size_t value_bytes : {0, 10, 100, 450, 1000, 5000}) {
        PowerLossEnv disk;
        Options options = small_table();
        options.write_buffer_bytes = std::size_t{1} << 20;
        const auto store = Store::open(options, &disk);
        Committer committer(*store);
        const auto log_names = [&] {
            std::vector<std::string> names;
            for (const auto& [name, bytes] : disk.contents()) {
                if (name.ends_with(".log")) {
                    names.push_back(name);
                }
            }
            return names;
        };
        const auto before = log_names();
        std::size_t filled = 0;
        for (;;) {
            Batch batch;
            committer.add(batch, 1, value_bytes);
            if (store->may_stall(batch.memory_bytes())) {
                break;
            }
            filled += batch.memory_bytes();
            store->write(batch, false);
        }
        BOOST_TEST(log_names() == before, "values of " << value_bytes);
        BOOST_TEST(filled > options.write_buffer_bytes / 5 * 4, "values of " << value_bytes);
    }
}

BOOST_AUTO_TEST_CASE(large_writes_are_announced)
{
    const auto store = Store::open(Options("memory:"));
    BOOST_CHECK(!store->may_stall(1000));
    BOOST_CHECK(store->may_stall(std::size_t{8} << 20));
}

// Works like the engine: one thread writes, another prepares rotations and trims.
BOOST_AUTO_TEST_CASE(rotations_can_be_prepared_while_another_thread_writes)
{
    PowerLossEnv disk;
    {
        const auto store = Store::open(small_table(), &disk);
        Committer committer(*store);
        std::atomic<bool> done{false};
        std::thread preparer([&] {
            while (!done) {
                if (store->wants_rotation()) {
                    store->prepare_rotation();
                }
                std::this_thread::yield();
            }
        });
        for (int i = 0; i < 2000; ++i) {
            committer.commit(1, 100);
        }
        done = true;
        preparer.join();
        BOOST_CHECK(!store->failed());
    }
    const auto store = Store::open(small_table(), &disk);
    BOOST_TEST(store->head_at_open() == 2000U);
    for (Revision revision = 1; revision <= 2000; ++revision) {
        BOOST_TEST(has_data(*store, revision));
    }
}

BOOST_AUTO_TEST_SUITE_END()
