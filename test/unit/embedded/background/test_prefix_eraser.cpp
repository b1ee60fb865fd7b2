// SPDX-License-Identifier: BSL-1.0
#include "embedded/background/prefix_eraser.hpp"

#include "support/engine/background_store.hpp"
#include "support/printing.hpp"
#include "support/storage/failing_env.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

using namespace keywatch;
using namespace keywatch::embedded;
using namespace keywatch::test;
using storage::data_prefix;
using storage::orphan_key;

namespace {

void put_keys(storage::Store& store, const std::string& prefix, int keys)
{
    storage::Batch batch;
    for (int i = 0; i < keys; ++i) {
        batch.put(prefix + std::to_string(i), "v");
    }
    store.write(batch, false);
}

/// Stores keys that begin with a prefix, and that the prefix is an orphan.
void put_orphan(storage::Store& store, const std::string& prefix, int keys)
{
    put_keys(store, prefix, keys);
    storage::Batch batch;
    batch.put(orphan_key(prefix), {});
    store.write(batch, false);
}

std::size_t count(const storage::Store& store, const std::string& prefix)
{
    std::size_t keys = 0;
    const auto iterator = store.iterate(nullptr, false);
    for (iterator->Seek(prefix); iterator->Valid() && iterator->key().starts_with(prefix);
         iterator->Next()) {
        ++keys;
    }
    return keys;
}

bool is_orphan(const storage::Store& store, const std::string& prefix)
{
    return store.get(orphan_key(prefix), nullptr).has_value();
}

}  // namespace

// `PrefixEraser`: the steps in which it erases what was dropped.
BOOST_FIXTURE_TEST_SUITE(test_prefix_eraser, BackgroundStore)

BOOST_AUTO_TEST_CASE(an_added_prefix_is_erased_and_no_other_key)
{
    put_keys(*store, data_prefix(6), 10);
    put_orphan(*store, data_prefix(7), 10);
    put_keys(*store, data_prefix(8), 10);
    const auto eraser = std::make_shared<PrefixEraser>(*store, thread);
    eraser->start();
    run_posted();
    BOOST_TEST(count(*store, data_prefix(7)) == 10U);
    eraser->add(data_prefix(7));
    run_posted();
    BOOST_TEST(count(*store, data_prefix(7)) == 0U);
    BOOST_TEST(!is_orphan(*store, data_prefix(7)));
    BOOST_TEST(count(*store, data_prefix(6)) == 10U);
    BOOST_TEST(count(*store, data_prefix(8)) == 10U);
}

BOOST_AUTO_TEST_CASE(other_tasks_run_between_two_steps)
{
    put_orphan(*store, data_prefix(7), 2500);
    const auto eraser = std::make_shared<PrefixEraser>(*store, thread);
    std::size_t left = 0;
    bool orphan = false;
    thread.post([&] {
        eraser->add(data_prefix(7));
        thread.post([&] {
            left = count(*store, data_prefix(7));
            orphan = is_orphan(*store, data_prefix(7));
        });
    });
    BOOST_TEST(soon([&] { return !is_orphan(*store, data_prefix(7)); }));
    BOOST_TEST(left == 2500U - 1024U);
    BOOST_TEST(orphan);
    BOOST_TEST(count(*store, data_prefix(7)) == 0U);
}

BOOST_AUTO_TEST_CASE(prefixes_of_an_earlier_process_are_erased_in_their_order)
{
    put_orphan(*store, data_prefix(7), 10);
    put_orphan(*store, data_prefix(8), 10);
    reopen();
    const auto eraser = std::make_shared<PrefixEraser>(*store, thread);
    bool first_alone = false;
    thread.post([&] {
        eraser->start();
        thread.post([&] {
            first_alone = !is_orphan(*store, data_prefix(7)) && is_orphan(*store, data_prefix(8));
        });
    });
    BOOST_TEST(soon([&] { return !is_orphan(*store, data_prefix(8)); }));
    BOOST_TEST(first_alone);
    BOOST_TEST(count(*store, data_prefix(7)) == 0U);
    BOOST_TEST(count(*store, data_prefix(8)) == 0U);
}

BOOST_AUTO_TEST_CASE(after_a_failed_write_the_next_open_erases_the_prefix)
{
    FailingEnv env(disk);
    auto failing = storage::Store::open(Options("/failing"), &env);
    put_orphan(*failing, data_prefix(7), 10);
    env.fail(1, "No space left on device", [](FailingEnv::Call call, const std::string&) {
        return call == FailingEnv::Call::append;
    });
    const auto eraser = std::make_shared<PrefixEraser>(*failing, thread);
    eraser->add(data_prefix(7));
    run_posted();
    BOOST_TEST(failing->failed());
    eraser->add(data_prefix(8));  // has no effect
    run_posted();
    failing.reset();
    failing = storage::Store::open(Options("/failing"), &disk);
    BOOST_TEST(failing->orphans_at_open() == std::vector<std::string>{data_prefix(7)});
    const auto next = std::make_shared<PrefixEraser>(*failing, thread);
    next->start();
    run_posted();
    BOOST_TEST(!is_orphan(*failing, data_prefix(7)));
    BOOST_TEST(count(*failing, data_prefix(7)) == 0U);
    thread.finish();
}

BOOST_AUTO_TEST_SUITE_END()
