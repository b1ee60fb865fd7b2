// SPDX-License-Identifier: BSL-1.0
#include "support/loop/hand_clock.hpp"
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <random>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

using Ttl = std::optional<std::chrono::milliseconds>;

struct Timed : EventLoop {
    HandClock clock;

    asio::awaitable<Database> open() const
    {
        Options options = watched_options();
        options.clock = clock.clock();
        return open_with(options, "b");
    }

    /// Runs cases in one transaction, during which nothing is swept and the clock does not advance.
    void in_transaction(std::function<void(BTree)> check)
    {
        run([this, check]() -> Task {
            Database db = co_await open();
            co_await db.update([&](Transaction& tx) { check(tx.btree("b")); });
            co_await db.close();
        });
    }
};

boost::system::error_code failure_of_put(BTree tree, std::chrono::milliseconds ttl)
{
    return failure_of([&] { tree.put("k", "v", ttl); });
}

/// The expected contents of a bucket.
struct Model {
    struct Entry {
        std::string value;
        std::optional<Time> deadline;
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    std::map<std::string, Entry> entries;

    void expire(Time now)
    {
        std::erase_if(entries, [now](const auto& each) {
            return each.second.deadline && *each.second.deadline <= now;
        });
    }
    bool has(const std::string& key) const { return entries.contains(key); }

    /// Applies a message as a consumer would, which must not need more information.
    void replay(const Message& message)
    {
        const std::string key(message.key);
        switch (message.operation) {
        case Operation::put:
            entries[key] = {std::string(message.value), message.deadline};
            break;
        case Operation::ttl:
            BOOST_TEST(has(key));
            BOOST_TEST(entries[key].deadline != message.deadline);
            entries[key].deadline = message.deadline;
            break;
        case Operation::erase:
            BOOST_TEST(has(key));
            BOOST_TEST(message.previous == entries[key].value);
            if (message.cause == Cause::expired) {
                BOOST_REQUIRE(entries[key].deadline.has_value());
                BOOST_TEST(*entries[key].deadline <= message.time);
            }
            entries.erase(key);
            break;
        default:
            break;
        }
    }
};

/// Makes one random change to a bucket and to its model.
class Operations {
public:
    explicit Operations(unsigned seed) : random_(seed) {}

    unsigned below(unsigned end) { return static_cast<unsigned>(random_() % end); }

    void make_one(BTree tree, Model& model, Time now)
    {
        const std::string key = std::to_string(below(12));
        const std::string value = std::to_string(below(1000));
        const std::chrono::milliseconds ttl{1 + below(20)};
        auto& entries = model.entries;
        switch (below(11)) {
        case 0:
            tree.put(key, value);
            entries[key] = {value, std::nullopt};
            break;
        case 1:
        case 2:
            tree.put(key, value, ttl);
            entries[key] = {value, now + ttl};
            break;
        case 3:
            BOOST_TEST(tree.set_ttl(key, ttl) == model.has(key));
            if (model.has(key)) {
                entries[key].deadline = now + ttl;
            }
            break;
        case 4:
            BOOST_TEST(tree.clear_ttl(key) == (model.has(key) && entries[key].deadline));
            if (model.has(key)) {
                entries[key].deadline.reset();
            }
            break;
        case 5:
            BOOST_TEST(tree.erase(key) == (entries.erase(key) == 1));
            break;
        case 6:
            BOOST_TEST(tree.put_if_absent(key, value, ttl) == !model.has(key));
            entries.insert({key, {value, now + ttl}});
            break;
        case 7:
            BOOST_TEST(tree.put_if_present(key, value) == model.has(key));
            if (model.has(key)) {
                entries[key] = {value, std::nullopt};
            }
            break;
        case 8:
            BOOST_TEST(tree.append(key, value) == entries[key].value.size() + value.size());
            entries[key].value += value;
            break;
        case 9:
            BOOST_TEST(tree.exchange(key, value).has_value() == model.has(key));
            entries[key] = {value, std::nullopt};
            break;
        default:
            BOOST_TEST(tree.put_if_absent(key, value) == !model.has(key));
            entries.insert({key, {value, std::nullopt}});
        }
    }

private:
    std::mt19937 random_;
};

void check_equal(BTreeView tree, const Model& model, Time now)
{
    std::vector<std::string> keys;
    for (const auto& [key, entry] : model.entries) {
        keys.push_back(key);
        BOOST_TEST(tree.get(key) == entry.value);
        const auto left =
            entry.deadline
                ? Ttl(std::chrono::ceil<std::chrono::milliseconds>(*entry.deadline - now))
                : std::nullopt;
        BOOST_TEST(tree.ttl(key) == left);
    }
    BOOST_TEST(tree.scan().keys() == keys);
    BOOST_TEST(tree.first_key() == (keys.empty() ? std::nullopt : std::optional(keys.front())));
    BOOST_TEST(tree.last_key() == (keys.empty() ? std::nullopt : std::optional(keys.back())));
    std::vector<std::string> reversed = tree.scan({.reverse = true}).keys();
    std::ranges::reverse(reversed);
    BOOST_TEST(reversed == keys);
}

}  // namespace

// Deadlines of keys of a BTree bucket, as the public interface shows them.
BOOST_FIXTURE_TEST_SUITE(test_btree_ttl, Timed)

BOOST_AUTO_TEST_CASE(put_clears_the_deadline_and_other_changes_keep_it)
{
    in_transaction([](BTree tree) {
        const auto ttl_after = [&](auto operation) {
            tree.put("k", "1", 10ms);
            operation();
            return tree.ttl("k");
        };
        BOOST_TEST(ttl_after([] {}) == 10ms);
        BOOST_TEST(ttl_after([&] { tree.put("k", "2"); }) == std::nullopt);
        BOOST_TEST(ttl_after([&] { tree.put("k", "2", 5ms); }) == 5ms);
        BOOST_TEST(ttl_after([&] { tree.put_if_present("k", "2"); }) == std::nullopt);
        BOOST_TEST(ttl_after([&] { tree.put_if_absent("k", "2", 5ms); }) == 10ms);
        BOOST_TEST(ttl_after([&] { tree.exchange("k", "2"); }) == std::nullopt);
        BOOST_TEST(ttl_after([&] { tree.increment("k"); }) == 10ms);
        BOOST_TEST(ttl_after([&] { tree.decrement("k"); }) == 10ms);
        BOOST_TEST(ttl_after([&] { tree.append("k", "2"); }) == 10ms);
        BOOST_TEST(ttl_after([&] { tree.set_bit("k", 99, true); }) == 10ms);
        BOOST_TEST(ttl_after([&] { tree.put_many({{"k", "2"}}, 5ms); }) == 5ms);
        BOOST_TEST(ttl_after([&] { tree.clear_ttl("k"); }) == std::nullopt);
    });
}

BOOST_AUTO_TEST_CASE(every_iterator_move_skips_expired_keys)
{
    run([this]() -> Task {
        Database db = co_await open();
        co_await db.update([](Transaction& tx) {
            BTree tree = tx.btree("b");
            for (const char* key : {"a", "c", "e", "g"}) {
                tree.put(key, "v", 10ms);
            }
            tree.put_many({{"b", "v"}, {"f", "v"}});
        });
        clock.advance(10ms);  // the next turn is this test's: nothing is swept before
        co_await db.update([](Transaction& tx) {
            BTree tree = tx.btree("b");
            BTreeIterator at = tree.iterator();
            const auto place_after = [&](auto move) {
                move();
                return at.valid() ? std::string(at.key()) : "none";
            };
            BOOST_TEST(place_after([&] { at.first(); }) == "b");
            BOOST_TEST(place_after([&] { at.next(); }) == "f");
            BOOST_TEST(place_after([&] { at.next(); }) == "none");
            BOOST_TEST(place_after([&] { at.last(); }) == "f");
            BOOST_TEST(place_after([&] { at.previous(); }) == "b");
            BOOST_TEST(place_after([&] { at.previous(); }) == "none");
            BOOST_TEST(place_after([&] { at.seek("c"); }) == "f");
            BOOST_TEST(place_after([&] { at.seek("g"); }) == "none");
            BOOST_TEST(place_after([&] { at.seek_before("f"); }) == "b");
            BOOST_TEST(place_after([&] { at.seek_before("b"); }) == "none");
            BOOST_TEST(tree.first_key() == "b");
            BOOST_TEST(tree.last_key() == "f");
            BOOST_TEST((tree.range("c", "f", {.reverse = true}).keys().empty()));
        });
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_refused_time_to_live_changes_nothing)
{
    in_transaction([](BTree tree) {
        tree.put("k", "old", 10ms);
        BOOST_TEST(failure_of_put(tree, 0ms) == code(Error::invalid_ttl));
        BOOST_TEST(failure_of_put(tree, std::chrono::milliseconds::max()) ==
                   code(Error::invalid_ttl));
        BOOST_TEST(failure_of([&] { tree.set_ttl("k", -1ms); }) == code(Error::invalid_ttl));
        BOOST_TEST(failure_of([&] { tree.put("", "v", 1ms); }) == code(Error::empty_key));
        BOOST_TEST(!tree.set_ttl("", 1ms));
        BOOST_TEST(!tree.clear_ttl(""));
        BOOST_TEST(tree.get("k") == "old");
        BOOST_TEST(tree.ttl("k") == 10ms);
    });
}

BOOST_AUTO_TEST_CASE(messages_contain_the_deadline)
{
    run([this]() -> Task {
        Database db = co_await open();
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        const Revision revision = co_await db.update([](Transaction& tx) {
            BTree tree = tx.btree("b");
            tree.put("k", "1", 10ms);
            tree.increment("k");
            tree.set_ttl("k", 10ms);  // the same deadline that it has
            tree.set_ttl("k", 20ms);
            tree.clear_ttl("k");
            tree.clear_ttl("k");
        });
        co_await watcher.reached(revision);
        std::vector<std::optional<Time>> deadlines;
        for (const OwnedMessage& each : recorder.messages()) {
            deadlines.push_back(each->deadline);
        }
        BOOST_TEST(deadlines ==
                   (std::vector<std::optional<Time>>{clock.now() + 10ms, clock.now() + 10ms,
                                                     clock.now() + 20ms, std::nullopt}));
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(one_line_and_bulk_writes_take_a_time_to_live)
{
    run([this]() -> Task {
        Database db = co_await open();
        co_await db.put("b", "line", "v", 10ms);
        BulkWriter writer = db.bulk_writer();
        co_await writer.put("b", "bulk", "v", 10ms);
        co_await writer.put("b", "for ever", "v");
        BOOST_TEST(failure_of([&] { (void)writer.put("b", "k", "v", 0ms); }) ==
                   code(Error::invalid_ttl));
        clock.advance(5ms);
        co_await writer.flush();
        co_await db.view([](const Snapshot& snapshot) {
            const BTreeView tree = snapshot.btree("b");
            BOOST_TEST(tree.ttl("line") == 5ms);
            BOOST_TEST(tree.ttl("bulk") == 10ms);  // counted from its transaction
            BOOST_TEST(tree.ttl("for ever") == std::nullopt);
            BOOST_TEST(!tree.contains("k"));
        });
        co_await db.close();
    });
}

// Sweeps may happen at any time. Readers and writers must not notice, and a consumer of the
// messages has the same contents at the end.
BOOST_AUTO_TEST_CASE(random_transactions_equal_a_map_and_so_does_a_replay)
{
    const unsigned seed = std::random_device{}();
    BOOST_TEST_MESSAGE("seed " << seed);
    run([this, seed]() -> Task {
        Operations operations(seed);
        Model model;
        Model replayed;
        Database db = co_await open();
        Watcher watcher =
            db.watch("b", all(), [&](const Message& message) { replayed.replay(message); });
        const Run run = co_await start(watcher);
        for (int round = 0; round < 400; ++round) {
            co_await db.update([&](Transaction& tx) {
                model.expire(clock.now());
                for (unsigned i = operations.below(5); i > 0; --i) {
                    operations.make_one(tx.btree("b"), model, clock.now());
                }
                check_equal(tx.btree("b"), model, clock.now());
            });
            clock.advance(std::chrono::microseconds(operations.below(4000)));
            model.expire(clock.now());
            co_await db.view([&](const Snapshot& snapshot) {
                check_equal(snapshot.btree("b"), model, clock.now());
            });
        }
        co_await until([&] { return replayed.entries == model.entries; });
        BOOST_TEST(db.stats().engine.expired > 0U, "seed " << seed);
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
