// SPDX-License-Identifier: BSL-1.0
#include "watch/selector_index.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::watch;

namespace {

SharedSubscription subscribe(const std::string& bucket, Selector selector)
{
    return std::make_shared<Subscription>(in(bucket, std::move(selector)), Filter(), Budget{8, 8});
}

using Members = std::set<Subscription*>;

/// Nobody twice.
void insert(Members& members, const SharedSubscription& one)
{
    BOOST_TEST(members.insert(one.get()).second);
}

Members members(const SelectorIndex::Subscribers& list)
{
    Members members;
    for (const SharedSubscription& each : list) {
        insert(members, each);
    }
    return members;
}

Members followers(const SelectorIndex& index, const std::string& bucket)
{
    Members members;
    if (const KeyIndex* const keys = index.find(bucket)) {
        for (const Reference& each : keys->all()) {
            insert(members, each.subscriber);
        }
    }
    return members;
}

Members followers(const SelectorIndex& index, const std::string& bucket, const std::string& key)
{
    Members members;
    if (const KeyIndex* const keys = index.find(bucket)) {
        keys->match(key, [&](const Reference& each) { insert(members, each.subscriber); });
    }
    return members;
}

/// What the index ought to hold: the slow and obvious way.
class Model {
public:
    void add(const SharedSubscription& one) { there_.insert(one); }
    bool remove(const SharedSubscription& one) { return there_.erase(one) > 0; }

    Members of(const std::string& bucket, const std::string* key) const
    {
        Members members;
        for (const SharedSubscription& each : there_) {
            const Interest& interest = each->interests().front();
            const bool all = interest.selector.selector().kind() == Selector::Kind::all;
            if (interest.selector.bucket() == bucket &&
                (key ? !all && interest.matches_key(*key) : all)) {
                members.insert(each.get());
            }
        }
        return members;
    }

    Members end_bucket(const std::string& bucket)
    {
        Members members;
        std::erase_if(there_, [&](const SharedSubscription& each) {
            return each->interests().front().selector.bucket() == bucket &&
                   members.insert(each.get()).second;
        });
        return members;
    }

private:
    std::set<SharedSubscription> there_;
};

void check_equal(const SelectorIndex& index, const Model& model,
                 const std::vector<std::string>& names)
{
    for (const std::string& bucket : names) {
        BOOST_CHECK(followers(index, bucket) == model.of(bucket, nullptr));
        for (const std::string& key : names) {
            BOOST_CHECK(followers(index, bucket, key) == model.of(bucket, &key));
        }
        BOOST_CHECK(!index.find(bucket) || !index.find(bucket)->empty());
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_selector_index)

BOOST_AUTO_TEST_CASE(subscribers_are_found_by_bucket_and_key)
{
    SelectorIndex index;
    const auto one = subscribe("b", key("k"));
    const auto whole = subscribe("b", all());
    index.add(one);
    index.add(whole);
    BOOST_CHECK(followers(index, "b") == Members{whole.get()});
    BOOST_CHECK(followers(index, "b", "k") == Members{one.get()});
    BOOST_TEST(!index.find("c"));
}

BOOST_AUTO_TEST_CASE(nothing_is_left_of_the_last_subscriber_of_a_bucket)
{
    SelectorIndex index;
    const auto one = subscribe("b", key("k"));
    index.add(one);
    BOOST_TEST(index.remove(*one));
    BOOST_TEST(!index.find("b"));
    BOOST_TEST(!index.remove(*one));
    index.add(one);  // may come back
    BOOST_TEST(index.remove(*one));
}

BOOST_AUTO_TEST_CASE(the_index_alone_may_own_whom_it_removes)
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
    BOOST_CHECK(followers(index, binary, binary) == Members{one.get()});
    BOOST_CHECK(followers(index, "a", "a") == Members{other.get()});
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
    BOOST_CHECK(members(index.end_bucket("b")) == (Members{one.get(), whole.get()}));
    BOOST_TEST(!index.find("b"));
    BOOST_TEST(index.end_bucket("b").empty());
    BOOST_TEST(!index.remove(*one));  // they leave later, and find that they are out
    BOOST_CHECK(followers(index, "c") == Members{elsewhere.get()});
}

// Places are swapped around by every removal; a mistake shows up later, as somebody else's loss.
BOOST_AUTO_TEST_CASE(random_changes_keep_it_equal_to_a_model)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    const std::vector<std::string> names{"x", "y", "z"};
    std::vector<SharedSubscription> everybody;
    for (const std::string& bucket : names) {
        for (int i = 0; i < 12; ++i) {
            const std::size_t kind = static_cast<std::size_t>(i) % 4;
            everybody.push_back(subscribe(bucket, kind == 3 ? all() : key(names[kind])));
        }
    }
    SelectorIndex index;
    Model model;
    for (int step = 0; step < 3000; ++step) {
        const SharedSubscription& one = everybody[random() % everybody.size()];
        if (random() % 40 == 0) {
            const std::string bucket = names[random() % names.size()];
            BOOST_CHECK(members(index.end_bucket(bucket)) == model.end_bucket(bucket));
        } else if (index.remove(*one)) {
            BOOST_TEST(model.remove(one), "seed " << seed);
        } else {
            BOOST_TEST(!model.remove(one), "seed " << seed);
            index.add(one);
            model.add(one);
        }
        check_equal(index, model, names);
    }
    Members rest = members(index.detach_all());
    for (const std::string& bucket : names) {
        for (Subscription* const each : model.end_bucket(bucket)) {
            BOOST_TEST(rest.erase(each) == 1U);
        }
        BOOST_TEST(!index.find(bucket));
    }
    BOOST_TEST(rest.empty());
}

BOOST_AUTO_TEST_SUITE_END()
