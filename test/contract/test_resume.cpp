// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

using namespace keywatch;
using namespace keywatch::test;

namespace {

using Strings = std::vector<std::string>;

Position beyond(const Position& position)
{
    return {position.history, position.revision + 1};
}

/// Returns the exception of run() of a watch from there, if it is Compacted.
asio::awaitable<std::optional<Compacted>> compacted(Database db, From from)
{
    Watcher watcher = db.watch("b", all(), Recorder(), watch_from(from));
    try {
        co_await watcher.run();
    } catch (const Compacted& error) {
        co_return error;
    }
    co_return std::nullopt;
}

/// Repeats three commits: one message, three messages, two messages.
Task put_some(Database db, int commits)
{
    for (int i = 0; i < commits; ++i) {
        co_await db.update([&](Transaction& tx) {
            for (int message = (i % 3) * 2 % 3 + 1; message > 0; --message) {
                tx.btree("b").put("k" + std::to_string(message), std::to_string(i));
            }
        });
    }
}

/// A consumer that keeps its messages and its position, and ends its watch at random.
class Consumer {
public:
    Consumer(Database db, std::uint32_t seed)
        : db_(std::move(db)), random_(seed), position_{db_.head_position().history, 1}
    {
    }

    Revision revision() const { return position_.revision; }
    const Strings& delivered() const { return delivered_; }

    Task run_once()
    {
        left_ = static_cast<int>(random_() % 12);
        how_ = random_() % 4;
        open_.clear();
        WatchOptions options = watch_from(From::after(position_));
        options.buffer_messages = 1 + random_() % 5;
        const auto callback = [this](const Message& message) { return consume(message); };
        watcher_ = db_.watch("b", all(), callback, options);
        run_.emplace(co_await start(*watcher_));
        const std::size_t first = co_await race(watcher_->reached(db_.head_revision()), ended());
        if (first == 0) {
            co_await watcher_->stop();
        }
        const WatchEnd end = co_await run_->end();
        BOOST_TEST(end.position == watcher_->position());
        position_ = end.position;
    }

private:
    /// Messages count when their commit is complete.
    asio::awaitable<Flow> consume(const Message& message)
    {
        open_.push_back(line_of(message));
        const bool last = message.last_in_commit;
        if (random_() % 2 == 0) {
            co_await yield();
        }
        const bool over = left_-- == 0;
        if (last) {
            delivered_.insert(delivered_.end(), open_.begin(), open_.end());
            open_.clear();
        }
        if (over && how_ == 0) {
            watcher_->request_stop();
        } else if (over && how_ == 1) {
            run_->cancel();
        }
        co_return over&& how_ == 2 ? Flow::stop : Flow::go_on;
    }

    Task ended()
    {
        co_await until([this] { return run_->done(); });
    }

    Database db_;
    std::mt19937 random_;
    Position position_;
    Strings delivered_;
    Strings open_;
    int left_ = 0;
    unsigned long how_ = 0;
    std::optional<Watcher> watcher_;
    std::optional<Run> run_;
};

}  // namespace

// The starts of a watch: after a position, at a revision, after a restart.
BOOST_FIXTURE_TEST_SUITE(test_resume, EventLoop)

// W6: across a restart, with the position stored as text.
BOOST_AUTO_TEST_CASE(after_a_restart_a_watch_continues_after_its_position)
{
    const TemporaryDirectory directory;
    std::string stored;
    run([&]() -> Task {
        Database db = co_await open_with(watched_options(directory / "db"), "b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        const Run watch = co_await start(watcher);
        co_await put_many(db, "b", 3);
        co_await watcher.reached(db.head_revision());
        co_await watcher.stop();
        const WatchEnd end = co_await watch.end();
        stored = to_string(end.position);
        co_await put_many(db, "b", 3, 3);
        co_await db.close();
    });
    run([&]() -> Task {
        Database db = co_await open_database(watched_options(directory / "db"));
        co_await put_many(db, "b", 2, 6);
        const auto position = parse_position(stored);
        BOOST_REQUIRE(position.has_value());
        const Strings rest = co_await history_of(db, "b", all(), From::after(*position));
        const Strings expected{"5.0 put k3=3", "6.0 put k4=4", "7.0 put k5=5", "8.0 put k6=6",
                               "9.0 put k7=7"};
        BOOST_TEST(rest == expected);
        co_await db.close();
    });
}

// W2 W6: however and wherever a watch ends, resuming neither loses nor repeats a whole commit.
BOOST_AUTO_TEST_CASE(ending_and_resuming_at_random_loses_and_repeats_nothing)
{
    const std::uint32_t seed = std::random_device()();
    BOOST_TEST_MESSAGE("seed " << seed);
    run([&]() -> Task {
        Database db = co_await open_with("b");
        Consumer consumer(db, seed);
        const Job writer = co_await spawn(put_some(db, 150));
        while (!writer.done() || consumer.revision() < db.head_revision()) {
            co_await consumer.run_once();
        }
        const Strings all = co_await history_of(db, "b", keywatch::all(), From::revision(2));
        BOOST_TEST(consumer.delivered() == all);
        co_await db.close();
    });
}

// W6
BOOST_AUTO_TEST_CASE(a_revision_is_inclusive_and_zero_is_the_beginning)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 2);
        const Strings from_two = co_await history_of(db, "b", all(), From::revision(2));
        const Strings expected{"2.0 put k0=0", "3.0 put k1=1"};
        BOOST_TEST(from_two == expected);
        const Strings from_zero = co_await history_of(db, "b", all(), From::revision(0));
        BOOST_TEST(from_zero.size() == 3U);
        co_await db.close();
    });
}

// W6: commits before a future revision are not delivered, and do not end the watch.
BOOST_AUTO_TEST_CASE(a_future_revision_is_waited_for)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, watch_from(From::revision(6)));
        const Run run = co_await start(watcher);
        co_await put(db, "b", "k", "2");
        co_await drop(db, "b");
        co_await create(db, "b");
        co_await put(db, "b", "k", "5");
        BOOST_TEST(watcher.position().revision == 5U);
        co_await put(db, "b", "k", "6");
        co_await put(db, "b", "k", "7");
        co_await watcher.reached(7);
        const Strings expected{"6.0 put k=6", "7.0 put k=7"};
        BOOST_TEST(recorder.lines() == expected);
        co_await db.close();
    });
}

// W13 W6: a watch that still waits when the database closes ends like any other.
BOOST_AUTO_TEST_CASE(waiting_for_a_future_revision_does_not_delay_a_close)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Watcher watcher = db.watch("b", all(), Recorder(), watch_from(From::revision(1000)));
        const Run run = co_await start(watcher);
        const Job close = co_await spawn(db.close(10 * patience));
        co_await close.join();
        const WatchEnd end = co_await run.end();
        BOOST_TEST(end.reason == EndReason::database_closed);
    });
}

// W6: `From::now` means the time of watch(), not of run().
BOOST_AUTO_TEST_CASE(what_is_committed_between_watch_and_run_is_delivered)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder);
        BOOST_TEST(watcher.position().revision == 1U);
        const Revision last = co_await put_many(db, "b", 3);
        const Run run = co_await start(watcher);
        co_await watcher.reached(last);
        BOOST_TEST(recorder.size() == 3U);
        co_await db.close();
    });
}

// W6, traps 7 and 10: a watcher that is not run does not retain history, and its run() reports what
// it missed.
BOOST_AUTO_TEST_CASE(trimmed_history_is_compacted_with_the_requested_and_oldest_revision)
{
    run([]() -> Task {
        Options options = watched_options();
        options.history.commits = 5;
        Database db = co_await open_with(options, "b");
        Watcher never_run = db.watch("b", all(), Recorder());
        co_await put_many(db, "b", 30);
        co_await until([&] { return db.oldest_revision() + 6 > db.head_revision(); });
        // One more commit may be trimmed in between, but none of the newest five.
        const Revision oldest = db.oldest_revision();
        const Revision always_kept = db.head_revision() - 4;
        const auto by_revision = co_await compacted(db, From::revision(oldest - 1));
        BOOST_REQUIRE(by_revision.has_value());
        BOOST_TEST(by_revision->requested() == oldest - 1);
        BOOST_TEST(by_revision->oldest() >= oldest);
        BOOST_TEST(by_revision->oldest() <= always_kept);
        const Position before{db.head_position().history, oldest - 2};
        const auto by_position = co_await compacted(db, From::after(before));
        BOOST_REQUIRE(by_position.has_value());
        BOOST_TEST(by_position->requested() == oldest - 1);
        // Commits that are kept can be read in both ways.
        Strings kept = co_await history_of(db, "b", all(), From::revision(always_kept));
        BOOST_TEST(kept.size() == 5U);
        const Position last{before.history, always_kept - 1};
        kept = co_await history_of(db, "b", all(), From::after(last));
        BOOST_TEST(kept.size() == 5U);
        BOOST_TEST(co_await failure_of([](Watcher watcher) -> Task {
                       co_await watcher.run();
                   }(never_run)) == code(Error::compacted));
        BOOST_TEST(never_run.position().revision == 1U);
        co_await db.close();
    });
}

// W6
BOOST_AUTO_TEST_CASE(positions_of_other_databases_are_refused)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        Database other = co_await open_with("b");
        const auto watch_after = [&](const Position& position) {
            return failure_of(
                [&] { db.watch("b", all(), Recorder(), watch_from(From::after(position))); });
        };
        BOOST_TEST(watch_after(other.head_position()) == code(Error::foreign_position));
        BOOST_TEST(watch_after(Position{}) == code(Error::foreign_position));
        BOOST_TEST(watch_after(beyond(db.head_position())) == code(Error::position_ahead));
        BOOST_TEST(!watch_after(db.head_position()));
        const Position head = db.head_position();
        BOOST_TEST(watch_after({head.history, head.revision, 1}) == code(Error::position_ahead));
        BOOST_TEST(!watch_after({head.history, head.revision - 1, 1}));
        co_await db.close();
        co_await other.close();
    });
}

// W6: commits made while no history was kept are never skipped silently.
BOOST_AUTO_TEST_CASE(positions_before_a_time_without_history_end_with_compacted)
{
    const TemporaryDirectory directory;
    Position before;
    run([&]() -> Task {
        Database db = co_await open_with(watched_options(directory / "db"), "b");
        before = db.head_position();
        co_await db.close();
    });
    run([&]() -> Task {
        Options options = watched_options(directory / "db");
        options.enable_watch = false;
        Database db = co_await open_database(options);
        co_await put(db, "b", "k", "unseen");
        BOOST_TEST(db.oldest_revision() == db.head_revision() + 1);
        co_await db.close();
    });
    run([&]() -> Task {
        Database db = co_await open_database(watched_options(directory / "db"));
        Position after = db.head_position();
        BOOST_TEST(after.revision == 2U);
        co_await put(db, "b", "k", "seen");
        BOOST_TEST((co_await compacted(db, From::after(before))).has_value());
        BOOST_TEST((co_await compacted(db, From::revision(1))).has_value());
        const Strings rest = co_await history_of(db, "b", all(), From::after(after));
        const Strings expected{"3.0 put k=seen"};
        BOOST_TEST(rest == expected);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
