// SPDX-License-Identifier: BSL-1.0
#include "embedded/transaction/merged_iterator.hpp"

#include "storage/failed_reads.hpp"
#include "storage/store.hpp"
#include "storage/table/checked_iterator.hpp"
#include "support/printing.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <leveldb/iterator.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::embedded;
using keywatch::test::error_of;

namespace {

const std::string prefix = storage::data_prefix(7);

/// Three layers over buckets 6 to 8, and the expected view of bucket 7.
class Layered {
public:
    void store(const std::string& key, const std::string& value, storage::BucketId bucket = 7)
    {
        storage::Batch batch;
        batch.put(storage::data_prefix(bucket) + key, value);
        store_->write(batch, false);
        if (bucket == 7) {
            merged_[key] = value;
        }
    }

    /// Adds a write of a transaction that was executed before.
    void execute(const std::string& key, const std::optional<std::string>& value)
    {
        auto writes = std::make_shared<WriteSet>();
        value ? writes->put(prefix + key, *value) : writes->erase(prefix + key);
        overlay_.add(++revision_, std::move(writes));
        set(key, value);
    }

    void write(const std::string& key, const std::optional<std::string>& value)
    {
        value ? writes_.put(prefix + key, *value) : writes_.erase(prefix + key);
        set(key, value);
    }

    MergedIterator iterate()
    {
        return MergedIterator(prefix, {make_layer(writes_), make_layer(overlay_),
                                       make_layer(store_->iterate(nullptr, true))});
    }

    const std::map<std::string, std::string>& merged() const { return merged_; }

private:
    void set(const std::string& key, const std::optional<std::string>& value)
    {
        value ? void(merged_[key] = *value) : void(merged_.erase(key));
    }

    std::unique_ptr<storage::Store> store_ = storage::Store::open(Options("memory:"));
    Overlay overlay_;
    WriteSet writes_;
    Revision revision_ = 0;
    std::map<std::string, std::string> merged_;
};

using Entries = std::vector<std::pair<std::string, std::string>>;

Entries forward(MergedIterator iterator)
{
    Entries entries;
    for (iterator.first(); iterator.valid(); iterator.next()) {
        entries.emplace_back(iterator.key(), iterator.value());
    }
    return entries;
}

Entries backward(MergedIterator iterator)
{
    Entries entries;
    for (iterator.last(); iterator.valid(); iterator.previous()) {
        entries.emplace_back(iterator.key(), iterator.value());
    }
    return entries;
}

std::optional<std::string> random_value(std::mt19937& random)
{
    if (random() % 3 == 0) {
        return std::nullopt;
    }
    return std::to_string(random() % 1000);
}

/// Returns one of few keys, so that layers hide each other, with bytes at both ends of the range.
std::string random_key(std::mt19937& random)
{
    static const std::string bytes("\0\1abcd\xfe\xff", 8);
    std::string key(1, bytes[random() % bytes.size()]);
    if (random() % 2 == 0) {
        key += bytes[random() % bytes.size()];
    }
    return key;
}

void fill(Layered& layers, std::mt19937& random)
{
    for (std::size_t i = random() % 12; i > 0; --i) {
        layers.store(random_key(random), "stored");
    }
    for (const storage::BucketId neighbour : {6U, 8U}) {
        layers.store(random_key(random), "elsewhere", neighbour);
    }
    for (std::size_t i = random() % 8; i > 0; --i) {
        layers.execute(random_key(random), random_value(random));
    }
    for (std::size_t i = random() % 8; i > 0; --i) {
        layers.write(random_key(random), random_value(random));
    }
}

/// An iterator that shows an entry although one of LevelDB's tables cannot be read. Only the note
/// in FailedReads reports that.
class HalfRead final : public leveldb::Iterator {
public:
    bool Valid() const override { return true; }
    void SeekToFirst() override { skip(); }
    void SeekToLast() override { skip(); }
    void Seek(const leveldb::Slice&) override { skip(); }
    void Next() override { skip(); }
    void Prev() override { skip(); }
    leveldb::Slice key() const override { return key_; }
    leveldb::Slice value() const override { return "old"; }
    leveldb::Status status() const override { return leveldb::Status::OK(); }

private:
    static void skip() { storage::FailedReads::note(leveldb::Status::Corruption("a table")); }

    const std::string key_ = prefix + "k";
};

}  // namespace

// `MergedIterator`: layers of writes above the stored entries.
BOOST_FIXTURE_TEST_SUITE(test_merged_iterator, Layered)

BOOST_AUTO_TEST_CASE(newer_layers_hide_older_ones)
{
    store("a", "stored");
    store("b", "stored");
    store("c", "stored");
    execute("b", "executed");
    execute("d", "executed");
    write("c", std::nullopt);
    write("d", "written");
    const Entries expected{{"a", "stored"}, {"b", "executed"}, {"d", "written"}};
    BOOST_TEST(forward(iterate()) == expected);
    BOOST_TEST(backward(iterate()) == Entries(expected.rbegin(), expected.rend()));
}

BOOST_AUTO_TEST_CASE(a_bucket_has_two_ends)
{
    store("z", "", 6);
    store("a", "", 8);
    BOOST_CHECK(forward(iterate()).empty());
    BOOST_CHECK(backward(iterate()).empty());
    store("m", "1");
    MergedIterator iterator = iterate();
    iterator.seek("n");
    BOOST_TEST(!iterator.valid());
    iterator.seek_before("m");
    BOOST_TEST(!iterator.valid());
    iterator.seek_before("n");
    BOOST_TEST(iterator.key() == "m");
    iterator.seek("");
    BOOST_TEST(iterator.key() == "m");
}

BOOST_AUTO_TEST_CASE(writes_ahead_are_seen_and_earlier_ones_are_not)
{
    store("c", "1");
    store("g", "1");
    MergedIterator iterator = iterate();
    iterator.first();
    write("e", "2");
    write("a", "2");
    iterator.next();
    BOOST_TEST(iterator.key() == "e");
    write("g", std::nullopt);
    iterator.next();
    BOOST_TEST(!iterator.valid());
    iterator.last();
    write("d", "2");
    iterator.previous();
    BOOST_TEST(iterator.key() == "d");
}

BOOST_AUTO_TEST_CASE(the_current_entry_does_not_change_until_the_next_move)
{
    store("a", "stored");
    write("b", "b");
    MergedIterator iterator = iterate();
    iterator.first();
    write("a", std::nullopt);
    BOOST_TEST(iterator.value() == "stored");
    iterator.next();
    const std::string_view value = iterator.value();
    write("b", "x");
    write("b", std::nullopt);
    BOOST_TEST(iterator.key() == "b");
    BOOST_TEST(value == "b");
    BOOST_TEST(iterator.value() == "b");
    iterator.previous();
    BOOST_TEST(!iterator.valid());
}

BOOST_AUTO_TEST_CASE(a_loop_may_erase_what_it_walks_over)
{
    for (const char* key : {"a", "b", "c", "d"}) {
        store(key, "1");
        write(std::string(key) + key, "2");
    }
    MergedIterator iterator = iterate();
    int seen = 0;
    for (iterator.first(); iterator.valid(); iterator.next()) {
        ++seen;
        write(std::string(iterator.key()), std::nullopt);
    }
    BOOST_TEST(seen == 8);
    BOOST_CHECK(forward(iterate()).empty());
}

BOOST_AUTO_TEST_CASE(an_entry_that_may_be_hidden_by_an_unreadable_one_is_not_shown)
{
    WriteSet nothing;
    const std::vector<std::function<void(MergedIterator&)>> ways{
        [](MergedIterator& iterator) { iterator.first(); },
        [](MergedIterator& iterator) { iterator.last(); },
        [](MergedIterator& iterator) { iterator.seek("k"); },
        [](MergedIterator& iterator) { iterator.seek_before("l"); },
    };
    for (const auto& move : ways) {
        MergedIterator iterator(
            prefix,
            {make_layer(nothing),
             make_layer(std::make_unique<storage::CheckedIterator>(std::make_unique<HalfRead>()))});
        BOOST_TEST(error_of([&] { move(iterator); }) == Error::damaged);
        BOOST_TEST(!iterator.valid());
    }
}

BOOST_AUTO_TEST_CASE(a_finished_one_refuses_everything)
{
    store("a", "1");
    MergedIterator iterator = iterate();
    iterator.first();
    iterator.finish();
    BOOST_TEST(error_of([&] { iterator.valid(); }) == Error::transaction_finished);
    BOOST_TEST(error_of([&] { iterator.first(); }) == Error::transaction_finished);
    BOOST_TEST(error_of([&] { iterator.next(); }) == Error::transaction_finished);
    BOOST_TEST(error_of([&] { iterator.seek_before("a"); }) == Error::transaction_finished);
    BOOST_TEST(error_of([&] { iterator.key(); }) == Error::transaction_finished);
    BOOST_TEST(error_of([&] { iterator.value(); }) == Error::transaction_finished);
}

BOOST_AUTO_TEST_CASE(random_layers_read_as_their_merger)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 60; ++round) {
        Layered layers;
        fill(layers, random);
        const Entries expected(layers.merged().begin(), layers.merged().end());
        BOOST_REQUIRE_MESSAGE(forward(layers.iterate()) == expected, "seed " << seed);
        BOOST_REQUIRE_MESSAGE(
            backward(layers.iterate()) == Entries(expected.rbegin(), expected.rend()),
            "seed " << seed);
    }
}

// Moves of all kinds, with writes in between. The model looks everything up again.
BOOST_AUTO_TEST_CASE(random_walks_with_writes_follow_a_model)
{
    const auto seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 40; ++round) {
        Layered layers;
        fill(layers, random);
        const std::map<std::string, std::string>& map = layers.merged();
        MergedIterator iterator = layers.iterate();
        iterator.first();
        for (int step = 0; step < 200; ++step) {
            const std::string at = iterator.valid() ? std::string(iterator.key()) : "";
            while (random() % 3 == 0) {
                layers.write(random_key(random), random_value(random));
            }
            // The entry itself when moving forwards, otherwise the one after it.
            auto next = map.end();
            bool back = false;
            const std::string key = random_key(random);
            switch (iterator.valid() ? random() % 6 : random() % 4) {
            case 0:
                iterator.seek(key);
                next = map.lower_bound(key);
                break;
            case 1:
                iterator.seek_before(key);
                next = map.lower_bound(key);
                back = true;
                break;
            case 2:
                iterator.first();
                next = map.begin();
                break;
            case 3:
                iterator.last();
                back = true;
                break;
            case 4:
                iterator.next();
                next = map.upper_bound(at);
                break;
            case 5:
                iterator.previous();
                next = map.lower_bound(at);
                back = true;
                break;
            }
            const bool there = back ? next != map.begin() : next != map.end();
            BOOST_REQUIRE_MESSAGE(iterator.valid() == there, "seed " << seed);
            if (there) {
                const auto expected = back ? std::prev(next) : next;
                BOOST_REQUIRE_MESSAGE(iterator.key() == expected->first, "seed " << seed);
                BOOST_REQUIRE_MESSAGE(iterator.value() == expected->second, "seed " << seed);
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
