// SPDX-License-Identifier: BSL-1.0
// Operations that make values larger than a transaction may write, and what messages do not carry.
#include "support/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <limits>

namespace kw = keywatch;
using namespace keywatch::test;

namespace {

kw::Options small_transactions()
{
    kw::Options options = watched_options();
    options.max_transaction_bytes = 100'000;
    return options;
}

/// What the function itself meets, and what the update that swallowed it fails with.
struct Failures {
    boost::system::error_code inside;
    boost::system::error_code outside;
};

asio::awaitable<Failures> failures_of(kw::Database db, std::function<void(kw::BTree)> write)
{
    Failures failures;
    const auto swallow = [&](kw::Transaction& tx) {
        failures.inside = failure_of([&] { write(tx.btree("b")); });
    };
    failures.outside = co_await failure_of(
        [](kw::Database database, auto fn) -> Task { co_await database.update(fn); }(db, swallow));
    co_return failures;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(test_btree_limits, EventLoop)

// Without a look ahead the last ones would ask for more memory than there is.
BOOST_AUTO_TEST_CASE(a_bit_farther_off_than_a_transaction_may_write_is_refused)
{
    run([]() -> Task {
        kw::Database db = co_await open_with(small_transactions(), "b");
        co_await put(db, "b", "k", "old");
        for (const std::uint64_t offset : {std::uint64_t{800'000}, std::uint64_t{1} << 50,
                                           std::numeric_limits<std::uint64_t>::max()}) {
            const Failures failures =
                co_await failures_of(db, [&](kw::BTree tree) { tree.set_bit("k", offset, true); });
            BOOST_TEST(failures.inside == code(kw::Error::transaction_too_large));
            BOOST_TEST(failures.outside == code(kw::Error::transaction_too_large));
        }
        co_await db.update([](kw::Transaction& tx) {
            kw::BTree tree = tx.btree("b");
            const std::uint64_t farthest = std::numeric_limits<std::uint64_t>::max();
            BOOST_TEST(!tree.get_bit("k", farthest));
            BOOST_TEST(!tree.set_bit("k", farthest, false));
            BOOST_TEST(!tree.set_bit("k", 300'000, true));
            BOOST_TEST((tree.value_length("k") == 37'501U));
        });
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_value_grows_up_to_what_a_transaction_may_write)
{
    run([]() -> Task {
        kw::Database db = co_await open_with(small_transactions(), "b");
        const std::string part(20'000, 'x');  // counted in the data and in its message
        for (int i = 0; i < 2; ++i) {
            co_await db.update([&](kw::Transaction& tx) { tx.btree("b").append("k", part); });
        }
        const Failures failures =
            co_await failures_of(db, [&](kw::BTree tree) { tree.append("k", part); });
        BOOST_TEST(failures.inside == code(kw::Error::transaction_too_large));
        BOOST_TEST(failures.outside == code(kw::Error::transaction_too_large));
        BOOST_TEST((co_await get(db, "b", "k") == part + part));
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(no_put_tells_what_it_replaced)
{
    run([]() -> Task {
        kw::Database db = co_await open_with("b");
        const Recorder recorder;
        kw::Watcher watcher = db.watch("b", kw::all(), recorder);
        const Run run = co_await start(watcher);
        co_await db.update([](kw::Transaction& tx) {
            kw::BTree tree = tx.btree("b");
            tree.put("k", "1");
            tree.exchange("k", "2");
            tree.increment("k");
            tree.append("k", "4");
            tree.set_bit("k", 0, true);
            tree.put_if_present("k", "5");
        });
        co_await db.close();
        BOOST_TEST(recorder.size() == 6U);
        for (const kw::OwnedMessage& each : recorder.messages()) {
            BOOST_TEST(each->operation == kw::Operation::put);
            BOOST_TEST((each->previous == std::nullopt));
        }
    });
}

BOOST_AUTO_TEST_SUITE_END()
