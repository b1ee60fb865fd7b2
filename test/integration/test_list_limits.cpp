// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>

using namespace keywatch;
using namespace keywatch::test;

namespace {

constexpr std::int64_t million = 1'000'000;

/// Creates a list in bucket "l" under "k", whose elements are their indexes.
asio::awaitable<Database> open_with_a_million()
{
    Options options("memory:");
    options.durability = Durability::buffered;
    options.max_transaction_bytes = 1'000'000;
    Database db = co_await open_database(options);
    co_await create(db, "l", Structure::list);
    for (std::int64_t next = 0; next < million;) {
        co_await db.update([&](Transaction& tx) {
            std::vector<std::string> elements;
            for (const std::int64_t end = next + 8'000; next < end; ++next) {
                elements.push_back(std::to_string(next));
            }
            tx.list("l").push_back("k", elements);
        });
    }
    co_return db;
}

Task change(Database db, std::function<void(List)> function)
{
    const auto write = [&](Transaction& tx) { function(tx.list("l")); };
    co_await db.update(write);
}

asio::awaitable<std::string> look(Database db)
{
    co_return co_await db.view([](const Snapshot& snapshot) {
        const ListView lists = snapshot.list("l");
        return std::to_string(lists.size("k")) + ": " + lists.front("k").value_or("") + ' ' +
               lists.at("k", million / 2).value_or("") + ' ' + lists.back("k").value_or("");
    });
}

}  // namespace

// Lists of a million elements, in transactions that may write a thousandth of that.
BOOST_FIXTURE_TEST_SUITE(test_list_limits, EventLoop)

BOOST_AUTO_TEST_CASE(small_operations_on_a_list_of_a_million_succeed)
{
    run([]() -> Task {
        Database db = co_await open_with_a_million();
        BOOST_TEST(co_await look(db) == "1000000: 0 500000 999999");
        co_await change(db, [](List lists) {
            BOOST_TEST(lists.pop_front("k") == "0");
            BOOST_TEST(lists.pop_back("k") == "999999");
            BOOST_TEST(lists.push_front("k", "first") == 999'999U);
            BOOST_TEST(lists.push_back("k", "last") == 1'000'000U);
            lists.set("k", million / 2, "middle");
        });
        BOOST_TEST(co_await look(db) == "1000000: first middle last");
        co_await change(db, [](List lists) {
            lists.insert("k", 1'000, "x");
            lists.insert("k", -1'000, "y");
            BOOST_TEST(lists.remove("k", "x", 1) == 1U);
            BOOST_TEST(lists.remove("k", "y", -1) == 1U);
            BOOST_TEST(lists.remove("k", "nowhere") == 0U);
            BOOST_TEST(lists.remove_at("k", {0, -1}) == 2U);
            lists.push_front("k", "0");
            lists.push_back("k", "999999");
            const auto middle = lists.range("k", million / 2 - 1, million / 2 + 1).to_vector();
            BOOST_TEST(middle == (std::vector<std::string>{"499999", "middle", "500001"}));
        });
        BOOST_TEST(co_await look(db) == "1000000: 0 middle 999999");
        co_await change(db, [](List lists) { BOOST_TEST(lists.trim("k", 1, -2) == 999'998U); });
        co_await change(db, [](List lists) {
            BOOST_TEST(lists.trim("k", 500'000, 500'002) == 3U);
            const auto left = lists.range("k").to_vector();
            BOOST_TEST(left == (std::vector<std::string>{"500001", "500002", "500003"}));
        });
        BOOST_TEST(co_await look(db) == "3: 500001  500003");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(large_operations_are_refused_and_change_nothing)
{
    run([]() -> Task {
        Database db = co_await open_with_a_million();
        const std::vector<std::function<void(List)>> large{
            [](List lists) { lists.insert("k", million / 2, "x"); },
            [](List lists) { lists.remove("k", std::to_string(million / 2)); },
            [](List lists) { lists.remove_at("k", {million / 2}); },
            [](List lists) { lists.trim("k", 0, million / 2); },
            [](List lists) { lists.trim("k", million / 2, -2); },
            [](List lists) { lists.push_back("k", lists.range("k")); },
        };
        for (const auto& function : large) {
            boost::system::error_code inside;
            const auto swallow = [&](List lists) { inside = failure_of([&] { function(lists); }); };
            const auto outside = co_await failure_of(change(db, swallow));
            BOOST_TEST(inside == code(Error::transaction_too_large));
            BOOST_TEST(outside == code(Error::transaction_too_large));
            BOOST_TEST(co_await look(db) == "1000000: 0 500000 999999");
        }
        co_await change(db, [](List lists) {
            BOOST_TEST(lists.erase("k"));
            BOOST_TEST(lists.push_back("k", "new") == 1U);
        });
        BOOST_TEST(co_await look(db) == "1: new  new");
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
