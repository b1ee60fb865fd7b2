// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;

struct OwnFailure : std::runtime_error {
    using runtime_error::runtime_error;
};

WatchOptions filtered(Filter filter, From from = From::now())
{
    WatchOptions options = watch_from(from);
    options.filter = std::move(filter);
    return options;
}

/// Returns a filter that passes messages with this value.
Filter only(std::string value)
{
    Filter filter;
    filter.predicate = [value = std::move(value)](const Message& message) {
        return message.value == value;
    };
    return filter;
}

/// Applies one filter three times: live, from history, and pulled.
struct Three {
    Three(Database db_, Filter filter_) : db(std::move(db_)), filter(std::move(filter_)) {}

    Task begin()
    {
        watcher = db.watch("b", all(), live, filtered(filter));
        runs.push_back(co_await start(*watcher));
        first = db.head_revision() + 1;
    }
    /// Reads everything committed since `begin()`, and compares.
    Task check(Strings expected)
    {
        const WatchOptions options = filtered(filter, From::revision(first));
        Watcher later = db.watch("b", all(), late, options);
        PullWatcher puller = db.watch("b", all(), options);
        runs.push_back(co_await start(later));
        const Job job = co_await spawn(take_all(puller, asked));
        const Revision head = db.head_revision();
        co_await watcher->reached(head);
        co_await later.reached(head);
        co_await puller.reached(head);
        BOOST_TEST(watcher->position().revision == head);
        BOOST_TEST(later.position().revision == head);
        BOOST_TEST(puller.position().revision == head);
        co_await puller.stop();
        co_await job.join();
        BOOST_TEST(live.lines() == expected);
        BOOST_TEST(late.lines() == expected);
        BOOST_TEST(asked.lines() == expected);
        check_marks(live);
        check_marks(late);
        check_marks(asked);
    }

    Database db;
    Filter filter;
    std::optional<Watcher> watcher;
    std::vector<Run> runs;
    Recorder live;
    Recorder late;
    Recorder asked;
    Revision first = 0;

private:
    /// W4: exactly the last message of each commit that the filter passes is marked.
    static void check_marks(const Recorder& recorder)
    {
        const auto& messages = recorder.messages();
        for (std::size_t i = 0; i < messages.size(); ++i) {
            const bool last =
                i + 1 == messages.size() || messages[i + 1]->revision != messages[i]->revision;
            BOOST_TEST(messages[i]->last_in_commit == last);
        }
    }
};

/// Commits revisions 2 to 4 with two, one and no `yes`, and a `no` each.
Task put_yes_and_no(Database db)
{
    for (const int count : {2, 1, 0}) {
        co_await db.update([&](Transaction& tx) {
            for (int i = 0; i < count; ++i) {
                tx.btree("b").put("k" + std::to_string(i), "yes");
            }
            tx.btree("b").put("n", "no");
        });
    }
}

}  // namespace

// `Filter`: messages that are selected by structure, operation, cause, origin and predicate.
BOOST_FIXTURE_TEST_SUITE(test_filters, EventLoop)

BOOST_AUTO_TEST_CASE(structures_operations_and_causes_are_chosen)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await create(db, "b", Structure::list);
        Filter lists;
        lists.structures = {Structure::list};
        Filter erases;
        erases.operations = {Operation::erase, Operation::pop_front};
        Filter expiries;
        expiries.causes = {Cause::expired};
        Three of_lists(db, lists);
        Three of_erases(db, erases);
        Three of_expiries(db, expiries);
        co_await of_lists.begin();
        co_await of_erases.begin();
        co_await of_expiries.begin();
        co_await db.update([](Transaction& tx) {
            tx.btree("b").put("k", "1");
            tx.list("b").push_back("l", "2");
            tx.list("b").push_back("l", "3");
            tx.btree("b").erase("k");
            tx.list("b").pop_front("l");
        });
        co_await put(db, "b", "k", "4");
        const Strings for_lists{"3.1 push_back l=2", "3.2 push_back l=3", "3.4 pop_front l=2"};
        co_await of_lists.check(for_lists);
        const Strings for_erases{"3.3 erase k=", "3.4 pop_front l=2"};
        co_await of_erases.check(for_erases);
        const Strings for_expiries{};
        co_await of_expiries.check(for_expiries);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_consumer_does_not_receive_its_own_writes)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Filter others;
        others.except_origin = "me";
        Filter mine;
        mine.origin = "me";
        Three of_others(db, others);
        Three of_mine(db, mine);
        co_await of_others.begin();
        co_await of_mine.begin();
        for (const char* origin : {"me", "you", "", "me"}) {
            co_await db.update([&](Transaction& tx) {
                tx.set_origin(origin);
                tx.btree("b").put("k", origin);
            });
        }
        const Strings for_others{"3.0 put k=you", "4.0 put k="};
        co_await of_others.check(for_others);
        const Strings for_mine{"2.0 put k=me", "5.0 put k=me"};
        co_await of_mine.check(for_mine);
        co_await db.close();
    });
}

// W1 W4 W7
BOOST_AUTO_TEST_CASE(a_predicate_excludes_what_it_rejects)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Three three(db, only("yes"));
        co_await three.begin();
        co_await put_yes_and_no(db);
        const Strings for_three{"2.0 put k0=yes", "2.1 put k1=yes", "3.0 put k0=yes"};
        co_await three.check(for_three);
        co_await db.close();
    });
}

// W4: a commit callback does not receive an empty commit.
BOOST_AUTO_TEST_CASE(a_commit_of_which_nothing_passes_is_not_delivered)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        std::vector<std::pair<Revision, std::size_t>> plain;
        std::vector<std::pair<Revision, std::size_t>> suspended;
        const auto by_commit = [&](const Commit& commit) {
            plain.emplace_back(commit.revision(), commit.size());
        };
        const auto coroutine = [&](const Commit& commit) -> Task {
            suspended.emplace_back(commit.revision(), commit.size());
            co_await yield();
        };
        const Run first = co_await start(db.watch("b", all(), by_commit, filtered(only("yes"))));
        const Run second = co_await start(db.watch("b", all(), coroutine, filtered(only("yes"))));
        co_await put_yes_and_no(db);
        co_await db.close();
        const std::vector<std::pair<Revision, std::size_t>> expected{{2, 2}, {3, 1}};
        BOOST_TEST(plain == expected);
        BOOST_TEST(suspended == expected);
        BOOST_TEST(db.stats().watchers.commits_delivered == 4U);
        BOOST_TEST(db.stats().watchers.messages_delivered == 6U);
    });
}

// Trap 12: a consumer that keeps what passes must be notified when it is removed.
BOOST_AUTO_TEST_CASE(a_predicate_does_not_hide_removals)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Filter nothing;
        nothing.predicate = [](const Message&) { return false; };
        Three three(db, nothing);
        co_await three.begin();
        co_await create(db, "b", Structure::set);
        co_await db.update([](Transaction& tx) {
            tx.btree("b").put("k", "1");
            tx.set("b").add("s", "m");
            tx.set("b").remove("s", "m");
            tx.btree("b").erase("k");
        });
        co_await drop(db, "b", Structure::set);
        const Strings expected{"2.0 bucket_created", "3.2 remove s=m",
                               "3.3 erase k=", "4.0 bucket_deleted"};
        co_await three.check(expected);
        co_await db.close();
    });
}

// W11
BOOST_AUTO_TEST_CASE(no_filter_hides_the_end)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Filter filter;
        filter.structures = {Structure::list};
        filter.operations = {Operation::put};
        filter.causes = {Cause::expired};
        filter.origin = "nobody";
        filter.predicate = [](const Message&) { return false; };
        const Recorder recorder;
        const Recorder taken;
        Watcher watcher = db.watch("b", key("k"), recorder, filtered(filter));
        PullWatcher puller = db.watch("b", key("k"), filtered(filter));
        const Run run = co_await start(watcher);
        const Job job = co_await spawn(take_all(puller, taken));
        co_await put(db, "b", "k", "v");
        co_await drop(db, "b");
        const WatchEnd end = co_await run.end();
        co_await job.join();
        BOOST_TEST(end.reason == EndReason::bucket_deleted);
        BOOST_TEST(puller.ended()->reason == EndReason::bucket_deleted);
        const Strings expected{"3.0 bucket_deleted"};
        BOOST_TEST(recorder.lines() == expected);
        BOOST_TEST(taken.lines() == expected);
        co_await db.close();
    });
}

// W7
BOOST_AUTO_TEST_CASE(the_position_moves_on_although_nothing_passes)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Filter deadlines;
        deadlines.operations = {Operation::ttl};
        Three of_deadlines(db, deadlines);
        Three of_nothing(db, only("nothing"));
        co_await of_deadlines.begin();
        co_await of_nothing.begin();
        co_await put_many(db, "b", 30);
        const Strings for_deadlines{};
        co_await of_deadlines.check(for_deadlines);
        const Strings for_nothing{};
        co_await of_nothing.check(for_nothing);
        BOOST_TEST(db.stats().watchers.commits_delivered == 0U);
        co_await db.close();
    });
}

// W2 W11: the position is the last commit before it, and nothing of the commit that the predicate
// threw for was delivered.
BOOST_AUTO_TEST_CASE(an_exception_of_a_predicate_ends_the_watch)
{
    Filter throwing;
    throwing.predicate = [](const Message& message) {
        if (message.value == "throw") {
            throw OwnFailure("not this one");
        }
        return message.value == "yes";
    };
    run([&]() -> Task {
        Database db = co_await open_with("b");
        const Recorder live;
        const Recorder live_taken;
        Watcher watcher = db.watch("b", all(), live, filtered(throwing));
        PullWatcher puller = db.watch("b", all(), filtered(throwing));
        const Run run = co_await start(watcher);
        const Job job = co_await spawn(take_all(puller, live_taken));
        co_await puller.wait_ready(patience);
        co_await put_yes_and_no(db);
        co_await db.update([](Transaction& tx) {
            tx.btree("b").put("k", "yes");
            tx.btree("b").put("k", "throw");
        });
        co_await put(db, "b", "k", "yes");
        BOOST_CHECK_THROW(co_await run.end(), OwnFailure);
        BOOST_CHECK_THROW(co_await job.join(), OwnFailure);
        const WatchOptions again = filtered(throwing, From::revision(2));
        const Recorder late;
        const Recorder late_taken;
        Watcher later = db.watch("b", all(), late, again);
        PullWatcher late_puller = db.watch("b", all(), again);
        BOOST_CHECK_THROW(co_await later.run(), OwnFailure);
        BOOST_CHECK_THROW(co_await take_all(late_puller, late_taken), OwnFailure);
        BOOST_CHECK_THROW(co_await late_puller.wait(), OwnFailure);
        const Strings expected{"2.0 put k0=yes", "2.1 put k1=yes", "3.0 put k0=yes"};
        const std::vector<Recorder> recorders{live, live_taken, late, late_taken};
        for (const Recorder& each : recorders) {
            BOOST_TEST(each.lines() == expected);
        }
        const std::vector<Position> positions{watcher.position(), puller.position(),
                                              later.position(), late_puller.position()};
        for (const Position& each : positions) {
            BOOST_TEST(each.revision == 4U);
        }
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_predicate_is_called_once_and_where_callbacks_run)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        bool inside = false;
        int asked = 0;
        Filter filter;
        filter.predicate = [&](const Message& message) {
            BOOST_TEST(!inside);
            ++asked;
            return message.key != "k3";
        };
        int calls = 0;
        const auto callback = [&](const Message&) -> Task {
            inside = true;
            co_await yield();
            inside = false;
            ++calls;
        };
        const Run run = co_await start(db.watch("b", all(), callback, filtered(filter)));
        co_await put_many(db, "b", 20);
        co_await db.close();
        BOOST_TEST(asked == 20);
        BOOST_TEST(calls == 19);
    });
}

// W2 W6
BOOST_AUTO_TEST_CASE(a_filtered_watch_is_resumed_without_gap_or_repeat)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Strings seen;
        Position position{db.head_position().history, 1};
        for (int i = 0; i < 5; ++i) {
            const Recorder recorder;
            Watcher watcher =
                db.watch("b", all(), recorder, filtered(only("yes"), From::after(position)));
            const Run run = co_await start(watcher);
            co_await put_yes_and_no(db);
            co_await watcher.reached(db.head_revision());
            co_await watcher.stop();
            const WatchEnd end = co_await run.end();
            position = end.position;
            BOOST_TEST(position == db.head_position());
            const Strings lines = recorder.lines();
            seen.insert(seen.end(), lines.begin(), lines.end());
        }
        BOOST_TEST(seen.size() == 15U);
        BOOST_TEST(std::set<std::string>(seen.begin(), seen.end()).size() == 15U);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
