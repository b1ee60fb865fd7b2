// SPDX-License-Identifier: BSL-1.0
// What is stored of the deadlines of keys, and who may remove a key.
#include "structures/btree.hpp"
#include "structures/expiry.hpp"
#include "support/timed_transactions.hpp"

#include <boost/test/unit_test.hpp>

using namespace keywatch;
using namespace keywatch::structures;
using namespace std::chrono_literals;

namespace {

struct Keys : test::TimedTransactions {
    Keys() : TimedTransactions(Structure::btree) {}
};

}  // namespace

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
        BOOST_TEST((deadlines().size() == 2U));
    }
}

BOOST_AUTO_TEST_CASE(a_deadline_goes_with_its_key_or_its_value)
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

BOOST_AUTO_TEST_SUITE_END()
