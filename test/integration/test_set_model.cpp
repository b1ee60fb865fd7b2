// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::string_literals;

namespace {

using Strings = std::vector<std::string>;
using Members = std::set<std::string>;

const Strings all_keys{"k"s, "k\0"s, "l"s, "\xff"s};
const Strings all_members{""s,   "\0"s, "a"s,    "a\0"s,      "b"s,
                          "c1"s, "c2"s, "\xff"s, "\xff\xff"s, std::string(200, 'c')};

/// The contents of the buckets, without empty sets, and the number of messages so far.
struct Model {
    using Bucket = std::map<std::string, Members>;
    std::map<std::string, Bucket> buckets{{"s", {}}, {"t", {}}};
    std::size_t changes = 0;

    const Members& at(const std::string& bucket, const std::string& key) const
    {
        static const Members none;
        const Bucket& sets = buckets.at(bucket);
        const auto found = sets.find(key);
        return found == sets.end() ? none : found->second;
    }
    bool add(const std::string& bucket, const std::string& key, const std::string& member)
    {
        const bool added = buckets.at(bucket)[key].insert(member).second;
        changes += added ? 1 : 0;
        return added;
    }
    bool remove(const std::string& bucket, const std::string& key, const std::string& member)
    {
        const auto found = buckets.at(bucket).find(key);
        const bool removed = found != buckets.at(bucket).end() && found->second.erase(member) > 0;
        if (removed && found->second.empty()) {
            buckets.at(bucket).erase(found);
        }
        changes += removed ? 1 : 0;
        return removed;
    }
    bool erase(const std::string& bucket, const std::string& key)
    {
        const bool erased = buckets.at(bucket).erase(key) > 0;
        changes += erased ? 1 : 0;
        return erased;
    }
    /// Applies a message as a consumer would.
    void replay(const Message& message)
    {
        const std::string bucket(message.bucket);
        const std::string key(message.key);
        const std::string value(message.value);
        bool changed = false;
        switch (message.operation) {
        case Operation::add:
            changed = add(bucket, key, value);
            break;
        case Operation::remove:
            changed = remove(bucket, key, value);
            break;
        case Operation::erase:
            changed = message.count == at(bucket, key).size() && erase(bucket, key);
            break;
        default:
            break;
        }
        BOOST_TEST(changed);
    }
};

class Walk {
public:
    explicit Walk(std::uint32_t seed) : random_(seed) {}

    std::size_t below(std::size_t end) { return random_() % end; }
    std::string bucket() { return below(2) == 0 ? "s" : "t"; }
    std::string key() { return all_keys[below(all_keys.size())]; }
    std::string member() { return all_members[below(all_members.size())]; }
    Strings members()
    {
        Strings members(below(5));
        std::ranges::generate(members, [&] { return member(); });
        return members;
    }

    /// Makes one change to both. Returns true if the results agree.
    bool change(Transaction& tx, Model& model);
    /// Makes one read of both. Returns true if the results agree.
    bool read(const Snapshot& snapshot, const Model& model);

private:
    bool move(Transaction& tx, Model& model);
    bool pop(Transaction& tx, Model& model);

    std::mt19937 random_;
};

bool Walk::change(Transaction& tx, Model& model)
{
    const std::string bucket = this->bucket();
    const std::string key = this->key();
    const std::string member = this->member();
    const Strings many = members();
    Set set = tx.set(bucket);
    switch (below(16)) {
    case 0:
        return set.erase(key) == model.erase(bucket, key);
    case 1:
    case 2: {
        const auto added = std::ranges::count_if(
            many, [&](const std::string& each) { return model.add(bucket, key, each); });
        return set.add(key, many) == static_cast<std::uint64_t>(added);
    }
    case 3: {
        const auto removed = std::ranges::count_if(
            many, [&](const std::string& each) { return model.remove(bucket, key, each); });
        return set.remove(key, many) == static_cast<std::uint64_t>(removed);
    }
    case 4:
    case 5:
        return set.remove(key, member) == model.remove(bucket, key, member);
    case 6:
    case 7:
        return pop(tx, model);
    case 8:
    case 9:
    case 10:
        return move(tx, model);
    default:
        return set.add(key, member) == model.add(bucket, key, member);
    }
}

bool Walk::move(Transaction& tx, Model& model)
{
    const std::string from = bucket();
    const std::string to = bucket();
    const std::string from_key = key();
    const std::string to_key = key();
    const std::string member = this->member();
    const bool expected = model.at(from, from_key).contains(member);
    if (expected && (from != to || from_key != to_key)) {
        model.remove(from, from_key, member);
        model.add(to, to_key, member);
    }
    Set source = tx.set(from);
    Set target = tx.set(to);
    return source.move(from_key, target, to_key, member) == expected;
}

bool Walk::pop(Transaction& tx, Model& model)
{
    const std::string bucket = this->bucket();
    const std::string key = this->key();
    const Members& there = model.at(bucket, key);
    const auto expected = there.empty() ? std::nullopt : std::optional(*there.begin());
    if (expected) {
        model.remove(bucket, key, *expected);
    }
    return tx.set(bucket).pop(key) == expected;
}

bool Walk::read(const Snapshot& snapshot, const Model& model)
{
    const std::string bucket = this->bucket();
    const std::string other_bucket = this->bucket();
    const std::string key = this->key();
    const std::string other_key = this->key();
    const SetView set = snapshot.set(bucket);
    const SetView other = snapshot.set(other_bucket);
    const Members& a = model.at(bucket, key);
    const Members& b = model.at(other_bucket, other_key);
    const std::string prefix = member().substr(0, 1);
    Strings both;
    Strings either;
    Strings first_only;
    Strings begun;
    Strings keys;
    std::ranges::set_intersection(a, b, std::back_inserter(both));
    std::ranges::set_union(a, b, std::back_inserter(either));
    std::ranges::set_difference(a, b, std::back_inserter(first_only));
    std::ranges::copy_if(a, std::back_inserter(begun),
                         [&](const std::string& each) { return each.starts_with(prefix); });
    for (const auto& [each, members] : model.buckets.at(bucket)) {
        keys.push_back(each);
    }
    std::vector<bool> there;
    for (const std::string& each : all_members) {
        there.push_back(a.contains(each));
    }
    return set.size(key) == a.size() && set.contains_many(key, all_members) == there &&
           set.members(key).to_vector() == Strings(a.begin(), a.end()) &&
           set.members(key, prefix).to_vector() == begun && set.keys().to_vector() == keys &&
           set.intersection(key, other, other_key).to_vector() == both &&
           set.unite(key, other, other_key).to_vector() == either &&
           set.difference(key, other, other_key).to_vector() == first_only;
}

/// Returns what a consumer of both buckets has that starts at the beginning.
asio::awaitable<Model> replayed(Database db)
{
    Model model;
    for (const char* const bucket : {"s", "t"}) {
        const auto take = [&model](const Message& message) {
            if (message.operation != Operation::bucket_created) {
                model.replay(message);
            }
        };
        Watcher watcher = db.watch(bucket, all(), take, watch_from(From::revision(1)));
        const Run run = co_await start(watcher);
        co_await watcher.reached(db.head_revision());
        co_await watcher.stop();
        co_await run.end();
    }
    co_return model;
}

}  // namespace

// Compares random operations of two buckets of sets with sets of the standard library: their
// results, what a transaction and a view see afterwards, and what a consumer has that replays the
// messages.
BOOST_FIXTURE_TEST_SUITE(test_set_model, EventLoop)

BOOST_AUTO_TEST_CASE(random_operations_agree_with_sets)
{
    const std::uint32_t seed = std::random_device()();
    BOOST_TEST_MESSAGE("seed " << seed);
    run([&]() -> Task {
        Database db = co_await open_database(watched_options());
        co_await create(db, "s", Structure::set);
        co_await create(db, "t", Structure::set);
        Walk walk(seed);
        Model model;
        for (int i = 0; i < 300; ++i) {
            Model changed = model;
            const bool fails = walk.below(4) == 0;
            const auto transaction = [&](Transaction& tx) {
                for (std::size_t left = walk.below(20); left > 0; --left) {
                    BOOST_TEST(walk.change(tx, changed), "seed " << seed);
                    BOOST_TEST(walk.read(tx, changed), "seed " << seed);
                }
                if (fails) {
                    throw std::out_of_range("on purpose");
                }
            };
            try {
                co_await db.update(transaction);
                model = changed;
            } catch (const std::out_of_range&) {
                BOOST_TEST(fails);
            }
            co_await db.view([&](const Snapshot& snapshot) {
                for (int reads = 0; reads < 5; ++reads) {
                    BOOST_TEST(walk.read(snapshot, model), "seed " << seed);
                }
            });
        }
        const Model consumer = co_await replayed(db);
        BOOST_TEST((consumer.buckets == model.buckets), "seed " << seed);
        BOOST_TEST(consumer.changes == model.changes, "seed " << seed);
        BOOST_TEST(model.changes > 100U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
