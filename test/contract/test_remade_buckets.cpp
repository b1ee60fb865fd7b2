// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <functional>
#include <map>

using namespace keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;
using Change = std::function<void(Transaction&)>;

enum class Form { message, commit, coroutine, one_at_a_time, pulled, cursor };
constexpr std::array forms{Form::message,       Form::commit, Form::coroutine,
                           Form::one_at_a_time, Form::pulled, Form::cursor};

/// A consumer that watches again, from its position, whenever its watch has ended.
struct Consumer {
    Database db;
    Selectors selectors;
    Overflow policy = Overflow::catch_up;
    Form form = Form::message;
    Position position = {};
    Recorder recorder = {};
    int ends = 0;       ///< number of ends because of a deleted bucket
    bool took = false;  ///< true if this watch has delivered something

    WatchOptions options() const
    {
        WatchOptions options =
            watch_from(form == Form::cursor ? From::cursor("consumer") : From::after(position));
        options.overflow = policy;
        return options;
    }

    WatchCallback callback()
    {
        switch (form) {
        case Form::message:
            return recorder;
        case Form::commit:
            return [this](const Commit& commit) { take(commit); };
        case Form::one_at_a_time:
            return [this](const Commit& commit) {
                take(commit);
                return Flow::stop;
            };
        case Form::cursor:
            return [this](const Commit& commit) -> Task {
                take(commit);
                const auto save = [&](Transaction& tx) { tx.save_cursor("consumer", commit); };
                co_await db.update(save);
            };
        default:
            return [this](const Commit& commit) -> Task {
                co_await yield();
                take(commit);
            };
        }
    }

    void take(const Commit& commit)
    {
        took = true;
        position = commit.position(db.head_position().history);
        for (const Message& each : commit) {
            recorder(each);
        }
    }

    /// Runs one watch until it ends or has delivered everything up to this revision.
    Task watch_once(Revision last)
    {
        if (form == Form::pulled) {
            co_await pull_once(last);
            co_return;
        }
        Watcher watcher = db.watch(selectors, callback(), options());
        BOOST_TEST((form == Form::cursor || watcher.position() == position));
        const Run run = Run(co_await asio::this_coro::executor, watcher);
        co_await race(watcher.reached(last), until([&] { return run.done(); }));
        co_await watcher.stop();
        const WatchEnd end = co_await run.end();
        settle(end);
    }

    Task pull_once(Revision last)
    {
        PullWatcher watcher = db.watch(selectors, options());
        BOOST_TEST(watcher.position() == position);
        while (watcher.position().revision < last) {
            const bool more = co_await watcher.wait();
            if (!more) {
                break;
            }
            while (const auto commit = watcher.try_next()) {
                take(*commit);
            }
        }
        co_await watcher.stop();
        settle({watcher.ended()->reason, watcher.position()});
    }

    void settle(const WatchEnd& end)
    {
        const bool ended = end.reason == EndReason::bucket_deleted;
        ends += ended ? 1 : 0;
        // The position stored with a commit is where the watch ended with that commit.
        BOOST_TEST((!took || !(ended || form == Form::one_at_a_time) || end.position == position));
        took = false;
        position = end.position;
        BOOST_TEST(parse_position(to_string(position)) == position);
    }

    Task watch_all(Revision last)
    {
        for (int watches = 0; position.revision < last && watches < 100; ++watches) {
            co_await watch_once(last);
        }
        BOOST_TEST(position.revision >= last);
    }
};

Strings changes(const Recorder& recorder)
{
    Strings texts;
    for (const std::string& line : recorder.lines()) {
        texts.push_back(line.substr(line.find(' ') + 1));
    }
    return texts;
}

/// Returns the content that a consumer has after its messages.
std::map<std::string, std::string> replayed(const Recorder& recorder)
{
    std::map<std::string, std::string> content;
    for (const OwnedMessage& each : recorder.messages()) {
        if (each->operation == Operation::bucket_deleted) {
            content.clear();
        } else if (each->operation == Operation::put) {
            content[std::string(each->key)] = each->value;
        }
    }
    return content;
}

void remake(Transaction& tx, const std::string& bucket)
{
    tx.delete_bucket(Structure::btree, bucket);
    tx.create_bucket(Structure::btree, bucket);
}

void put_both(Transaction& tx, const std::string& value)
{
    tx.btree("b").put("k", value);
    tx.btree("b").put("x", value);
}

/// Makes commits in which bucket b ends: in the middle, twice, at once, alone.
Task change(Database db)
{
    const std::array<Change, 7> transactions{
        [](Transaction& tx) { put_both(tx, "1"); },
        [](Transaction& tx) {
            put_both(tx, "2");
            remake(tx, "b");
            put_both(tx, "3");
            remake(tx, "b");
            put_both(tx, "4");
        },
        [](Transaction& tx) { tx.btree("b").put("x", "5"); },
        [](Transaction& tx) {
            remake(tx, "b");
            put_both(tx, "6");
        },
        [](Transaction& tx) { tx.delete_bucket(Structure::btree, "b"); },
        [](Transaction& tx) { tx.create_bucket(Structure::btree, "b"); },
        [](Transaction& tx) { put_both(tx, "7"); },
    };
    for (const auto& each : transactions) {
        co_await db.update(each);
    }
}

const Strings all_changes{"put k=1",        "put x=1",        "put k=2",        "put x=2",
                          "bucket_deleted", "bucket_created", "put k=3",        "put x=3",
                          "bucket_deleted", "bucket_created", "put k=4",        "put x=4",
                          "put x=5",        "bucket_deleted", "bucket_created", "put k=6",
                          "put x=6",        "bucket_deleted", "bucket_created", "put k=7",
                          "put x=7"};

Strings changes_of_k()
{
    Strings some = all_changes;
    std::erase_if(some, [](const std::string& each) {
        return !each.starts_with("put k") && each != "bucket_deleted";
    });
    return some;
}

struct Selected {
    Selector selector;
    Strings changes;
};

std::vector<Selected> selections()
{
    return {{all(), all_changes},
            {key("k"), changes_of_k()},
            {prefix("k"), changes_of_k()},
            {glob("[a-k]"), changes_of_k()}};
}

Task begin(Consumer& consumer)
{
    consumer.position = consumer.db.head_position();
    const auto save = [&](Transaction& tx) {
        tx.save_cursor("consumer", consumer.position.revision);
    };
    co_await consumer.db.update(save);
}

void check(const Consumer& consumer, const Selected& selected)
{
    BOOST_TEST(
        (consumer.policy == Overflow::latest || changes(consumer.recorder) == selected.changes));
    BOOST_TEST(consumer.ends == (consumer.form == Form::one_at_a_time ? 0 : 4));
    const std::map<std::string, std::string> of_k{{"k", "7"}};
    const std::map<std::string, std::string> of_all{{"k", "7"}, {"x", "7"}};
    BOOST_TEST(replayed(consumer.recorder) == (selected.changes == all_changes ? of_all : of_k));
}

/// Calls `follow` for each form, policy and kind of selector.
void for_each_kind(EventLoop& loop, const std::function<Task(Consumer&, const Selected&)>& follow)
{
    for (const Form form : forms) {
        for (const Overflow policy :
             {Overflow::catch_up, Overflow::latest, Overflow::skip, Overflow::stop}) {
            // The position stays before what an undelivered message stands for, so it is not that
            // of the commit.
            if (form == Form::one_at_a_time && policy == Overflow::latest) {
                continue;
            }
            for (const Selected& selected : selections()) {
                BOOST_TEST_CONTEXT("form " << static_cast<int>(form) << ", policy "
                                           << static_cast<int>(policy) << ", of "
                                           << selected.changes.size() << " changes")
                {
                    loop.run([&]() -> Task {
                        Database db = co_await open_with("b");
                        Consumer consumer{db, in("b", selected.selector), policy, form};
                        co_await begin(consumer);
                        co_await follow(consumer, selected);
                        check(consumer, selected);
                        co_await db.close();
                    });
                }
            }
        }
    }
}

/// Commits one transaction. Returns what a consumer receives that watches until the end of its
/// buckets, and then from there on.
asio::awaitable<std::vector<Strings>> pieces(Selectors selectors, Change fn, bool stops)
{
    Database db = co_await open_with("b");
    co_await create(db, "c");
    Consumer consumer{db, std::move(selectors)};
    consumer.form = stops ? Form::one_at_a_time : Form::commit;
    consumer.position = db.head_position();
    const Revision last = co_await db.update(fn);
    std::vector<Strings> pieces;
    while (consumer.position.revision < last && pieces.size() < 10) {
        consumer.recorder = Recorder();
        co_await consumer.watch_once(last);
        Strings piece;
        for (const OwnedMessage& each : consumer.recorder.messages()) {
            const std::string line = line_of(*each);
            piece.push_back(std::string(each->bucket) + line.substr(line.find(' ')));
        }
        pieces.push_back(std::move(piece));
    }
    co_await db.close();
    co_return pieces;
}

}  // namespace

// A transaction deletes a bucket, creates it again and changes it. A watch of the bucket ends in
// the middle of the commit, and the next one continues there (W2 W3 W6).
BOOST_FIXTURE_TEST_SUITE(test_remade_buckets, EventLoop)

BOOST_AUTO_TEST_CASE(from_history_each_watch_continues_where_the_previous_one_ended)
{
    for_each_kind(*this, [](Consumer& consumer, const Selected&) -> Task {
        co_await change(consumer.db);
        co_await consumer.watch_all(consumer.db.head_revision());
    });
}

BOOST_AUTO_TEST_CASE(live_each_watch_continues_where_the_previous_one_ended)
{
    for_each_kind(*this, [](Consumer& consumer, const Selected&) -> Task {
        const Job following = co_await spawn(consumer.watch_once(1000));
        co_await until([&] {
            const auto watchers = consumer.db.watchers();
            return watchers.size() == 1 && watchers[0].state == WatcherState::live;
        });
        co_await change(consumer.db);
        co_await following.join();
        co_await consumer.watch_all(consumer.db.head_revision());
    });
}

BOOST_AUTO_TEST_CASE(a_watch_of_several_buckets_continues_after_the_last_of_them)
{
    run([]() -> Task {
        const Selectors both{in("b", all()), in("c", all())};
        // While the watch still has c, the new b is not for it, even within a commit.
        const Change ends = [](Transaction& tx) {
            remake(tx, "b");
            tx.btree("b").put("k", "1");
            remake(tx, "c");
            tx.btree("b").put("k", "2");
            tx.btree("c").put("k", "3");
        };
        const std::vector<Strings> ended{{"b bucket_deleted", "c bucket_deleted"},
                                         {"c bucket_created", "b put k=2", "c put k=3"}};
        const std::vector<Strings> of_two = co_await pieces(both, ends, false);
        BOOST_TEST(of_two == ended);
        // A watch that stops there has received nothing of the new b, which therefore comes next.
        const Change goes_on = [](Transaction& tx) {
            tx.btree("c").put("k", "1");
            remake(tx, "b");
            tx.btree("b").put("k", "2");
        };
        const std::vector<Strings> stopped{{"c put k=1", "b bucket_deleted"},
                                           {"b bucket_created", "b put k=2"}};
        const std::vector<Strings> of_one = co_await pieces(both, goes_on, true);
        BOOST_TEST(of_one == stopped);
    });
}

BOOST_AUTO_TEST_CASE(where_nothing_for_the_watch_follows_the_position_is_the_commit)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "c");
        const Position before = db.head_position();
        const auto drop_b = [](Transaction& tx) {
            tx.delete_bucket(Structure::btree, "b");
            tx.btree("c").put("k", "");
        };
        co_await db.update(drop_b);
        Watcher watcher = db.watch("b", all(), Recorder(), watch_from(From::after(before)));
        BOOST_TEST((co_await watcher.run()).position == db.head_position());
        co_await db.close();
    });
}

// W6: the commit that the cursor is within is retained, as it counts as newer than the cursor.
BOOST_AUTO_TEST_CASE(a_cursor_within_a_commit_retains_it_and_is_listed_unchanged)
{
    run([]() -> Task {
        Options options = watched_options();
        options.history.commits = 1;
        Database db = co_await open_with(options, "b");
        Consumer consumer{db, in("b", all())};
        consumer.form = Form::cursor;
        co_await begin(consumer);
        const auto replace = [](Transaction& tx) {
            remake(tx, "b");
            put_both(tx, "1");
        };
        const Revision revision = co_await db.update(replace);
        co_await consumer.watch_once(1000);
        const Position within{db.head_position().history, revision - 1, 1};
        BOOST_TEST(consumer.position == within);
        co_await put_many(db, "b", 100);
        const auto cursors = co_await db.cursors();
        BOOST_TEST_REQUIRE(cursors.size() == 1U);
        BOOST_TEST(cursors[0].cursor.position == within);
        BOOST_TEST(!cursors[0].compacted);
        consumer.recorder = Recorder();
        co_await consumer.watch_all(db.head_revision());
        BOOST_TEST(consumer.recorder.size() == 103U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
