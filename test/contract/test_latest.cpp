// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/held_watch.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <sstream>

using namespace keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;

WatchOptions latest(From from = From::now())
{
    WatchOptions options = slow_watch(Overflow::latest, from);
    options.buffer_messages = 1000;
    return options;
}

/// Holds a watch while `changes` runs. Returns what the watch then receives.
asio::awaitable<Strings> given_of(std::function<Task(Database)> changes)
{
    Database db = co_await open_with("b");
    for (const Structure each : {Structure::list, Structure::set, Structure::sorted_set}) {
        co_await create(db, "b", each);
    }
    const Held held;
    Watcher watcher = db.watch("b", all(), held, latest());
    const Run run = co_await start(watcher);
    co_await put_and_hold(db, held);
    co_await changes(db);
    co_await routed(db);
    held.gate.open();
    co_await watcher.reached(db.head_revision());
    co_await db.close();
    co_await run.end();
    Strings lines = lines_with_intervals(held.recorder);
    lines.erase(lines.begin());
    co_return lines;
}

/// Commits each of these values by itself, with the key `<first letter>`.
Task put_values(Database db, std::string values)
{
    std::istringstream in(values);
    std::string value;
    while (in >> value) {
        co_await put(db, "b", value.substr(0, 1), value);
    }
}

}  // namespace

// `Overflow::latest`: only the newest message of each element is delivered.
BOOST_FIXTURE_TEST_SUITE(test_latest, EventLoop)

BOOST_AUTO_TEST_CASE(the_newest_message_of_each_key_comes_with_its_first_revision)
{
    run([]() -> Task {
        const Strings lines = co_await given_of(
            [](Database db) -> Task { co_await put_values(db, "a1 b1 a2 c1 a3 b2"); });
        BOOST_TEST(lines == (Strings{"9.0 put c=c1", "6-10.0 put a=a3", "7-11.0 put b=b2"}));
    });
}

BOOST_AUTO_TEST_CASE(an_erase_is_the_newest_of_its_key)
{
    run([]() -> Task {
        const Strings lines = co_await given_of([](Database db) -> Task {
            co_await put_values(db, "a1 b1");
            co_await erase(db, "b", "a");
            co_await erase(db, "b", "b");
            co_await put_values(db, "b2");
        });
        BOOST_TEST(lines == (Strings{"6-8.0 erase a=", "7-10.0 put b=b2"}));
    });
}

BOOST_AUTO_TEST_CASE(within_a_commit_the_last_message_of_an_element_is_kept)
{
    run([]() -> Task {
        const Strings lines = co_await given_of([](Database db) -> Task {
            co_await db.update([](Transaction& tx) {
                tx.btree("b").put("a", "1");
                tx.btree("b").put("b", "1");
                tx.btree("b").put("a", "2");
            });
        });
        BOOST_TEST(lines == (Strings{"6.1 put b=1", "6.2 put a=2"}));
    });
}

// A deadline is an element of its own, so value and deadline do not replace each other.
BOOST_AUTO_TEST_CASE(a_value_and_its_deadline_are_two_elements)
{
    run([]() -> Task {
        const Strings lines = co_await given_of([](Database db) -> Task {
            co_await put_values(db, "a1");
            for (int i = 0; i < 3; ++i) {
                co_await db.update([&](Transaction& tx) {
                    tx.btree("b").set_ttl("a", std::chrono::hours(i + 1));
                });
            }
        });
        BOOST_TEST(lines == (Strings{"6.0 put a=a1", "7-9.0 ttl a="}));
    });
}

BOOST_AUTO_TEST_CASE(members_are_elements_and_a_whole_set_is_another)
{
    run([]() -> Task {
        const Strings lines = co_await given_of([](Database db) -> Task {
            co_await db.update([](Transaction& tx) { tx.set("b").add("s", "x"); });
            co_await db.update([](Transaction& tx) { tx.set("b").add("s", "y"); });
            co_await db.update([](Transaction& tx) { tx.set("b").remove("s", "x"); });
            co_await db.update([](Transaction& tx) { tx.set("b").erase("s"); });
            co_await db.update([](Transaction& tx) { tx.set("b").add("s", "x"); });
        });
        BOOST_TEST(lines == (Strings{"7.0 add s=y", "9.0 erase s= x1", "6-10.0 add s=x"}));
    });
}

BOOST_AUTO_TEST_CASE(the_newest_score_of_each_member_is_kept)
{
    run([]() -> Task {
        const Strings lines = co_await given_of([](Database db) -> Task {
            for (int i = 1; i <= 3; ++i) {
                co_await db.update([&](Transaction& tx) {
                    tx.sorted_set("b").add("s", "x", i);
                    tx.sorted_set("b").add("s", "y", 10);
                });
            }
        });
        BOOST_TEST(lines == (Strings{"6.1 add s=y", "6-8.0 rescore s=x"}));
    });
}

// The meaning of an index depends on all messages before it, so one message tells that a list has
// changed.
BOOST_AUTO_TEST_CASE(a_list_is_one_element)
{
    run([]() -> Task {
        const Strings lines = co_await given_of([](Database db) -> Task {
            for (int i = 1; i <= 3; ++i) {
                co_await db.update([&](Transaction& tx) {
                    tx.list("b").push_back("l", std::to_string(i));
                    tx.list("b").push_back("m", std::to_string(i));
                });
            }
            co_await db.update([](Transaction& tx) { tx.list("b").pop_front("l"); });
        });
        BOOST_TEST(lines == (Strings{"6-8.1 push_back m=3", "6-9.0 pop_front l=1"}));
    });
}

BOOST_AUTO_TEST_CASE(messages_about_buckets_are_never_skipped)
{
    run([]() -> Task {
        const Strings lines = co_await given_of([](Database db) -> Task {
            co_await put_values(db, "a1");
            co_await drop(db, "b");
            co_await create(db, "b");
            co_await drop(db, "b");
            co_await create(db, "b");
            co_await put_values(db, "a2");
        });
        BOOST_TEST(lines ==
                   (Strings{"7.0 bucket_deleted", "8.0 bucket_created", "9.0 bucket_deleted",
                            "10.0 bucket_created", "6-11.0 put a=a2"}));
    });
}

// W7: the messages that an undelivered message stands for do not count as delivered.
BOOST_AUTO_TEST_CASE(the_position_stays_before_undelivered_messages)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Held held;
        Strings seen;
        Watcher watcher = db.watch(
            "b", all(),
            [&](const Message& message) -> Task {
                seen.push_back(std::string(message.value) + " after " +
                               std::to_string(watcher.position().revision));
                return held(message);
            },
            latest());
        const Run run = co_await start(watcher);
        co_await put_and_hold(db, held);
        seen.clear();
        co_await put_values(db, "a1 b1 c1 a2 d1");
        co_await routed(db);
        held.gate.open();
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(seen == (Strings{"b1 after 2", "c1 after 2", "a2 after 2", "d1 after 6"}));
        co_await db.close();
        co_await run.end();
    });
}

// W6: a consumer that stops anywhere and resumes from there ends with the newest value of
// everything.
BOOST_AUTO_TEST_CASE(it_can_be_resumed_from_every_position)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_values(db, "a1 b1 c1 a2 d1 b2 e1");
        const std::map<std::string, std::string> state{
            {"a", "a2"}, {"b", "b2"}, {"c", "c1"}, {"d", "d1"}, {"e", "e1"}};
        for (std::size_t stop_at = 1; stop_at <= state.size(); ++stop_at) {
            std::map<std::string, std::string> given;
            Watcher first = db.watch(
                "b", prefix(""),
                [&](const Message& message) {
                    given[std::string(message.key)] = message.value;
                    return given.size() == stop_at ? Flow::stop : Flow::go_on;
                },
                latest(From::oldest()));
            const WatchEnd end = co_await first.run();
            const Recorder recorder;
            Watcher second = db.watch("b", all(), recorder, latest(From::after(end.position)));
            const Run run = co_await start(second);
            co_await second.reached(db.head_revision());
            co_await second.stop();
            co_await run.end();
            for (const OwnedMessage& each : recorder.messages()) {
                given[std::string(each->key)] = each->value;
            }
            BOOST_TEST((given == state), "stopped at " << stop_at);
        }
        co_await db.close();
    });
}

// It is as slow as any other watch; history is coalesced as well, in bounded memory.
BOOST_AUTO_TEST_CASE(history_is_coalesced_too)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        for (int i = 0; i < 100; ++i) {
            co_await put_values(db, "a" + std::to_string(i) + " b" + std::to_string(i));
        }
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, latest(From::revision(2)));
        const Run run = co_await start(watcher);
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(lines_with_intervals(recorder) ==
                   (Strings{"2-200.0 put a=a99", "3-201.0 put b=b99"}));
        BOOST_TEST(watcher.info().coalesced == 198U);
        BOOST_TEST(watcher.info().messages == 2U);
        co_await db.close();
        co_await run.end();
    });
}

// W8: a snapshot has each element once, and is not delayed to wait for newer values.
BOOST_AUTO_TEST_CASE(a_snapshot_is_delivered_unchanged)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "b", Structure::list);
        co_await db.update([](Transaction& tx) {
            tx.list("b").push_back("l", "1");
            tx.list("b").push_back("l", "2");
        });
        const Recorder recorder;
        Watcher watcher = db.watch("b", key("l"), recorder, latest(From::snapshot()));
        const Run run = co_await start(watcher);
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(recorder.size() == 3U);
        BOOST_TEST(recorder.messages().back()->operation == Operation::synced);
        co_await db.close();
        co_await run.end();
    });
}

BOOST_AUTO_TEST_CASE(a_pulled_watch_receives_the_newest_as_well)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const PullWatcher watcher = co_await hold_pulled(db, latest());
        co_await put_values(db, "a1 b1 a2");
        co_await routed(db);
        const Recorder recorder;
        const Job taking = co_await spawn(take_all(watcher, recorder));
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(lines_with_intervals(recorder) ==
                   (Strings{"2.0 put held=", "4.0 put b=b1", "3-5.0 put a=a2"}));
        BOOST_TEST(watcher.info().coalesced == 1U);
        co_await db.close();
        co_await taking.join();
    });
}

BOOST_AUTO_TEST_SUITE_END()
