// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>
#include <random>
#include <set>
#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;

/// Returns what a commit callback receives, as text.
std::string text_of(const Commit& commit)
{
    std::string text = std::to_string(commit.revision()) + ':';
    for (const Message& message : commit) {
        text += ' ' + std::to_string(message.index) + std::string(message.key);
        text += message.last_in_commit ? "!" : "";
    }
    return text;
}

/// Commits random transactions over three keys: puts, erases of keys that may be absent, nothing at
/// all.
Task commit_at_random(Database db, std::uint32_t seed, int commits)
{
    std::mt19937 random(seed);
    const Strings keys{"a", "b", "c"};
    for (int i = 0; i < commits; ++i) {
        co_await db.update([&](Transaction& tx) {
            BTree tree = tx.btree("b");
            for (auto changes = random() % 6; changes > 0; --changes) {
                const std::string& key = keys[random() % keys.size()];
                if (random() % 3 == 0) {
                    tree.erase(key);
                } else {
                    tree.put(key, std::to_string(i) + "." + std::to_string(changes));
                }
            }
        });
    }
}

/// Applies the messages to an empty state. The previous value of each must equal the value there.
void check_chains(const Recorder& seen)
{
    std::map<std::string, std::string, std::less<>> state;
    for (const OwnedMessage& message : seen.messages()) {
        const auto before = state.find(message->key);
        BOOST_TEST_REQUIRE(message->previous.has_value() == (before != state.end()));
        if (before != state.end()) {
            BOOST_TEST(*message->previous == before->second);
        }
        if (message->operation == Operation::erase) {
            state.erase(before);
        } else {
            state[std::string(message->key)] = message->value;
        }
    }
    BOOST_TEST(state.at("a") == "last");
}

}  // namespace

// The messages of a watch: their order, their content and their completeness.
BOOST_FIXTURE_TEST_SUITE(test_delivery, EventLoop)

// W1
BOOST_AUTO_TEST_CASE(messages_come_in_the_order_of_commits_and_of_their_transaction)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        co_await db.update([](Transaction& tx) {
            BTree tree = tx.btree("b");
            tree.put("z", "1");
            tree.put("a", "2");
            tree.put("z", "3");  // a message of its own, although the key is the same
            tree.erase("a");
            tree.erase("a");  // absent: no message
        });
        co_await put(db, "b", "a", "4");
        co_await watcher.reached(db.head_revision());
        const Strings expected{"2.0 put z=1", "2.1 put a=2", "2.2 put z=3",
                               "2.3 erase a=", "3.0 put a=4"};
        BOOST_TEST(recorder.lines() == expected);
        BOOST_TEST(recorder.messages()[3]->previous == "2");
        BOOST_TEST(recorder.messages()[0]->previous == std::nullopt);
        co_await db.close();
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::database_closed);
    });
}

// W1, trap 12: a watch of a key receives what concerns its key, including erases and the end of the
// bucket. It does not receive other keys, other buckets, or the bucket's creation.
BOOST_AUTO_TEST_CASE(a_selector_selects)
{
    run([]() -> Task {
        Database db = co_await open_with("other");
        Recorder of_key;
        Recorder of_bucket;
        Watcher key_watcher = db.watch("b", key("k"), of_key);
        Watcher bucket_watcher = db.watch("b", all(), of_bucket);
        const Run key_run = co_await start(key_watcher);
        const Run bucket_run = co_await start(bucket_watcher);
        co_await db.update([](Transaction& tx) {
            tx.create_bucket(Structure::btree, "b");
            tx.btree("other").put("k", "not ours");
            tx.btree("b").put("k2", "1");
            tx.btree("b").put("k", "2");
        });
        co_await erase(db, "b", "k");
        co_await drop(db, "b");
        co_await key_run.end();
        co_await bucket_run.end();
        const Strings key_lines{"2.3 put k=2", "3.0 erase k=", "4.0 bucket_deleted"};
        BOOST_TEST(of_key.lines() == key_lines);
        const Strings bucket_lines{"2.0 bucket_created", "2.2 put k2=1", "2.3 put k=2",
                                   "3.0 erase k=", "4.0 bucket_deleted"};
        BOOST_TEST(of_bucket.lines() == bucket_lines);
        co_await db.close();
    });
}

// W1 W2 W3: for any transactions, a watcher that was live from the beginning and one that reads
// everything from history receive the same, in ascending order of (revision, index).
BOOST_AUTO_TEST_CASE(live_and_history_are_the_same_for_random_transactions)
{
    const std::uint32_t seed = std::random_device()();
    BOOST_TEST_MESSAGE("seed " << seed);
    run([&]() -> Task {
        Database db = co_await open_with("b");
        Recorder whole;
        Recorder of_key;
        Watcher whole_watcher = db.watch("b", keywatch::all(), whole);
        Watcher key_watcher = db.watch("b", key("b"), of_key);
        const Run whole_run = co_await start(whole_watcher);
        const Run key_run = co_await start(key_watcher);
        co_await commit_at_random(db, seed, 200);
        co_await whole_watcher.reached(db.head_revision());
        co_await key_watcher.reached(db.head_revision());
        const Strings all = co_await history_of(db, "b", keywatch::all(), From::revision(2));
        const Strings one = co_await history_of(db, "b", key("b"), From::revision(1));
        BOOST_TEST(whole.lines() == all);
        BOOST_TEST(of_key.lines() == one);
        BOOST_TEST(!all.empty());
        std::set<std::pair<Revision, std::uint32_t>> seen;
        for (const OwnedMessage& each : whole.messages()) {
            const std::pair place{each->revision, each->index};
            BOOST_TEST((seen.empty() || place > *seen.rbegin()));
            seen.insert(place);
        }
        co_await db.close();
    });
}

// W1, W3: with previous values, every message continues where the one before it of the same key
// ended, across commits and for every cause, live and from history.
BOOST_AUTO_TEST_CASE(previous_values_form_a_chain_for_every_key)
{
    run([]() -> Task {
        Options options = watched_options();
        options.previous_values = true;
        Database db = co_await open_with(options, "b");
        Recorder live;
        Watcher watcher = db.watch("b", all(), live);
        const Run run = co_await start(watcher);
        co_await commit_at_random(db, 7, 50);
        BulkWriter writer = db.bulk_writer();
        for (const char* key : {"a", "b", "a"}) {
            co_await writer.put("b", key, "bulk");
        }
        co_await writer.erase("b", "b");
        co_await writer.flush();
        co_await put(db, "b", "a", "last");
        co_await watcher.reached(db.head_revision());
        Recorder replayed;
        Watcher late = db.watch("b", all(), replayed, watch_from(From::revision(2)));
        const Run second = co_await start(late);
        co_await late.reached(db.head_revision());
        BOOST_TEST(live.size() > 60U);
        BOOST_TEST(replayed.lines() == live.lines());
        check_chains(live);
        check_chains(replayed);
        co_await db.close();
        co_await run.end();
        co_await second.end();
    });
}

// W4: the same transactions, as one Commit each, and as messages of which the last one is marked.
// Only selected messages count.
BOOST_AUTO_TEST_CASE(a_commit_is_delivered_whole)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Strings commits;
        Strings messages;
        const auto by_commit = [&](const Commit& commit) {
            commits.push_back(text_of(commit));
            BOOST_TEST(commit.previous() == commit.revision() - 1);
            BOOST_TEST(commit.origin() == "me");
        };
        const auto by_message = [&](const Message& message) {
            messages.push_back(std::to_string(message.revision) + std::string(message.key) +
                               (message.last_in_commit ? "!" : ""));
        };
        Watcher first = db.watch("b", all(), by_commit);
        Watcher second = db.watch("b", key("k"), by_message);
        const Run first_run = co_await start(first);
        const Run second_run = co_await start(second);
        for (int i = 0; i < 2; ++i) {
            co_await db.update([](Transaction& tx) {
                tx.set_origin("me");
                tx.btree("b").put("k", "1");
                tx.btree("b").put("j", "2");
                tx.btree("b").put("k", "3");
                tx.btree("b").put("i", "4");
            });
        }
        co_await db.close();
        const Strings whole{"2: 0k 1j 2k 3i!", "3: 0k 1j 2k 3i!"};
        BOOST_TEST(commits == whole);
        const Strings selected{"2k", "2k!", "3k", "3k!"};
        BOOST_TEST(messages == selected);
    });
}

// W4: no message of another commit, or of another turn, comes in between, even with slow
// coroutines.
BOOST_AUTO_TEST_CASE(callbacks_of_one_watcher_never_overlap)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        int inside = 0;
        int most = 0;
        int calls = 0;
        const auto callback = [&](const Message&) -> Task {
            most = std::max(most, ++inside);
            co_await yield();
            co_await yield();
            --inside;
            ++calls;
        };
        Watcher watcher = db.watch("b", all(), callback);
        const Run run = co_await start(watcher);
        co_await put_many(db, "b", 20);
        co_await db.close();
        BOOST_TEST(most == 1);
        BOOST_TEST(calls == 20);
    });
}

// W5: a transaction that threw, was too large or changed nothing is neither delivered nor numbered.
BOOST_AUTO_TEST_CASE(transactions_that_failed_deliver_nothing)
{
    run([]() -> Task {
        Options options = watched_options();
        options.max_transaction_bytes = 10'000;
        Database db = co_await open_with(options, "b");
        Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Run run = co_await start(watcher);
        const auto throwing = [](Transaction& tx) {
            tx.btree("b").put("k", "rolled back");
            throw std::logic_error("no");
        };
        bool thrown = false;
        try {
            co_await db.update(throwing);
        } catch (const std::logic_error&) {
            thrown = true;
        }
        BOOST_TEST(thrown);
        const auto error = co_await failure_of([](Database database) -> Task {
            co_await put(database, "b", "k", std::string(20'000, 'x'));
        }(db));
        BOOST_TEST(error == code(Error::transaction_too_large));
        co_await erase(db, "b", "not there");
        const Revision revision = co_await put(db, "b", "k", "kept");
        co_await watcher.reached(revision);
        const Strings expected{"2.0 put k=kept"};
        BOOST_TEST(recorder.lines() == expected);
        co_await db.close();
    });
}

// W5: a callback can read the commit that it receives, and start a watch at it.
BOOST_AUTO_TEST_CASE(what_is_delivered_can_be_read)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        int checked = 0;
        const auto callback = [&](const Message& message) -> Task {
            BOOST_TEST(db.head_revision() >= message.revision);
            const OwnedMessage kept(message);
            const std::optional<std::string> value = co_await get(db, "b", std::string(kept->key));
            BOOST_TEST(value == kept->value);
            const Position here{db.head_position().history, kept->revision};
            const auto refused = failure_of(
                [&] { db.watch("b", all(), Recorder(), watch_from(From::after(here))); });
            BOOST_TEST(!refused);
            ++checked;
        };
        Watcher watcher = db.watch("b", all(), callback);
        const Run run = co_await start(watcher);
        const Revision last = co_await put_many(db, "b", 100);
        co_await watcher.reached(last);
        BOOST_TEST(checked == 100);
        co_await db.close();
    });
}

// W7 without markers: the position of a watcher that nothing matches advances all the same.
BOOST_AUTO_TEST_CASE(the_position_passes_what_does_not_match)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Recorder recorder;
        Watcher watcher = db.watch("b", key("never"), recorder);
        const Run run = co_await start(watcher);
        const Revision last = co_await put_many(db, "b", 30);
        co_await watcher.reached(last);
        BOOST_TEST(watcher.position().revision == last);
        BOOST_TEST(recorder.size() == 0);
        co_await watcher.stop();
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.position == db.head_position());
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
