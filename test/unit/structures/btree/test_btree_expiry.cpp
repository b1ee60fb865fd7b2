// SPDX-License-Identifier: BSL-1.0
#include "structures/btree/btree.hpp"
#include "structures/expiry.hpp"
#include "support/engine/timed_transactions.hpp"
#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>

using namespace keywatch;
using namespace keywatch::structures;
using namespace std::chrono_literals;

namespace {

struct Keys : test::TimedTransactions {
    Keys() : TimedTransactions(Structure::btree) {}
};

}  // namespace

// The stored form of the deadlines of keys, and the removal of expired keys.
BOOST_FIXTURE_TEST_SUITE(test_btree_expiry, Keys)

BOOST_AUTO_TEST_CASE(a_key_has_one_deadline_at_most)
{
    const std::vector<Function> renewals{
        [](auto& workspace, BucketIndex bucket) { btree::set_ttl(workspace, bucket, "k", 9ms); },
        [](auto& workspace, BucketIndex bucket) { btree::put(workspace, bucket, "k", "w", 8ms); },
        [](auto& workspace, BucketIndex bucket) { btree::increment(workspace, bucket, "n", 1); },
    };
    in_transaction([](auto& workspace, BucketIndex bucket) {
        btree::put(workspace, bucket, "k", "v", 5ms);
        btree::put(workspace, bucket, "n", "1", 5ms);
    });
    for (const Function& renew : renewals) {
        in_transaction(renew);
        BOOST_TEST(deadlines().size() == 2U);
    }
}

BOOST_AUTO_TEST_CASE(a_deadline_is_removed_with_its_key_or_its_value)
{
    const std::vector<Function> ways{
        [](auto& workspace, BucketIndex bucket) { btree::erase(workspace, bucket, "k"); },
        [](auto& workspace, BucketIndex bucket) { btree::clear_ttl(workspace, bucket, "k"); },
        [](auto& workspace, BucketIndex bucket) { btree::put(workspace, bucket, "k", "w"); },
        [](auto& workspace, BucketIndex bucket) { btree::exchange(workspace, bucket, "k", "w"); },
        [](auto& workspace, BucketIndex bucket) {
            btree::put_if_present(workspace, bucket, "k", "w");
        },
    };
    for (const Function& way : ways) {
        in_transaction([](auto& workspace, BucketIndex bucket) {
            btree::put(workspace, bucket, "k", "v", 5ms);
        });
        BOOST_TEST(deadlines().size() == 1U);
        in_transaction([&](auto& workspace, BucketIndex bucket) {
            way(workspace, bucket);
            BOOST_TEST(workspace.expired() == 0U);
        });
        BOOST_TEST(deadlines().empty());
    }
}

BOOST_AUTO_TEST_CASE(the_first_deadline_of_a_bucket_is_cancelled_in_its_own_transaction)
{
    in_transaction([](auto& workspace, BucketIndex bucket) {
        btree::put(workspace, bucket, "k", "v", 5ms);
        btree::put(workspace, bucket, "k", "w");
        BOOST_TEST(!btree::ttl(workspace, bucket, "k"));
    });
    BOOST_TEST(deadlines().empty());
}

BOOST_AUTO_TEST_CASE(only_the_deadline_that_it_has_removes_it)
{
    const Time old = clock.now() + 5ms;
    in_transaction([](auto& workspace, BucketIndex bucket) {
        btree::put(workspace, bucket, "k", "v", 5ms);
        btree::set_ttl(workspace, bucket, "k", 9ms);
    });
    clock.advance(6ms);
    in_transaction([&](auto& workspace, BucketIndex bucket) {
        BOOST_TEST(!expire(workspace, Structure::btree, bucket, "k", old));
        BOOST_TEST(!expire(workspace, Structure::btree, bucket, "k", old + 4ms));
    });
    BOOST_TEST(messages.empty());
    clock.advance(3ms);
    in_transaction([&](auto& workspace, BucketIndex bucket) {
        BOOST_TEST(!expire(workspace, Structure::btree, bucket, "k", old));
        BOOST_TEST(expire(workspace, Structure::btree, bucket, "k", old + 4ms));
        BOOST_TEST(!expire(workspace, Structure::btree, bucket, "k", old + 4ms));
        BOOST_TEST(workspace.expired() == 1U);
    });
    BOOST_TEST(messages.size() == 1U);
    BOOST_TEST(deadlines().empty());
}

BOOST_AUTO_TEST_CASE(a_write_finds_nothing_of_an_expired_value)
{
    using Way = std::function<bool(Workspace&, BucketIndex)>;
    const std::vector<Way> ways{
        [](auto& w, BucketIndex b) { return btree::increment(w, b, "k", 1) == 1; },
        [](auto& w, BucketIndex b) { return btree::decrement(w, b, "k", 1) == -1; },
        [](auto& w, BucketIndex b) { return btree::append(w, b, "k", "x") == 1; },
        [](auto& w, BucketIndex b) { return btree::append(w, b, "k", "") == 0; },
        [](auto& w, BucketIndex b) { return !btree::set_bit(w, b, "k", 2, true); },
        [](auto& w, BucketIndex b) { return !btree::set_bit(w, b, "k", 2, false); },
        [](auto& w, BucketIndex b) { return !btree::exchange(w, b, "k", "x"); },
        [](auto& w, BucketIndex b) { return btree::put_if_absent(w, b, "k", "x"); },
        [](auto& w, BucketIndex b) { return btree::put_if_absent(w, b, "k", "x", 9ms); },
        [](auto& w, BucketIndex b) { return !btree::put_if_present(w, b, "k", "x"); },
        [](auto& w, BucketIndex b) { return !btree::erase(w, b, "k"); },
        [](auto& w, BucketIndex b) { return !btree::set_ttl(w, b, "k", 9ms); },
        [](auto& w, BucketIndex b) { return !btree::clear_ttl(w, b, "k"); },
    };
    for (const Way& way : ways) {
        in_transaction([](auto& workspace, BucketIndex bucket) {
            btree::put(workspace, bucket, "k", "7", 5ms);  // bit 2 of "7" is set
        });
        clock.advance(5ms);
        in_transaction([&](auto& workspace, BucketIndex bucket) {
            BOOST_TEST(way(workspace, bucket));
            BOOST_TEST(workspace.expired() == 1U);
        });
        BOOST_REQUIRE(!messages.empty());
        BOOST_TEST(messages[0]->cause == Cause::expired);
        BOOST_TEST(messages[0]->previous == "7");
    }
}

BOOST_AUTO_TEST_CASE(a_refused_time_to_live_does_not_even_take_it_away)
{
    const auto refused = [](const std::function<void()>& call) {
        return test::failure_of(call) == test::code(Error::invalid_ttl);
    };
    in_transaction(
        [](auto& workspace, BucketIndex bucket) { btree::put(workspace, bucket, "k", "v", 5ms); });
    clock.advance(5ms);
    in_transaction([&](auto& workspace, BucketIndex bucket) {
        for (const char* key : {"k", "none"}) {
            BOOST_TEST(refused([&] { btree::put(workspace, bucket, key, "w", 0ms); }));
            BOOST_TEST(refused([&] { btree::put_if_absent(workspace, bucket, key, "w", 0ms); }));
            BOOST_TEST(refused([&] { btree::set_ttl(workspace, bucket, key, 0ms); }));
        }
        BOOST_TEST(workspace.expired() == 0U);
        BOOST_TEST(!btree::erase(workspace, bucket, ""));
    });
    BOOST_TEST(messages.empty());
    BOOST_TEST(deadlines().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
