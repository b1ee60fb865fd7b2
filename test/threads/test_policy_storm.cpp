// SPDX-License-Identifier: BSL-1.0
#include "crew.hpp"

#include "support/contract/checked_watch.hpp"

#include <boost/asio/strand.hpp>

#include <atomic>
#include <mutex>
#include <thread>

namespace keywatch::test {
namespace {

/// Commits on one strand, and watches of all kinds and policies, each on its own strand, which are
/// created and stopped by threads outside the event loop.
class Storm {
public:
    explicit Storm(std::uint64_t seed) : random_(seed), commits_(random_), seed_(seed)
    {
        Options options{"memory:"};
        options.enable_watch = true;
        options.durability = Durability::buffered;
        options.hub_messages = 1 + below(random_, 60);
        options.batch_messages = 1 + below(random_, 20);
        options.watch_bytes = below(random_, 3) == 0 ? std::size_t{8} << 10 : std::size_t{1} << 20;
        if (below(random_, 2) == 0) {
            options.history.commits = 50 + below(random_, 200);
        }
        db_ = Database::open_blocking(crew_.executor(), options);
    }

    void blow(int commits)
    {
        auto committing =
            asio::co_spawn(asio::make_strand(crew_.executor()), commit(commits), asio::use_future);
        std::vector<std::thread> strangers;
        for (std::uint64_t i = 1; i <= 2; ++i) {
            strangers.emplace_back([this, i] { meddle(seed_ + i); });
        }
        result(std::move(committing), "the committer");
        done_ = true;
        for (std::thread& each : strangers) {
            each.join();
        }
        const Revision head = db_.head_revision();
        result(crew_.start(db_.close(crew_patience)), "close");
        for (Watch& each : watches_) {
            result(std::move(each.end), "a watch");
        }
        for (const Watch& each : watches_) {
            each.watch->closes(head);
            for (const std::string& problem : each.watch->problems(commits_.history())) {
                problems_.add(each.watch->what() + ": " + problem);
            }
        }
        problems_.report();
    }

private:
    struct Watch {
        SharedCheckedWatch watch;
        std::future<void> end;
    };

    Task commit(int count)
    {
        for (int i = 0; i < count; ++i) {
            if (below(random_, 8) == 0) {
                co_await commits_.commit_some(db_, 5);
            } else {
                co_await commits_.commit(db_);
            }
        }
    }

    void meddle(std::uint64_t seed)
    {
        Random random(seed);
        for (int i = 0; i < 40 || !done_; ++i) {
            if (i < 40) {
                watch(random);
            }
            switch (below(random, 8)) {
            case 0:
                stop_one(random);
                break;
            case 1:
                look();
                break;
            default:
                std::this_thread::yield();
            }
        }
    }

    void watch(Random& random)
    {
        const From start = start_of(random);
        const auto watch = std::make_shared<CheckedWatch>(db_, random, start);
        std::future<void> end =
            asio::co_spawn(asio::make_strand(crew_.executor()), follow(watch), asio::use_future);
        const std::lock_guard lock(mutex_);
        watches_.push_back({watch, std::move(end)});
    }

    From start_of(Random& random) const
    {
        switch (below(random, 5)) {
        case 0:
            return From::revision(below(random, db_.head_revision() + 3));
        case 1:
            return From::oldest();
        case 2:
            return From::snapshot();
        default:
            return From::now();
        }
    }

    void stop_one(Random& random)
    {
        const std::lock_guard lock(mutex_);
        if (below(random, 4) == 0) {
            watches_[below(random, watches_.size())].watch->request_stop();
        }
    }

    /// Calls what may be called at any time from any thread.
    void look()
    {
        for (const WatcherInfo& each : db_.watchers()) {
            problems_.expect(each.position.revision <= db_.head_revision() + 3,
                             "a position ahead of the database");
        }
        problems_.expect(db_.explain("b0", "a").size() <= db_.watchers().size(),
                         "a change for more than there are");
        db_.stats();
    }

    Random random_;
    RandomCommits commits_;
    const std::uint64_t seed_;
    Problems problems_;
    Crew crew_{4};
    Database db_;
    std::mutex mutex_;
    std::vector<Watch> watches_;
    std::atomic<bool> done_{false};
};

Task put(Database db, int count)
{
    const auto change = [](Transaction& tx) { tx.btree("b").put("k", "v"); };
    for (int i = 0; i < count; ++i) {
        co_await db.update(change);
    }
}

Task create_bucket(Database db)
{
    const auto create = [](Transaction& tx) { tx.create_bucket(Structure::btree, "b"); };
    co_await db.update(create);
}

Database open_with_bucket(Crew& crew)
{
    Options options{"memory:"};
    options.enable_watch = true;
    Database db = Database::open_blocking(crew.executor(), options);
    result(crew.start(create_bucket(db)), "create");
    return db;
}

/// Waits for a condition on a thread outside the event loop.
void wait_until(const std::function<bool()>& holds, const char* what)
{
    const auto deadline = std::chrono::steady_clock::now() + crew_patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) {
            std::cerr << "does not come: " << what << std::endl;
            std::abort();
        }
        std::this_thread::yield();
    }
}

bool ends_with_overflow(std::future<WatchEnd> end)
{
    try {
        result(std::move(end), "a watch");
    } catch (const boost::system::system_error& error) {
        return is(error, Error::overflow);
    }
    return false;
}

}  // namespace

// Watches of all overflow policies on several threads.
BOOST_AUTO_TEST_SUITE(test_policy_storm)

// W1 W2 W3 W4 W7 W8 W10 W11 W12 W13
BOOST_AUTO_TEST_CASE(watches_of_all_policies_on_several_threads_keep_their_promises)
{
    const std::uint64_t seed = new_seed();
    for (std::uint64_t i = 0; i < 15; ++i) {
        Storm(seed + 3 * i).blow(300);
    }
}

// W11: a commit was made between watch() and run(), and its callback blocks its thread.
BOOST_AUTO_TEST_CASE(a_plain_callback_that_is_stuck_is_shown_as_overflowed_and_then_ended)
{
    for (const bool by_commit : {false, true}) {
        Crew crew{2};
        Crew blocked{1};
        Database db = open_with_bucket(crew);
        WatchOptions options;
        options.overflow = Overflow::stop;
        options.buffer_messages = 10;
        options.callback_timeout = 2 * crew_patience;
        std::promise<void> release;
        std::atomic<int> calls{0};
        const auto block = [&, released = release.get_future().share()] {
            if (++calls == 1) {
                released.wait();
            }
        };
        const WatchCallback callback = by_commit
                                           ? WatchCallback([block](const Commit&) { block(); })
                                           : WatchCallback([block](const Message&) { block(); });
        Watcher watcher = db.watch("b", all(), callback, options);
        result(crew.start(put(db, 1)), "a commit");
        std::future<WatchEnd> end = blocked.start(watcher.run());
        wait_until([&] { return calls == 1; }, "the first call");
        BOOST_TEST(!watcher.info().overflowed);
        result(crew.start(put(db, 100)), "commits");
        wait_until([&] { return watcher.info().overflowed; }, "an overflow");
        BOOST_TEST(calls == 1);
        release.set_value();
        BOOST_TEST(ends_with_overflow(std::move(end)));
        BOOST_TEST(calls == 1);
        result(crew.start(db.close(crew_patience)), "close");
    }
}

// W3: it joins at the present, even while commits are on their way to the watch before it.
BOOST_AUTO_TEST_CASE(a_watch_started_when_no_other_runs_is_not_too_slow_for_missed_commits)
{
    for (int round = 0; round < 20; ++round) {
        Crew crew{4};
        Database db = open_with_bucket(crew);
        WatchOptions options;
        options.from = From::after(db.head_position());
        options.overflow = round % 2 == 0 ? Overflow::skip : Overflow::stop;
        options.buffer_messages = 16;
        Problems problems;
        Watcher first = db.watch("b", all(), [](const Message&) {});
        std::future<WatchEnd> first_end = crew.start(first.run());
        result(crew.start(put(db, 100)), "commits");
        first.request_stop();
        result(std::move(first_end), "the first watch");
        result(crew.start(put(db, 100)), "commits");
        const Revision missed = db.head_revision();
        std::future<void> one = crew.start(put(db, 100));
        std::future<void> other = crew.start(put(db, 100));
        const auto look = [&problems, missed](const Message& message) {
            problems.expect(message.operation != Operation::gap || message.first_revision > missed,
                            "a gap over what it has missed");
        };
        Watcher second = db.watch("b", all(), look, options);
        std::future<WatchEnd> second_end = crew.start(second.run());
        result(std::move(one), "a committer");
        result(std::move(other), "a committer");
        wait_until(
            [&] {
                return second.info().state == WatcherState::ended ||
                       second.position().revision >= db.head_revision();
            },
            "all that there is");
        second.request_stop();
        ends_with_overflow(std::move(second_end));
        problems.expect(second.position().revision >= missed, "it has ended too early");
        problems.report();
        result(crew.start(db.close(crew_patience)), "close");
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keywatch::test
