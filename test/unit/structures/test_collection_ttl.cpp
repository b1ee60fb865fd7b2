// SPDX-License-Identifier: BSL-1.0
#include "structures/collection.hpp"

#include "structures/expiry.hpp"

#include "support/engine/timed_transactions.hpp"
#include "support/loop/event_loop.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace keywatch;
using namespace keywatch::structures;
using namespace std::chrono_literals;

namespace {

/// Collections in a bucket of sets.
struct Collections : test::TimedTransactions {
    Collections() : TimedTransactions(Structure::set) {}

    /// Creates a collection with two elements, as a structure would.
    void make(const std::string& key)
    {
        in_transaction([&](auto& workspace, BucketIndex bucket) {
            collection::Header header = collection::find_or_create(workspace, bucket, key);
            for (const char* element : {"a", "b"}) {
                workspace.put(bucket, collection::element_prefix(header.id) + element, "");
                ++header.size;
            }
            collection::save(workspace, bucket, key, header);
        });
    }
};

}  // namespace

// Deadlines of whole collections.
BOOST_FIXTURE_TEST_SUITE(test_collection_ttl, Collections)

BOOST_AUTO_TEST_CASE(a_collection_has_its_deadline_until_it_gets_another_one)
{
    make("k");
    in_transaction([](auto& workspace, BucketIndex bucket) {
        BOOST_TEST(!collection::ttl(workspace, bucket, "k"));
        BOOST_TEST(!collection::clear_ttl(workspace, bucket, "k"));
        BOOST_TEST(!collection::set_ttl(workspace, bucket, "other", 5ms));
        BOOST_TEST(collection::set_ttl(workspace, bucket, "k", 5ms));
        BOOST_TEST(collection::set_ttl(workspace, bucket, "k", 5ms));
        BOOST_TEST(collection::ttl(workspace, bucket, "k") == 5ms);
    });
    BOOST_TEST_REQUIRE(messages.size() == 1U);
    BOOST_TEST(messages[0]->operation == Operation::ttl);
    BOOST_TEST(messages[0]->deadline == clock.now() + 5ms);
    BOOST_TEST(deadlines().size() == 1U);
    BOOST_TEST(store->first_deadline(Time::min()) == clock.now() + 5ms);
    BOOST_TEST(store->first_deadline(clock.now() + 5ms) == clock.now() + 5ms);
    BOOST_TEST(!store->first_deadline(clock.now() + 6ms));
    BOOST_TEST(store->get(storage::deadline_end_key, nullptr).has_value());
    in_transaction([](auto& workspace, BucketIndex bucket) {
        BOOST_TEST(collection::set_ttl(workspace, bucket, "k", 9ms));
    });
    BOOST_TEST(deadlines().size() == 1U);
    in_transaction([](auto& workspace, BucketIndex bucket) {
        BOOST_TEST(collection::clear_ttl(workspace, bucket, "k"));
    });
    BOOST_TEST(deadlines().empty());
    BOOST_TEST(messages[0]->deadline == std::nullopt);
}

BOOST_AUTO_TEST_CASE(from_its_deadline_on_it_is_not_there)
{
    make("k");
    make("l");
    in_transaction([](auto& workspace, BucketIndex bucket) {
        collection::set_ttl(workspace, bucket, "k", 5ms);
    });
    clock.advance(5ms);
    in_transaction([](auto& workspace, BucketIndex bucket) {
        BOOST_TEST(!collection::find(workspace, bucket, "k"));
        BOOST_TEST(collection::size(workspace, bucket, "k") == 0U);
        BOOST_TEST(!collection::ttl(workspace, bucket, "k"));
    });
    BOOST_TEST(messages.empty());
    in_transaction([](auto& workspace, BucketIndex bucket) {
        BOOST_TEST(test::failure_of([&] { collection::set_ttl(workspace, bucket, "k", 0ms); }) ==
                   test::code(Error::invalid_ttl));
    });
    BOOST_TEST(messages.empty());
    in_transaction([](auto& workspace, BucketIndex bucket) {
        BOOST_TEST(!collection::erase(workspace, bucket, "k"));
    });
    BOOST_TEST_REQUIRE(messages.size() == 1U);
    BOOST_TEST(messages[0]->cause == Cause::expired);
    BOOST_TEST(messages[0]->count == 2U);
    BOOST_TEST(deadlines().empty());
}

BOOST_AUTO_TEST_CASE(a_collection_is_removed_with_its_deadline)
{
    make("erased");
    make("emptied");
    in_transaction([](auto& workspace, BucketIndex bucket) {
        collection::set_ttl(workspace, bucket, "erased", 5ms);
        collection::set_ttl(workspace, bucket, "emptied", 5ms);
    });
    BOOST_TEST(deadlines().size() == 2U);
    in_transaction([](auto& workspace, BucketIndex bucket) {
        BOOST_TEST(collection::erase(workspace, bucket, "erased"));
        collection::Header header = *collection::find_to_write(workspace, bucket, "emptied");
        header.size = 0;
        collection::save(workspace, bucket, "emptied", header);
        BOOST_TEST(workspace.expired() == 0U);
    });
    BOOST_TEST(deadlines().empty());
}

BOOST_AUTO_TEST_CASE(only_the_deadline_that_it_has_removes_it)
{
    make("k");
    const Time old = clock.now() + 5ms;
    in_transaction([](auto& workspace, BucketIndex bucket) {
        collection::set_ttl(workspace, bucket, "k", 5ms);
        collection::set_ttl(workspace, bucket, "k", 9ms);
    });
    clock.advance(6ms);
    in_transaction([&](auto& workspace, BucketIndex bucket) {
        BOOST_TEST(!expire(workspace, Structure::set, bucket, "k", old));
        BOOST_TEST(!expire(workspace, Structure::set, bucket, "k", old + 4ms));
    });
    clock.advance(3ms);
    in_transaction([&](auto& workspace, BucketIndex bucket) {
        BOOST_TEST(!expire(workspace, Structure::set, bucket, "k", old));
        BOOST_TEST(expire(workspace, Structure::set, bucket, "k", old + 4ms));
        BOOST_TEST(!expire(workspace, Structure::set, bucket, "k", old + 4ms));
        BOOST_TEST(workspace.expired() == 1U);
    });
    BOOST_TEST(messages.size() == 1U);
    BOOST_TEST(deadlines().empty());
}

BOOST_AUTO_TEST_SUITE_END()
