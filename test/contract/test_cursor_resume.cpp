// SPDX-License-Identifier: BSL-1.0
#include "support/printing.hpp"
#include "support/storage/temporary_directory.hpp"
#include "support/watch/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <iostream>
#include <random>

using namespace keywatch;
using namespace keywatch::test;

namespace {

constexpr const char* name = "counter";

/// Counts the puts of each key of "b" in the bucket "counts", in order: each commit appends its
/// revision to the value of its keys.
class Counter {
public:
    Counter(Database db, std::uint32_t seed) : db_(std::move(db)), random_(seed) {}

    /// Runs until it stops itself, in one of several ways, or has processed everything.
    Task run_once()
    {
        left_ = static_cast<int>(random_() % 12);
        how_ = static_cast<int>(random_() % 5);
        WatchOptions options = watch_from(From::cursor(name));
        options.buffer_messages = 1 + random_() % 5;
        const auto callback = [this](const Commit& commit) { return consume(commit); };
        watcher_ = db_.watch("b", all(), callback, options);
        run_.emplace(co_await asio::this_coro::executor, *watcher_);
        const Revision head = db_.head_revision();
        co_await race(watcher_->reached(head), until([this] { return run_->done(); }));
        if (!run_->done()) {
            co_await watcher_->stop();
        }
        try {
            co_await run_->end();
        } catch (const std::runtime_error& error) {
            BOOST_TEST(error.what() == "stopped");
        }
    }

private:
    asio::awaitable<Flow> consume(const Commit& commit)
    {
        if (random_() % 2 == 0) {
            co_await yield();
        }
        const bool over = left_-- == 0;
        if (over && how_ == 0) {
            throw std::runtime_error("stopped");  // before the effect
        }
        if (over && how_ == 1) {
            run_->cancel();
        }
        const Revision revision = commit.revision();
        const auto fn = [&](Transaction& tx) {
            BTree counts = tx.btree("counts");
            for (const Message& message : commit) {
                counts.append(message.key, std::to_string(revision) + ' ');
            }
            tx.save_cursor(name, revision);
        };
        co_await db_.update(fn);
        if (over && how_ == 2) {
            throw std::runtime_error("stopped");  // after the effect, so the position has not moved
        }
        if (over && how_ == 3) {
            watcher_->request_stop();
        }
        co_return over&& how_ == 4 ? Flow::stop : Flow::go_on;
    }

    Database db_;
    std::mt19937 random_;
    int left_ = 0;
    int how_ = 0;
    std::optional<Watcher> watcher_;
    std::optional<Run> run_;
};

/// Commits one to three of a few keys at a time, and keeps the result expected of the counter.
class Source {
public:
    Task put_some(Database db, int commits)
    {
        for (int i = 0; i < commits; ++i) {
            const int first = ++number_ % 5;
            const auto fn = [&](Transaction& tx) {
                for (int key = first; key <= first + number_ % 3; ++key) {
                    tx.btree("b").put("k" + std::to_string(key), std::to_string(number_));
                }
            };
            const Revision revision = co_await db.update(fn);
            for (int key = first; key <= first + number_ % 3; ++key) {
                expected_["k" + std::to_string(key)] += std::to_string(revision) + ' ';
            }
        }
    }

    Task check(Database db) const
    {
        std::map<std::string, std::string> found;
        co_await db.view([&](const Snapshot& snapshot) {
            for (const auto [key, value] : snapshot.btree("counts").scan()) {
                found.emplace(key, value);
            }
        });
        BOOST_TEST(found == expected_);
    }

private:
    int number_ = 0;
    std::map<std::string, std::string> expected_;
};

/// Opens a database with both buckets, and the cursor at its beginning.
asio::awaitable<Database> open_source(Options options)
{
    Database db = co_await open_with(std::move(options), "b");
    co_await db.update([](Transaction& tx) {
        tx.create_bucket(Structure::btree, "counts");
        tx.save_cursor(name, 1);
    });
    co_return db;
}

/// Returns true if the counter has not processed everything.
asio::awaitable<bool> behind(Database db)
{
    const auto rest = co_await history_of(db, "b", all(), From::cursor(name));
    co_return !rest.empty();
}

Task finish(Database db, std::uint32_t seed)
{
    Counter counter(db, seed);
    bool more = co_await behind(db);
    while (more) {
        co_await counter.run_once();
        more = co_await behind(db);
    }
}

}  // namespace

// If a consumer stores its effect and its cursor in one transaction, then each commit takes effect
// exactly once (W2 W6), wherever the consumer was stopped.
BOOST_FIXTURE_TEST_SUITE(test_cursor_resume, EventLoop)

// W2 W6
BOOST_AUTO_TEST_CASE(stopped_anywhere_and_reopened_each_commit_takes_effect_once)
{
    const TemporaryDirectory directory;
    const std::uint32_t seed = std::random_device()();
    std::cerr << "seed " << seed << '\n';
    Source source;
    for (std::uint32_t life = 0; life < 6; ++life) {
        run([&]() -> Task {
            Options options = watched_options(directory / "db");
            options.hub_messages = 1 + life;
            options.history.commits = 10;  // the cursor retains what is needed
            options.durability = life % 2 == 0 ? Durability::sync : Durability::buffered;
            Database db;
            if (life == 0) {
                db = co_await open_source(options);
            } else {
                db = co_await open_database(options);
            }
            Counter counter(db, seed + life);
            for (int i = 0; i < 8; ++i) {
                co_await source.put_some(db, 15);
                co_await counter.run_once();
            }
            if (life % 2 == 0) {
                co_await finish(db, seed);
                co_await source.check(db);
            }
            co_await db.close();
        });
    }
    run([&]() -> Task {
        Database db = co_await open_database(watched_options(directory / "db"));
        co_await finish(db, seed);
        co_await source.check(db);
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(a_watch_starts_where_its_cursor_is_when_it_is_created)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await put_many(db, "b", 4);
        const auto move = [](Database each, Revision to) -> Task {
            const auto fn = [&](Transaction& tx) { tx.save_cursor(name, to); };
            co_await each.update(fn);
        };
        co_await move(db, 3);
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, watch_from(From::cursor(name)));
        PullWatcher pulled = db.watch("b", all(), watch_from(From::cursor(name)));
        BOOST_TEST(watcher.position().revision == 3U);
        BOOST_TEST(watcher.position().history == db.head_position().history);
        BOOST_TEST(pulled.position().revision == 3U);
        co_await move(db, 5);
        const Run run = co_await start(watcher);
        co_await watcher.reached(db.head_revision());
        BOOST_TEST(recorder.revisions() == (std::vector<Revision>{4, 5}));
        BOOST_CHECK((co_await history_of(db, "b", all(), From::cursor(name))).empty());
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_CASE(without_a_cursor_of_that_name_there_is_no_watch)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        const auto watch = [&](const std::string& cursor) {
            return [&db, cursor] {
                db.watch("b", all(), Recorder(), watch_from(From::cursor(cursor)));
            };
        };
        BOOST_TEST(failure_of(watch("none")) == code(Error::cursor_not_found));
        BOOST_TEST(failure_of(watch("")) == code(Error::cursor_not_found));
        co_await db.update([](Transaction& tx) { tx.save_cursor("c", 0); });
        BOOST_TEST(failure_of(watch("c")) == boost::system::error_code());
        BOOST_TEST(failure_of(watch("C")) == code(Error::cursor_not_found));
        co_await db.update([](Transaction& tx) { tx.delete_cursor("c"); });
        BOOST_TEST(failure_of(watch("c")) == code(Error::cursor_not_found));
        co_await db.close();
        BOOST_TEST(failure_of(watch("c")) == code(Error::closed));
    });
}

// After the cursor is deleted, its history is no longer retained; the watch continues.
BOOST_AUTO_TEST_CASE(deleting_the_cursor_of_a_running_watch_does_not_end_it)
{
    run([]() -> Task {
        Database db = co_await open_with("b");
        co_await db.update([](Transaction& tx) { tx.save_cursor(name, 1); });
        const Recorder recorder;
        Watcher watcher = db.watch("b", all(), recorder, watch_from(From::cursor(name)));
        const Run run = co_await start(watcher);
        co_await db.update([](Transaction& tx) { tx.delete_cursor(name); });
        co_await watcher.reached(co_await put_many(db, "b", 3));
        BOOST_TEST(recorder.size() == 3U);
        co_await watcher.stop();
        co_await run.end();
        co_await db.close();
    });
}

BOOST_AUTO_TEST_SUITE_END()
