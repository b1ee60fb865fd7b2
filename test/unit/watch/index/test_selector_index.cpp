// SPDX-License-Identifier: BSL-1.0
#include "watch/index/selector_index.hpp"

#include "support/printing.hpp"
#include "support/watch/interests.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace keywatch::watch;

namespace {

SharedSubscription subscribe(const Selectors& selectors)
{
    return std::make_shared<Subscription>(selectors, Filter(), Budget{8, 8});
}

SharedSubscription subscribe(const std::string& bucket, Selector selector)
{
    return subscribe(in(bucket, std::move(selector)));
}

/// Interests, as pairs of subscription and number.
using Members = std::set<std::pair<Subscription*, std::size_t>>;
using Subscribers = std::set<Subscription*>;

/// Inserts an interest, which must not be there yet.
void insert(Members& members, const Reference& one)
{
    BOOST_TEST(members.emplace(one.subscriber.get(), one.at).second);
}

/// Returns the subscribers whose last interests in the index these were.
SelectorIndex::Subscribers released(const std::vector<Reference>& taken)
{
    SelectorIndex::Subscribers gone;
    for (const Reference& each : taken) {
        if (SelectorIndex::released(each)) {
            gone.push_back(each.subscriber);
        }
    }
    return gone;
}

SelectorIndex::Subscribers end_bucket(SelectorIndex& index, const std::string& bucket)
{
    return released(index.take_bucket(bucket));
}

SelectorIndex::Subscribers detach_all(SelectorIndex& index)
{
    SelectorIndex::Subscribers gone;
    for (auto taken = index.take_next(); !taken.empty(); taken = index.take_next()) {
        const SelectorIndex::Subscribers more = released(taken);
        gone.insert(gone.end(), more.begin(), more.end());
    }
    BOOST_TEST(index.empty());
    return gone;
}

Subscribers set_of(const SelectorIndex::Subscribers& list)
{
    Subscribers subscribers;
    for (const SharedSubscription& each : list) {
        BOOST_TEST(subscribers.insert(each.get()).second);
    }
    return subscribers;
}

Members followers(const SelectorIndex& index, const std::string& bucket)
{
    Members members;
    if (const KeyIndex* const keys = index.find(bucket)) {
        for (const Reference& each : keys->all()) {
            insert(members, each);
        }
    }
    return members;
}

Members followers(const SelectorIndex& index, const std::string& bucket, const std::string& key)
{
    Members members;
    if (const KeyIndex* const keys = index.find(bucket)) {
        keys->match(key, [&](const Reference& each) { insert(members, each); });
    }
    return members;
}

/// The expected contents of the index, kept in the simplest way.
class Model {
public:
    void add(const SharedSubscription& one)
    {
        for (std::size_t at = 0; at < one->interests().size(); ++at) {
            there_.emplace(one.get(), at);
        }
    }
    bool remove(const SharedSubscription& one)
    {
        return std::erase_if(there_, [&](const auto& each) { return each.first == one.get(); }) > 0;
    }

    Members of(const std::string& bucket, const std::string* key) const
    {
        Members members;
        for (const auto& [subscriber, at] : there_) {
            const Interest& interest = subscriber->interests()[at];
            const bool all = interest.selector.selector().kind() == Selector::Kind::all;
            if (interest.selector.bucket() == bucket &&
                (key ? !all && interest.matches_key(*key) : all)) {
                members.emplace(subscriber, at);
            }
        }
        return members;
    }

    /// Removes the interests in a bucket. Returns the subscribers that have none left.
    Subscribers end_bucket(const std::string& bucket)
    {
        Subscribers gone;
        std::erase_if(there_, [&](const auto& each) {
            const auto& [subscriber, at] = each;
            return subscriber->interests()[at].selector.bucket() == bucket &&
                   (gone.insert(subscriber), true);
        });
        for (const auto& [subscriber, at] : there_) {
            gone.erase(subscriber);
        }
        return gone;
    }

    Subscribers everybody() const
    {
        Subscribers subscribers;
        for (const auto& [subscriber, at] : there_) {
            subscribers.insert(subscriber);
        }
        return subscribers;
    }

private:
    Members there_;
};

void check_equal(const SelectorIndex& index, const Model& model,
                 const std::vector<std::string>& buckets, const std::string& key)
{
    for (const std::string& bucket : buckets) {
        BOOST_TEST_REQUIRE(followers(index, bucket) == model.of(bucket, nullptr));
        BOOST_TEST_REQUIRE(followers(index, bucket, key) == model.of(bucket, &key));
        BOOST_REQUIRE(!index.find(bucket) || !index.find(bucket)->empty());
    }
}

/// Returns a selector of any kind.
Selector random_selector(std::mt19937& random)
{
    switch (random() % 6) {
    case 0:
        return all();
    case 1:
        return prefix(few_bytes(random, 3));
    case 2: {
        const std::string first = few_bytes(random, 1);
        return range(first, first + few_bytes(random, 1) + "\xff");
    }
    case 3:
        return range(few_bytes(random, 2), "");
    case 4:
        return glob(few_bytes(random, 2) + "*" + few_bytes(random, 1));
    default:
        return key("a" + few_bytes(random, 2));
    }
}

SharedSubscription random_subscription(std::mt19937& random,
                                       const std::vector<std::string>& buckets)
{
    std::vector<BucketSelector> selectors;
    for (std::size_t count = 1 + random() % 4; count > 0; --count) {
        selectors.push_back(in(buckets[random() % buckets.size()], random_selector(random)));
    }
    return subscribe(Selectors(selectors));
}

}  // namespace

// `SelectorIndex`: subscribers by bucket and key.
BOOST_AUTO_TEST_SUITE(test_selector_index)

BOOST_AUTO_TEST_CASE(subscribers_are_found_by_bucket_and_key)
{
    SelectorIndex index;
    const auto one = subscribe("b", key("k"));
    const auto whole = subscribe("b", all());
    index.add(one);
    index.add(whole);
    BOOST_TEST(followers(index, "b") == (Members{{whole.get(), 0}}));
    BOOST_TEST(followers(index, "b", "k") == (Members{{one.get(), 0}}));
    BOOST_TEST(!index.find("c"));
}

BOOST_AUTO_TEST_CASE(the_last_subscriber_of_a_bucket_leaves_nothing_in_the_index)
{
    SelectorIndex index;
    const auto one = subscribe("b", key("k"));
    index.add(one);
    BOOST_TEST(index.remove(*one));
    BOOST_TEST(!index.find("b"));
    BOOST_TEST(!index.remove(*one));
    index.add(one);  // may be added again
    BOOST_TEST(index.remove(*one));
}

BOOST_AUTO_TEST_CASE(the_index_may_be_the_only_owner_of_what_it_removes)
{
    SelectorIndex index;
    auto last = subscribe("b", key("k"));
    auto other = subscribe("b", key("k"));
    index.add(last);
    index.add(other);
    Subscription& first_one = *last;
    std::weak_ptr<Subscription> gone = last;
    last.reset();
    BOOST_TEST(index.remove(first_one));
    BOOST_TEST(gone.expired());
    Subscription& second_one = *other;
    other.reset();
    BOOST_TEST(index.remove(second_one));
    BOOST_TEST(!index.find("b"));
}

BOOST_AUTO_TEST_CASE(keys_are_bytes)
{
    SelectorIndex index;
    const std::string binary("a\0b", 3);
    const auto one = subscribe(binary, key(binary));
    const auto other = subscribe("a", key("a"));
    index.add(one);
    index.add(other);
    BOOST_TEST(followers(index, binary, binary) == (Members{{one.get(), 0}}));
    BOOST_TEST(followers(index, "a", "a") == (Members{{other.get(), 0}}));
}

BOOST_AUTO_TEST_CASE(a_bucket_is_detached_whole_and_alone)
{
    SelectorIndex index;
    const auto one = subscribe("b", key("k"));
    const auto whole = subscribe("b", all());
    const auto elsewhere = subscribe("c", all());
    for (const auto& each : {one, whole, elsewhere}) {
        index.add(each);
    }
    BOOST_TEST(set_of(end_bucket(index, "b")) == (Subscribers{one.get(), whole.get()}));
    BOOST_TEST(!index.find("b"));
    BOOST_TEST(end_bucket(index, "b").empty());
    BOOST_TEST(!index.remove(*one));  // it is removed after that, and is no longer in the index
    BOOST_TEST(followers(index, "c") == (Members{{elsewhere.get(), 0}}));
}

BOOST_AUTO_TEST_CASE(a_subscriber_of_several_buckets_is_removed_with_the_last_of_them)
{
    SelectorIndex index;
    const auto both = subscribe({in("b", key("k")), in("c", all()), in("b", prefix("k"))});
    const auto alone = subscribe("b", key("k"));
    const auto everything = subscribe({in("b", all()), whole_database()});
    for (const auto& each : {both, alone, everything}) {
        index.add(each);
    }
    BOOST_TEST(followers(index, "b", "k") ==
               (Members{{both.get(), 0}, {both.get(), 2}, {alone.get(), 0}}));
    BOOST_TEST(set_of(end_bucket(index, "b")) == Subscribers{alone.get()});
    BOOST_TEST(!index.find("b"));
    BOOST_TEST(followers(index, "c") == (Members{{both.get(), 1}}));
    BOOST_TEST(index.whole_database().size() == 1U);
    BOOST_TEST(set_of(end_bucket(index, "c")) == Subscribers{both.get()});
    BOOST_TEST(!index.remove(*both));
    BOOST_TEST(index.remove(*everything));
    BOOST_TEST(index.whole_database().empty());
}

BOOST_AUTO_TEST_CASE(lost_interests_are_not_added_again)
{
    SelectorIndex index;
    const auto one = subscribe({in("b", all()), in("c", all())});
    one->interests()[0].lost = true;
    index.add(one);
    BOOST_TEST(!index.find("b"));
    BOOST_TEST(followers(index, "c") == (Members{{one.get(), 1}}));
    BOOST_TEST(set_of(end_bucket(index, "c")) == Subscribers{one.get()});
}

BOOST_AUTO_TEST_CASE(each_detached_subscriber_is_returned_once)
{
    SelectorIndex index;
    const auto one = subscribe({in("b", all()), in("c", range("a", "b")), whole_database()});
    const auto other = subscribe("b", glob("*"));
    index.add(one);
    index.add(other);
    BOOST_TEST(set_of(detach_all(index)) == (Subscribers{one.get(), other.get()}));
    BOOST_TEST(index.whole_database().empty());
    BOOST_TEST(!index.remove(*one));
    index.add(one);
    BOOST_TEST(index.remove(*one));
}

// Every removal changes the places of other interests; a mistake shows as a wrong removal of
// another one.
BOOST_AUTO_TEST_CASE(random_changes_keep_it_equal_to_a_model)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    const std::vector<std::string> buckets{"x", "y", "z"};
    std::vector<SharedSubscription> everybody;
    for (int i = 0; i < 40; ++i) {
        everybody.push_back(random_subscription(random, buckets));
    }
    SelectorIndex index;
    Model model;
    for (int step = 0; step < 5000; ++step) {
        const SharedSubscription& one = everybody[random() % everybody.size()];
        if (random() % 40 == 0) {
            const std::string bucket = buckets[random() % buckets.size()];
            BOOST_TEST(set_of(end_bucket(index, bucket)) == model.end_bucket(bucket));
        } else if (index.remove(*one)) {
            BOOST_TEST(model.remove(one), "seed " << seed);
        } else {
            BOOST_TEST(!model.remove(one), "seed " << seed);
            index.add(one);
            model.add(one);
        }
        check_equal(index, model, buckets, "a" + few_bytes(random, 3));
    }
    BOOST_TEST(set_of(detach_all(index)) == model.everybody());
    for (const std::string& bucket : buckets) {
        BOOST_TEST(!index.find(bucket));
    }
}

BOOST_AUTO_TEST_SUITE_END()
