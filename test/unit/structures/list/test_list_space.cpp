// SPDX-License-Identifier: BSL-1.0
#include "support/engine/engine_tools.hpp"
#include "support/loop/hand_clock.hpp"
#include "support/printing.hpp"

#include "storage/store.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>

using namespace keywatch;
using keywatch::test::Engines;
using keywatch::test::Task;

namespace {

constexpr std::size_t next_id = 1;  ///< the key that every bucket of collections has
constexpr std::size_t header = 1;

struct Lists : Engines {
    Lists() { options.durability = Durability::buffered; }

    Task open_lists()
    {
        co_await open();
        const engine::TransactionFunction create = [](Transaction& tx) {
            tx.create_bucket(Structure::list, "l");
        };
        co_await engine->commit(create);
    }

    Task change(std::function<void(List)> function)
    {
        const engine::TransactionFunction write = [&](Transaction& tx) { function(tx.list("l")); };
        co_await engine->commit(write);
    }

    std::size_t stored(const std::string& prefix)
    {
        const auto store = storage::Store::open(options, &env);
        std::size_t keys = 0;
        const auto iterator = store->iterate(nullptr, false);
        for (iterator->Seek(prefix); iterator->Valid() && iterator->key().starts_with(prefix);
             iterator->Next()) {
            ++keys;
        }
        return keys;
    }

    /// Reopens the engine until the background has erased everything that was dropped.
    Task erase_dropped()
    {
        co_await close();
        for (int i = 0; i < 100 && stored("o") > 0; ++i) {
            engine = co_await embedded::EmbeddedEngine::open(options, &env);
            co_await close();
        }
        BOOST_TEST(stored("o") == 0U);
    }
};

void fill(List lists, int elements)
{
    for (int i = 0; i < elements; ++i) {
        lists.push_back("k", std::to_string(i));
    }
}

}  // namespace

// The stored form of a list: one header, its elements, and nothing of its earlier contents.
BOOST_FIXTURE_TEST_SUITE(test_list_space, Lists)

// Contains the example in doc/storage.md.
BOOST_AUTO_TEST_CASE(bytes_are_those_of_the_documentation)
{
    run([this]() -> Task {
        co_await open_lists();
        co_await change([](List lists) { lists.push_back("k", {"x", "y"}); });
        co_await close();
        const auto store = storage::Store::open(options, &env);
        const std::string bucket = storage::data_prefix(2);  // the bucket after that of open()
        const std::string one("\0\0\0\0\0\0\0\1", 8);
        const std::string two("\0\0\0\0\0\0\0\2", 8);
        const std::string middle("\x80\0\0\0\0\0\0\0", 8);
        const std::string behind("\x80\0\0\0\0\0\0\1", 8);
        BOOST_TEST(store->get(bucket + "hk", nullptr) == one + two + middle + '\0');
        BOOST_TEST(store->get(bucket + "e" + one + middle, nullptr) == "x");
        BOOST_TEST(store->get(bucket + "e" + one + behind, nullptr) == "y");
        BOOST_TEST(store->get(bucket + "n", nullptr) == two);
    });
}

BOOST_AUTO_TEST_CASE(what_is_not_as_it_was_written_is_damaged)
{
    run([this]() -> Task {
        co_await open_lists();
        co_await change([](List lists) {
            lists.push_back("holed", {"a", "b", "c"});
            lists.push_back("short", "a");
        });
        co_await close();
        {
            const auto store = storage::Store::open(options, &env);
            const std::string bucket = storage::data_prefix(2);
            storage::Batch batch;
            batch.erase(bucket + "e" + std::string("\0\0\0\0\0\0\0\1", 8) +
                        std::string("\x80\0\0\0\0\0\0\1", 8));
            const auto header = store->get(bucket + "hshort", nullptr);
            batch.put(bucket + "hshort", header->substr(0, 23) + '\0');
            store->write(batch, false);
        }
        engine = co_await embedded::EmbeddedEngine::open(options, &env);
        co_await change([](List lists) {
            const auto damaged = test::code(Error::damaged);
            BOOST_TEST(lists.at("holed", 0) == "a");
            BOOST_TEST(lists.range("holed", 2, 2).to_vector() == std::vector<std::string>{"c"});
            BOOST_TEST(test::failure_of([&] { (void)lists.at("holed", 1); }) == damaged);
            BOOST_TEST(test::failure_of([&] { lists.range("holed").to_vector(); }) == damaged);
            BOOST_TEST(test::failure_of([&] { lists.set("holed", 1, "x"); }) == damaged);
            BOOST_TEST(test::failure_of([&] { lists.remove("holed", "x"); }) == damaged);
            BOOST_TEST(test::failure_of([&] { lists.remove("holed", "x", -1); }) == damaged);
            BOOST_TEST(test::failure_of([&] { (void)lists.front("short"); }) == damaged);
            BOOST_TEST(test::failure_of([&] { lists.push_back("short", "x"); }) == damaged);
            BOOST_TEST(lists.size("holed") == 3U);
        });
        co_await close();
    });
}

BOOST_AUTO_TEST_CASE(moves_leave_nothing_in_the_source)
{
    run([this]() -> Task {
        co_await open_lists();
        co_await change([](List lists) {
            fill(lists, 100);
            lists.insert("k", 10, "x");
            lists.insert("k", 90, "x");
            lists.remove_at("k", {0, 5, 6, 50, 98, -1});
            lists.remove("k", "x");
        });
        co_await change([](List lists) {
            lists.insert("k", 1, "x");
            lists.remove_at("k", {2, 3, 70, 72, 80});
            lists.trim("k", 2, -3);
            lists.pop_front("k");
            lists.pop_back("k");
            BOOST_TEST(lists.size("k") == 84U);
        });
        co_await close();
        BOOST_TEST(stored("d") == 84 + header + next_id);
        BOOST_TEST(stored("o") == 0U);
    });
}

BOOST_AUTO_TEST_CASE(a_list_that_is_emptied_in_any_way_leaves_nothing)
{
    run([this]() -> Task {
        co_await open_lists();
        const std::vector<std::function<void(List)>> ways{
            [](List lists) { lists.erase("k"); },
            [](List lists) { lists.trim("k", 1, 0); },
            [](List lists) { lists.remove("k", "0"); },
            [](List lists) { lists.remove_at("k", {0}); },
            [](List lists) { lists.pop_front("k"); },
            [](List lists) { lists.pop_back("k"); },
        };
        for (const auto& empty : ways) {
            co_await change([](List lists) { fill(lists, 1); });
            co_await change(empty);
        }
        co_await erase_dropped();
        BOOST_TEST(stored("d") == next_id);
    });
}

BOOST_AUTO_TEST_CASE(the_space_of_a_large_list_is_released_by_a_trim_and_an_erase)
{
    run([this]() -> Task {
        co_await open_lists();
        co_await change([](List lists) { fill(lists, 5'000); });
        co_await change([](List lists) {
            lists.push_front("k", "x");  // is removed with the rest
            lists.trim("k", 1'000, 1'009);
        });
        co_await change([](List lists) { lists.push_back("k", "y"); });
        co_await erase_dropped();
        BOOST_TEST(stored("d") == 11 + header + next_id);

        engine = co_await embedded::EmbeddedEngine::open(options, &env);
        co_await change([](List lists) {
            BOOST_TEST(lists.front("k") == "999");
            BOOST_TEST(lists.back("k") == "y");
            fill(lists, 5'000);
            lists.erase("k");
        });
        co_await erase_dropped();
        BOOST_TEST(stored("d") == next_id);
    });
}

// The old elements are erased in the background, when the new ones already exist.
BOOST_AUTO_TEST_CASE(a_list_created_after_a_large_one_expired_keeps_its_elements)
{
    run([this]() -> Task {
        const test::HandClock clock;
        options.clock = clock.clock();
        co_await open_lists();
        co_await change([](List lists) {
            fill(lists, 5'000);
            lists.set_ttl("k", std::chrono::milliseconds(1));
        });
        clock.advance(std::chrono::milliseconds(1));
        co_await change([](List lists) { fill(lists, 5); });
        co_await erase_dropped();
        BOOST_TEST(stored("d") == 5 + header + next_id);
    });
}

BOOST_AUTO_TEST_SUITE_END()
