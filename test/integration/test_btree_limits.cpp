// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <limits>

using namespace keywatch;
using namespace keywatch::test;

namespace {

Options small_transactions()
{
    Options options = watched_options();
    options.max_transaction_bytes = 100'000;
    return options;
}

/// The error inside the function, and the error of the update whose function ignored it.
struct Failures {
    boost::system::error_code inside;
    boost::system::error_code outside;
};

asio::awaitable<Failures> failures_of(Database db, std::function<void(BTree)> write)
{
    Failures failures;
    const auto swallow = [&](Transaction& tx) {
        failures.inside = failure_of([&] { write(tx.btree("b")); });
    };
    failures.outside = co_await failure_of(
        [](Database database, auto fn) -> Task { co_await database.update(fn); }(db, swallow));
    co_return failures;
}

}  // namespace

// Operations that create values, or messages, larger than a transaction may write.
BOOST_FIXTURE_TEST_SUITE(test_btree_limits, EventLoop)

// Without a check in advance, the last two would allocate more memory than there is.
BOOST_AUTO_TEST_CASE(a_bit_beyond_what_a_transaction_may_write_is_refused)
{
    run([]() -> Task {
        Database db = co_await open_with(small_transactions(), "b");
        co_await put(db, "b", "k", "old");
        for (const std::uint64_t offset : {std::uint64_t{800'000}, std::uint64_t{1} << 50,
                                           std::numeric_limits<std::uint64_t>::max()}) {
            const Failures failures =
                co_await failures_of(db, [&](BTree tree) { tree.set_bit("k", offset, true); });
            BOOST_TEST(failures.inside == code(Error::transaction_too_large));
            BOOST_TEST(failures.outside == code(Error::transaction_too_large));
        }
        co_await db.update([](Transaction& tx) {
            BTree tree = tx.btree("b");
            const std::uint64_t farthest = std::numeric_limits<std::uint64_t>::max();
            BOOST_TEST(!tree.get_bit("k", farthest));
            BOOST_TEST(!tree.set_bit("k", farthest, false));
            BOOST_TEST(!tree.set_bit("k", 300'000, true));
            BOOST_TEST(tree.value_length("k") == 37'501U);
        });
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_value_grows_up_to_what_a_transaction_may_write)
{
    run([]() -> Task {
        Database db = co_await open_with(small_transactions(), "b");
        // Counted in the data, and again in the message, together with the previous value.
        const std::string part(15'000, 'x');
        for (int i = 0; i < 2; ++i) {
            co_await db.update([&](Transaction& tx) { tx.btree("b").append("k", part); });
        }
        const Failures failures =
            co_await failures_of(db, [&](BTree tree) { tree.append("k", part); });
        BOOST_TEST(failures.inside == code(Error::transaction_too_large));
        BOOST_TEST(failures.outside == code(Error::transaction_too_large));
        BOOST_TEST(co_await get(db, "b", "k") == part + part);
        co_await db.close();
    });
}

// The previous value counts with the message, so a put may be too large even if its own value is
// not. For an erase, that was always the case.
BOOST_AUTO_TEST_CASE(a_replaced_value_counts_only_if_it_is_recorded)
{
    run([]() -> Task {
        for (const bool previous_values : {false, true}) {
            Options options = small_transactions();
            options.previous_values = previous_values;
            Database db = co_await open_with(options, "b");
            co_await put(db, "b", "a", std::string(40'000, 'x'));
            co_await put(db, "b", "b", std::string(40'000, 'x'));
            co_await put(db, "b", "c", std::string(40'000, 'x'));
            const auto overwrite = [](BTree tree) {
                tree.put_many({{"a", ""}, {"b", ""}, {"c", ""}});
            };
            const Failures failures = co_await failures_of(db, overwrite);
            BOOST_TEST((failures.inside == code(Error::transaction_too_large)) == previous_values);
            BOOST_TEST(!!failures.outside == previous_values);
            const auto left = co_await get(db, "b", "a");
            BOOST_TEST((left == "") == !previous_values);
            co_await db.close();
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
