// SPDX-License-Identifier: BSL-1.0
#include "support/engine/expiry_tools.hpp"
#include "support/model/mirror.hpp"
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;
using namespace std::chrono_literals;

namespace {

std::string text_of(const Message& message)
{
    std::string text(to_string(message.operation));
    if (!message.key.empty()) {
        text += ' ' + std::string(message.key) + '=' + std::string(message.value);
    }
    if (message.score) {
        text += '@' + std::to_string(*message.score).substr(0, 4);
    }
    return text;
}

/// Returns what a watch from a snapshot receives before its marker.
asio::awaitable<std::vector<OwnedMessage>> state_of(Database db, Selectors selectors,
                                                    WatchOptions options = {})
{
    options.from = From::snapshot();
    std::vector<OwnedMessage> messages;
    Watcher watcher = db.watch(
        selectors,
        [&](const Message& message) {
            if (message.operation == Operation::synced) {
                return Flow::stop;
            }
            messages.emplace_back(message);
            return Flow::go_on;
        },
        options);
    const WatchEnd end = co_await watcher.run();
    BOOST_TEST(end.reason == EndReason::stopped);
    BOOST_TEST(end.position.revision == db.head_revision());
    co_return messages;
}

asio::awaitable<Strings> texts_of(Database db, Selectors selectors, WatchOptions options = {})
{
    Strings texts;
    const std::vector<OwnedMessage> messages = co_await state_of(db, selectors, options);
    for (const OwnedMessage& each : messages) {
        texts.push_back(text_of(*each));
    }
    co_return texts;
}

WatchOptions tiny(std::size_t messages = 2)
{
    WatchOptions options;
    options.buffer_messages = messages;
    return options;
}

}  // namespace

// The messages of the snapshot that a watch begins with.
BOOST_FIXTURE_TEST_SUITE(test_snapshot_messages, EventLoop)

// W8
BOOST_AUTO_TEST_CASE(a_snapshot_consists_of_messages_that_recreate_it)
{
    run([]() -> Task {
        Database db = co_await open_database(watched_options());
        co_await fill_every_structure(db, "one");
        const Strings expected{"put a=value of a",
                               "put ab=value of ab",
                               "push_back a=1",
                               "push_back a=2",
                               "push_back a=3a",
                               "push_back ab=1",
                               "push_back ab=2",
                               "push_back ab=3ab",
                               "add a=x",
                               "add a=ya",
                               "add ab=x",
                               "add ab=yab",
                               "add a=also low@-1.5",
                               "add a=low@-1.5",
                               "add a=higha@7.00",
                               "add ab=also low@-1.5",
                               "add ab=low@-1.5",
                               "add ab=highab@7.00"};
        const Strings found = co_await texts_of(db, in("one", prefix("a")));
        BOOST_TEST(found == expected);
        co_await db.close();
    });
}

// W8: the snapshot of a whole bucket begins with its creation, even if the bucket is empty.
BOOST_AUTO_TEST_CASE(a_whole_bucket_comes_with_its_creation)
{
    run([]() -> Task {
        Database db = co_await open_with("empty");
        co_await create(db, "one", Structure::list);
        co_await create(db, "one");
        co_await put(db, "one", "k", "v");
        const std::vector<OwnedMessage> all = co_await state_of(db, whole_database());
        Strings texts;
        for (const OwnedMessage& each : all) {
            BOOST_TEST(each->snapshot);
            BOOST_TEST(each->revision == 4U);
            BOOST_TEST(each->first_revision == 4U);
            BOOST_TEST(each->index == texts.size());
            texts.push_back(std::string(to_string(each->structure)) + ' ' +
                            std::string(each->bucket) + ' ' + text_of(*each));
        }
        const Strings expected{"btree empty bucket_created", "btree one bucket_created",
                               "btree one put k=v", "list one bucket_created"};
        BOOST_TEST(texts == expected);
        const Strings whole{"bucket_created", "put k=v", "bucket_created"};
        const Strings keys{"put k=v"};
        const Strings of_bucket = co_await texts_of(db, in("one", keywatch::all()));
        const Strings of_keys = co_await texts_of(db, in("one", prefix("")));
        BOOST_TEST(of_bucket == whole);
        BOOST_TEST(of_keys == keys);
        co_await db.close();
    });
}

// W8: a watch that excludes its own writes nevertheless receives a snapshot that is complete.
BOOST_AUTO_TEST_CASE(filters_apply_to_the_messages_of_a_snapshot)
{
    run([]() -> Task {
        Database db = co_await open_database(watched_options());
        co_await fill_every_structure(db, "one");
        co_await db.update([](Transaction& tx) {
            tx.set_origin("me");
            tx.btree("one").put("mine", "1");
        });
        WatchOptions options = tiny();
        options.filter.except_origin = "me";
        options.filter.structures = {Structure::btree};
        options.filter.operations = {Operation::put};
        const Recorder recorder;
        options.from = From::snapshot();
        Watcher watcher = db.watch("one", all(), recorder, options);
        const Run run = co_await start(watcher);
        co_await until([&] { return recorder.size() > 0; });
        co_await db.update([](Transaction& tx) {
            tx.set_origin("me");
            tx.btree("one").put("mine", "2");
        });
        co_await watcher.reached(co_await put(db, "one", "theirs", "3"));
        const Strings expected{"2.1 put a=value of a", "2.2 put ab=value of ab",
                               "2.3 put b=value of b", "2.4 put mine=1",
                               "2.0 synced",           "4.0 put theirs=3"};
        BOOST_TEST(recorder.lines() == expected);
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

// W8: a part ends with the last of its selected messages; the marker is a part by itself.
BOOST_AUTO_TEST_CASE(parts_are_commits_that_end_with_their_last_message)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 7);
        std::vector<std::size_t> sizes;
        WatchOptions options = tiny(3);
        options.from = From::snapshot();
        Watcher watcher = db.watch(
            "b", glob("k[0123456]"),
            [&](const Commit& commit) {
                sizes.push_back(commit.size());
                for (std::size_t i = 0; i < commit.size(); ++i) {
                    BOOST_TEST(commit[i].last_in_commit == (i + 1 == commit.size()));
                }
                BOOST_TEST(commit.revision() == 8U);
                BOOST_TEST(commit.previous() == 0U);
                return commit[0].operation == Operation::synced ? Flow::stop : Flow::go_on;
            },
            options);
        co_await watcher.run();
        const std::vector<std::size_t> expected{3, 3, 1, 1};
        BOOST_TEST(sizes == expected);
        co_await db.close();
    });
}

// W8: expired keys are not in a snapshot; their removal is delivered after it.
BOOST_AUTO_TEST_CASE(expired_keys_are_not_in_a_snapshot)
{
    Expiry expiry;
    expiry.run([&]() -> Task {
        Database db = co_await expiry.open();
        co_await create(db, "l", Structure::list);
        co_await db.update([](Transaction& tx) {
            tx.btree("b").put("stays", "1");
            tx.btree("b").put("goes", "2", 5ms);
            tx.btree("b").put("goes later", "3", 7ms);
            for (const char* const key : {"goes", "goes later", "stays"}) {
                tx.list("l").push_back(key, "x");
                tx.list("l").push_back(key, "y");
            }
            tx.list("l").set_ttl("goes", 5ms);
            tx.list("l").set_ttl("goes later", 7ms);
        });
        expiry.clock.advance(5ms);
        const Strings expected{"put goes later=3",       "put stays=1",
                               "push_back goes later=x", "push_back goes later=y",
                               "ttl goes later=",        "push_back stays=x",
                               "push_back stays=y"};
        const Selectors both{in("b", prefix("")), in("l", prefix(""))};
        const auto executor = co_await asio::this_coro::executor;
        const Mirrored watch(executor, db, both, tiny(), Way::message);
        co_await until([&] { return watch.mirror().synced().has_value(); });
        BOOST_TEST(watch.mirror().state_messages() == expected.size());
        const auto read = [&](const Snapshot& snapshot) {
            return read_state(snapshot, expiry.clock.now());
        };
        ModelState state = co_await db.view(read);
        BOOST_TEST(describe(selected(watch.mirror().state(), both)) ==
                   describe(selected(std::move(state), both)));
        expiry.clock.advance(2ms);
        const auto swept = [&] {
            const ModelState& left = watch.mirror().state();
            return left.btrees.at("b").size() == 1 && left.lists.at("l").size() == 1;
        };
        co_await until(swept);
        watch.request_stop();
        co_await watch.end();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
