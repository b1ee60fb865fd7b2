// SPDX-License-Identifier: BSL-1.0
#include "crew.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/strand.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <optional>

namespace keywatch::test {
namespace {

/// One watch, and the many ways to end it.
struct Target {
    Target(Database& database, std::mt19937_64& random, asio::any_io_executor executor,
           Problems& problems_)
        : problems(problems_), strand(asio::make_strand(executor)), stop_after(random() % 300)
    {
        WatchOptions options;
        options.from = From::revision(1 + random() % (database.head_revision() + 1));
        options.buffer_messages = 1 + random() % 64;
        options.callback_timeout = crew_patience;
        watcher = random() % 2 == 0 ? database.watch("data", all(), plain(), options)
                                    : database.watch("data", key("key"), coroutine(), options);
    }

    std::function<Flow(const Commit&)> plain()
    {
        return [this](const Commit& commit) { return take(commit); };
    }

    std::function<asio::awaitable<Flow>(const Commit&)> coroutine()
    {
        return [this](const Commit& commit) -> asio::awaitable<Flow> {
            co_await turn();
            co_return take(commit);
        };
    }

    Flow take(const Commit& commit)
    {
        problems.expect(!ended, "a callback after the end");  // W12
        problems.expect(commit.revision() > last, "out of order");
        last = commit.revision();
        return stop_after-- == 0 ? Flow::stop : Flow::go_on;
    }

    Problems& problems;
    asio::any_io_executor strand;
    std::uint64_t stop_after;
    asio::cancellation_signal signal;
    std::optional<Watcher> watcher;
    std::atomic<bool> ended{false};
    /// True if the database may close before the watch runs.
    bool may_be_closed = false;
    Revision last = 0;
};

using SharedTarget = std::shared_ptr<Target>;

asio::awaitable<void> run(SharedTarget target)
{
    try {
        const WatchEnd end = co_await target->watcher->run();
        target->ended = true;
        target->problems.expect(end.position.revision >= target->last, "the position lags behind");
        target->problems.expect(end.position == target->watcher->position(), "two last positions");
    } catch (const boost::system::system_error& error) {
        target->problems.expect(target->may_be_closed && is(error, Error::closed), error.what());
    }
}

/// Waits for an event of the watch, which may end before, during or after the wait.
asio::awaitable<void> wait(SharedTarget target, Database database, unsigned what)
{
    try {
        if (what == 0) {
            co_await target->watcher->wait_ready(crew_patience);
        } else if (what == 1) {
            const Revision revision = database.head_revision() + 1;
            co_await target->watcher->reached(revision);
            target->problems.expect(target->watcher->position().revision >= revision,
                                    "reached, and not there");
        } else {
            co_await target->watcher->stop();
            target->problems.expect(target->watcher->position().revision >= target->last,
                                    "stopped, and not there");
        }
    } catch (const boost::system::system_error& error) {
        const bool closed = target->may_be_closed && is(error, Error::closed);
        target->problems.expect(closed || is(error, Error::watch_ended), error.what());
    }
}

class Storm {
public:
    explicit Storm(std::uint64_t seed) : random_(seed)
    {
        Options options{"memory:"};
        options.enable_watch = true;
        options.durability = Durability::buffered;
        options.hub_messages = 32;
        database_ = Database::open_blocking(crew_.executor(), options);
        result(crew_.start(create(database_)), "create");
    }

    void blow(int waves, int watchers)
    {
        auto committing = crew_.start(commit());
        for (int i = 0; i < waves; ++i) {
            wave(watchers);
        }
        done_ = true;
        result(std::move(committing), "the committer");
        result(crew_.start(database_.close(crew_patience)), "close");
        problems_.report();
    }

    /// Same as `blow`, but the database closes in the middle of it.
    void blow_and_close(int watchers)
    {
        auto committing = crew_.start(commit());
        std::vector<std::future<void>> ends = start(watchers, true);
        done_ = true;
        result(crew_.start(database_.close(crew_patience)), "close");
        for (auto& each : ends) {
            result(std::move(each), "a watcher");
        }
        result(std::move(committing), "the committer");
        problems_.report();
    }

private:
    static asio::awaitable<void> create(Database database)
    {
        co_await database.update(
            [](Transaction& tx) { tx.create_bucket(Structure::btree, "data"); });
    }

    asio::awaitable<void> commit()
    {
        try {
            for (int i = 0; !done_; ++i) {
                const auto put = [&](Transaction& tx) {
                    tx.btree("data").put(i % 2 == 0 ? "key" : "other", std::to_string(i));
                };
                co_await database_.update(put);
            }
        } catch (const boost::system::system_error& error) {
            problems_.expect(is(error, Error::closed), error.what());
        }
    }

    std::vector<std::future<void>> start(int watchers, bool may_be_closed = false)
    {
        std::vector<std::future<void>> ends;
        targets_.clear();
        for (int i = 0; i < watchers; ++i) {
            const auto& target = targets_.emplace_back(
                std::make_shared<Target>(database_, random_, crew_.executor(), problems_));
            target->may_be_closed = may_be_closed;
            const auto waiting = static_cast<unsigned>(random_() % 6);
            if (waiting < 2) {
                ends.push_back(crew_.start(wait(target, database_, waiting)));
            }
            if (random_() % 16 == 0) {
                target->watcher->request_stop();  // before it runs
            }
            ends.push_back(asio::co_spawn(
                target->strand, run(target),
                asio::bind_cancellation_slot(target->signal.slot(), asio::use_future)));
        }
        return ends;
    }

    void wave(int watchers)
    {
        std::vector<std::future<void>> ends = start(watchers);
        std::array<std::thread, 2> strangers;
        for (std::size_t part = 0; part < strangers.size(); ++part) {
            strangers[part] = std::thread([this, part, seed = random_()] { end_some(part, seed); });
        }
        for (const SharedTarget& each : targets_) {
            if (random_() % 3 == 0) {
                ends.push_back(crew_.start(wait(each, database_, 2)));
            }
        }
        for (std::thread& each : strangers) {
            each.join();
        }
        for (auto& each : ends) {
            result(std::move(each), "a watcher");
        }
    }

    /// Ends every second watch in one of two ways. Runs on a thread outside the event loop.
    void end_some(std::size_t part, std::uint64_t seed)
    {
        std::mt19937_64 random(seed);
        for (std::size_t i = part; i < targets_.size(); i += 2) {
            if (random() % 2 == 0) {
                targets_[i]->watcher->request_stop();
            } else {
                asio::post(targets_[i]->strand, [target = targets_[i]] {
                    target->signal.emit(asio::cancellation_type::terminal);
                });
            }
            if (random() % 8 == 0) {
                std::this_thread::yield();
            }
        }
    }

    std::mt19937_64 random_;
    Problems problems_;
    Crew crew_{4};
    Database database_;
    std::vector<SharedTarget> targets_;
    std::atomic<bool> done_{false};
};

}  // namespace

// Watches on several threads that are stopped, cancelled and closed at any time.
BOOST_AUTO_TEST_SUITE(test_stop_storm)

BOOST_AUTO_TEST_CASE(every_watch_ends_exactly_once)  // W11 W12
{
    Storm(new_seed()).blow(30, 200);
}

BOOST_AUTO_TEST_CASE(close_ends_watches_that_have_just_begun)  // W11 W12
{
    const std::uint64_t seed = new_seed();
    for (std::uint64_t i = 0; i < 10; ++i) {
        Storm(seed + i).blow_and_close(40);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keywatch::test
