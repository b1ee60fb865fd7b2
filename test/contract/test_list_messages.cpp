// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <sstream>
#include <stdexcept>

using namespace keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;

/// Returns all that a message says about a list: operation, key, @index, element, <replaced,
/// #count.
std::string text_of(const Message& message)
{
    std::ostringstream out;
    out << message.operation << ' ' << message.key;
    if (message.list_index) {
        out << " @" << *message.list_index;
    }
    if (message.operation != Operation::trim && message.operation != Operation::erase) {
        out << ' ' << message.value;
    }
    if (message.previous) {
        out << " <" << *message.previous;
    }
    if (message.count) {
        out << " #" << *message.count;
    }
    return out.str();
}

/// A watch of bucket "l", and what it received.
struct Watched {
    Recorder recorder;
    Watcher watcher;
    Run run;

    Strings lines() const
    {
        Strings lines;
        for (const OwnedMessage& each : recorder.messages()) {
            BOOST_TEST(each->structure == Structure::list);
            lines.push_back(text_of(*each));
        }
        return lines;
    }
};

asio::awaitable<Watched> watch(Database db, Selector selector)
{
    Recorder recorder;
    Watcher watcher = db.watch("l", std::move(selector), recorder);
    Run run = co_await start(watcher);
    co_return Watched{recorder, watcher, run};
}

asio::awaitable<Database> open_lists()
{
    Database db = co_await open_database(watched_options());
    co_await create(db, "l", Structure::list);
    co_return db;
}

Task change(Database db, std::function<void(List)> function)
{
    const auto write = [&](Transaction& tx) { function(tx.list("l")); };
    co_await db.update(write);
}

/// Applies a message with the operation of the same name.
void apply_to_copy(List copy, const Message& message)
{
    if (message.operation == Operation::push_back) {
        copy.push_back(message.key, message.value);
    } else if (message.operation == Operation::trim) {
        const auto first = static_cast<std::int64_t>(message.list_index.value());
        copy.trim(message.key, first, first + static_cast<std::int64_t>(*message.count) - 1);
    } else {
        BOOST_TEST(message.operation == Operation::erase);
        BOOST_TEST(copy.size(message.key) == message.count);
        copy.erase(message.key);
    }
}

}  // namespace

// The messages that a watcher receives for changes to lists.
BOOST_FIXTURE_TEST_SUITE(test_list_messages, EventLoop)

// W1
BOOST_AUTO_TEST_CASE(each_element_that_changes_makes_one_message)
{
    run([]() -> Task {
        Database db = co_await open_lists();
        const Watched watched = co_await watch(db, key("k"));
        co_await change(db, [](List lists) {
            lists.push_back("k", {"b", "c"});
            lists.push_front("k", {"a", "_"});
            lists.insert("k", -1, "x");
            lists.insert("k", 5, "end");
            lists.set("k", -1, "END");
            lists.pop_front("k");
            lists.pop_back("k");
        });
        co_await change(db, [](List lists) { lists.erase("k"); });
        co_await db.close();
        const Strings expected{"push_back k b",     "push_back k c", "push_front k a",
                               "push_front k _",    "insert k @3 x", "insert k @5 end",
                               "set k @5 END <end", "pop_front k _", "pop_back k END",
                               "erase k #4"};
        BOOST_TEST(watched.lines() == expected);
    });
}

BOOST_AUTO_TEST_CASE(removals_contain_the_index_at_their_time)
{
    run([]() -> Task {
        Database db = co_await open_lists();
        co_await change(db, [](List lists) {
            for (const char* const key : {"all", "front", "back", "at"}) {
                lists.push_back(key, {"x", "a", "x", "b", "x"});
            }
        });
        const Watched watched = co_await watch(db, all());
        co_await change(db, [](List lists) {
            lists.remove("all", "x");
            lists.remove("front", "x", 2);
            lists.remove("back", "x", -2);
            lists.remove_at("at", {-1, 1, 0});
        });
        co_await db.close();
        const Strings expected{"remove all @0 x",   "remove all @1 x",   "remove all @2 x",
                               "remove front @0 x", "remove front @1 x", "remove back @4 x",
                               "remove back @2 x",  "remove at @0 x",    "remove at @0 a",
                               "remove at @2 x"};
        BOOST_TEST(watched.lines() == expected);
    });
}

BOOST_AUTO_TEST_CASE(a_trim_reaches_the_watcher_of_its_key_and_no_other)
{
    run([]() -> Task {
        Database db = co_await open_lists();
        co_await change(db, [](List lists) {
            lists.push_back("k", {"a", "b", "c", "d", "e"});
            lists.push_back("other", "a");
        });
        const Watched watched = co_await watch(db, key("k"));
        const Watched other = co_await watch(db, key("other"));
        co_await change(db, [](List lists) {
            lists.trim("k", 0, -2);
            lists.trim("k", -1, -1);
            lists.trim("k", 5, 6);
        });
        co_await db.close();
        const Strings expected{"trim k @0 #4", "trim k @3 #1", "erase k #1"};
        BOOST_TEST(watched.lines() == expected);
        BOOST_TEST(other.lines().empty());
    });
}

BOOST_AUTO_TEST_CASE(a_trim_leaves_the_same_of_a_copy_live_and_from_history)
{
    run([]() -> Task {
        Database db = co_await open_lists();
        const Watched live = co_await watch(db, all());
        co_await change(db, [](List lists) {
            for (std::int64_t first = -4; first <= 4; ++first) {
                for (std::int64_t last = -4; last <= 4; ++last) {
                    const std::string key = std::to_string(first) + ' ' + std::to_string(last);
                    lists.push_back(key, {"a", "b", "c"});
                    lists.trim(key, first, last);
                }
            }
        });
        co_await live.watcher.reached(db.head_revision());
        const Recorder past;
        Watcher late = db.watch("l", all(), past, watch_from(From::revision(2)));
        const Run run = co_await start(late);
        co_await late.reached(db.head_revision());
        for (const Recorder* told : {&live.recorder, &past}) {
            const auto compare = [told](Transaction& tx) {
                const std::string name = "copy";
                tx.create_bucket(Structure::list, name);
                for (const OwnedMessage& each : told->messages()) {
                    apply_to_copy(tx.list(name), *each);
                }
                BOOST_TEST(tx.list(name).keys().to_vector() == tx.list("l").keys().to_vector());
                for (const std::string& key : tx.list("l").keys().to_vector()) {
                    BOOST_TEST(tx.list(name).range(key).to_vector() ==
                               tx.list("l").range(key).to_vector());
                }
                tx.delete_bucket(Structure::list, name);
            };
            co_await db.update(compare);
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(an_operation_that_changes_nothing_makes_no_message_and_no_commit)
{
    run([]() -> Task {
        Database db = co_await open_lists();
        co_await change(db, [](List lists) { lists.push_back("k", {"a", "b"}); });
        const Revision before = db.head_revision();
        co_await change(db, [](List lists) {
            lists.push_back("k", Strings{});
            lists.push_front("new", Strings{});
            lists.pop_front("none");
            lists.pop_back("none");
            lists.set("k", 1, "b");
            lists.remove("k", "c");
            lists.remove_at("k", {});
            lists.trim("k", 0, -1);
            lists.trim("k", -9, 9);
            lists.trim("none", 1, 0);
            lists.erase("none");
            (void)failure_of([&] { lists.set("k", 2, "x"); });
            (void)failure_of([&] { lists.insert("k", 3, "x"); });
            (void)failure_of([&] { lists.insert("none", 1, "x"); });
            (void)failure_of([&] { lists.remove_at("k", {0, 2}); });
        });
        BOOST_TEST(db.head_revision() == before);
        BOOST_TEST(db.stats().engine.unchanged == 1U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(keys_and_elements_with_bars_are_like_any_other)
{
    run([]() -> Task {
        Database db = co_await open_lists();
        const Watched watched = co_await watch(db, key("k|1"));
        const Watched other = co_await watch(db, key("k"));
        co_await change(db, [](List lists) {
            lists.push_back("k|1", {"a|b", "a", "|"});
            lists.remove("k|1", "a|b");
            lists.set("k|1", 0, "1|x");
            lists.pop_back("k|1");
        });
        co_await db.close();
        const Strings expected{"push_back k|1 a|b", "push_back k|1 a",   "push_back k|1 |",
                               "remove k|1 @0 a|b", "set k|1 @0 1|x <a", "pop_back k|1 |"};
        BOOST_TEST(watched.lines() == expected);
        BOOST_TEST(other.lines().empty());
    });
}

// A list that was not swept yet: its expiry is delivered before the messages of the next write.
BOOST_AUTO_TEST_CASE(a_write_to_an_expired_list_begins_a_new_one)
{
    run([]() -> Task {
        std::atomic<Time> now{Time{std::chrono::hours(24)}};
        Options options = watched_options();
        options.clock = [&] { return now.load(); };
        Database db = co_await open_database(options);
        co_await create(db, "l", Structure::list);
        co_await change(db, [](List lists) {
            for (const char* const key : {"pushed", "popped", "set", "trimmed"}) {
                lists.push_back(key, {"a", "b"});
                lists.set_ttl(key, std::chrono::seconds(1));
            }
        });
        const Watched watched = co_await watch(db, all());
        co_await change(db, [&](List lists) {
            // The time is set here, so that no sweep comes in between.
            now = now.load() + std::chrono::seconds(1);
            BOOST_TEST(!lists.front("pushed"));
            BOOST_TEST(lists.range("pushed").to_vector().empty());
            BOOST_TEST(lists.push_back("pushed", "c") == 1U);
            BOOST_TEST(!lists.ttl("pushed"));
            BOOST_TEST(!lists.pop_front("popped"));
            BOOST_TEST(failure_of([&] { lists.set("set", 0, "x"); }) ==
                       code(Error::index_out_of_range));
            BOOST_TEST(lists.trim("trimmed", 0, 0) == 0U);
        });
        co_await db.close();
        const Strings expected{"erase pushed #2", "push_back pushed c", "erase popped #2",
                               "erase set #2", "erase trimmed #2"};
        BOOST_TEST(watched.lines() == expected);
        BOOST_TEST(watched.recorder.messages()[0]->cause == Cause::expired);
    });
}

BOOST_AUTO_TEST_CASE(a_transaction_that_throws_changes_no_list_and_sends_no_message)
{
    run([]() -> Task {
        Database db = co_await open_lists();
        co_await change(db, [](List lists) { lists.push_back("k", {"a", "b", "c"}); });
        const Watched watched = co_await watch(db, all());
        const auto fail = [](List lists) {
            lists.pop_front("k");
            lists.insert("k", 1, "x");
            lists.push_back("new", "y");
            lists.trim("k", -1, -1);
            throw std::runtime_error("no");
        };
        bool thrown = false;
        try {
            co_await change(db, fail);
        } catch (const std::runtime_error&) {
            thrown = true;
        }
        BOOST_TEST(thrown);
        co_await db.view([](const Snapshot& snapshot) {
            const ListView lists = snapshot.list("l");
            BOOST_TEST(lists.range("k").to_vector() == (Strings{"a", "b", "c"}));
            BOOST_TEST(!lists.has_key("new"));
        });
        co_await db.close();
        BOOST_TEST(watched.lines().empty());
    });
}

BOOST_AUTO_TEST_SUITE_END()
