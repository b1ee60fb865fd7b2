// SPDX-License-Identifier: BSL-1.0
// Random schedules of commits and of watchers of all kinds, with tiny buffers and a history that is
// trimmed; what each watcher was given is checked against the contract. KEYWATCH_SEED=n makes the
// schedule of that seed alone.
#include "support/contract_checker.hpp"
#include "support/random_commits.hpp"
#include "support/temporary_directory.hpp"
#include "support/watch_tools.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <deque>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace kw = keywatch;
using namespace keywatch::test;

namespace {

constexpr std::uint64_t schedules = 60;
constexpr int steps = 500;

struct GivenUp : std::runtime_error {
    GivenUp() : runtime_error("a callback that has had enough") {}
};

/// One watch, what was asked of it, and what came of it.
struct Stream {
    contract::Watched watched;
    contract::Observed observed;
    std::string what;
    /// How many turns of the loop a coroutine or a consumer takes for a message.
    std::size_t turns = 0;
    /// It fails with that message.
    std::size_t throws_at = SIZE_MAX;
    bool stops_itself = false;
    std::optional<kw::Watcher> watcher;
    std::optional<kw::PullWatcher> pulled;
    std::optional<Job> job;
    std::string unexpected;

    kw::Position position() const { return watcher ? watcher->position() : pulled->position(); }
    void request_stop() const { watcher ? watcher->request_stop() : pulled->request_stop(); }

    void take(const kw::Message& message)
    {
        if (observed.ends != 0) {
            unexpected = "W12: a callback after the end";
        }
        if (observed.messages.size() >= throws_at) {
            throw GivenUp();
        }
        observed.messages.emplace_back(message);
        sample();
    }
    void sample() { observed.positions.push_back({observed.messages.size(), position().revision}); }
};

using SharedStream = std::shared_ptr<Stream>;

/// The callbacks, by kind.
kw::WatchCallback callback_of(const SharedStream& stream, std::size_t kind)
{
    Stream* const one = stream.get();  // which keeps the watcher, and so this
    switch (kind) {
    case 0:
        return [one](const kw::Message& message) { one->take(message); };
    case 1:
        return [one](const kw::Commit& commit) {
            for (const kw::Message& each : commit) {
                one->take(each);
            }
        };
    case 2:
        return [one](const kw::Message& message) -> asio::awaitable<kw::Flow> {
            one->take(message);
            for (std::size_t turn = 0; turn < one->turns; ++turn) {
                co_await yield();
            }
            co_return one->stops_itself ? kw::Flow::stop : kw::Flow::go_on;
        };
    default:
        return [one](const kw::Commit& commit) -> Task {
            for (std::size_t at = 0; at < commit.size(); ++at) {
                one->take(commit[at]);
                for (std::size_t turn = 0; turn < one->turns; ++turn) {
                    co_await yield();
                }
            }
        };
    }
}

Task pull(SharedStream stream)
{
    while (true) {
        const bool there = co_await stream->pulled->wait();
        if (!there) {
            break;
        }
        while (const auto commit = stream->pulled->try_next()) {
            for (const kw::Message& each : *commit) {
                stream->take(each);
            }
            for (std::size_t turn = 0; turn < stream->turns; ++turn) {
                co_await yield();
            }
        }
    }
    stream->observed.reason = stream->pulled->ended()->reason;
}

Task follow(SharedStream stream)
{
    bool given_up = false;
    try {
        if (stream->pulled) {
            co_await pull(stream);
        } else {
            const kw::WatchEnd end = co_await stream->watcher->run();
            stream->observed.reason = end.reason;
        }
    } catch (const GivenUp&) {
        given_up = true;
    } catch (const boost::system::system_error& error) {
        const bool expected = error.code() == code(kw::Error::compacted) ||
                              (error.code() == code(kw::Error::overflow) &&
                               stream->watched.overflow == kw::Overflow::stop) ||
                              error.code() == code(kw::Error::closed);
        stream->unexpected = expected ? "" : error.what();
    }
    if (given_up && stream->pulled) {
        co_await stream->pulled->stop();
    }
    ++stream->observed.ends;
    stream->observed.end_position = stream->position().revision;
}

/// One schedule, of one seed.
class Schedule {
public:
    explicit Schedule(std::uint64_t seed) : random_(seed), commits_(random_) {}

    Task run()
    {
        co_await open();
        for (int step = 0; step < steps; ++step) {
            co_await this->step();
        }
        co_await close();
        for (const SharedStream& each : streams_) {
            check(*each);
        }
    }

    std::size_t problems() const { return problems_; }

private:
    Task open()
    {
        kw::Options options((directory_.path() / "db").string());
        options.enable_watch = true;
        options.durability = kw::Durability::buffered;
        options.hub_messages = 1 + below(random_, 30);
        options.batch_messages = 1 + below(random_, 10);
        options.distribute_batches = 1 + below(random_, 4);
        options.victim_sets = 1 + below(random_, 3);
        if (below(random_, 2) == 0) {
            options.history.commits = 20 + below(random_, 200);
        }
        db_ = co_await open_database(options);
    }

    Task close()
    {
        const kw::Revision head = db_.head_revision();
        for (const SharedStream& each : streams_) {
            if (each->observed.ends == 0) {
                each->observed.closed_at = head;
            }
        }
        co_await db_.close();
        for (const SharedStream& each : streams_) {
            co_await until([&] { return each->job->done(); });
        }
    }

    Task step()
    {
        switch (below(random_, 16)) {
        case 0:
        case 1:
            co_await watch();
            break;
        case 2:
            end_one();
            break;
        case 3:
            if (below(random_, 12) == 0) {
                co_await close();
                co_await open();
            }
            break;
        case 4:
        case 5:
            for (std::size_t turn = below(random_, 40); turn > 0; --turn) {
                co_await yield();
            }
            break;
        case 6:
            co_await commits_.commit_some(db_, 1 + below(random_, 12));
            break;
        default:
            co_await commits_.commit(db_);
        }
        if (!streams_.empty()) {
            streams_[below(random_, streams_.size())]->sample();
        }
    }

    Task watch()
    {
        const auto stream = std::make_shared<Stream>();
        kw::WatchOptions options;
        options.callback_timeout = 10 * patience;
        options.buffer_messages = 1 + below(random_, 12);
        options.buffer_bytes = below(random_, 3) == 0 ? 1 : std::size_t{1} << 20;
        options.overflow = static_cast<kw::Overflow>(below(random_, 4));
        options.filter = random_filter(random_);
        options.from = start();
        if (below(random_, 6) == 0) {
            options.progress_interval = std::chrono::milliseconds(1);
        }
        if (options.overflow == kw::Overflow::latest && below(random_, 4) == 0) {
            options.min_interval = std::chrono::milliseconds(1);
        }
        stream->turns = below(random_, 2) == 0 ? 0 : below(random_, 20);
        stream->stops_itself = below(random_, 30) == 0;
        if (below(random_, 20) == 0) {
            stream->throws_at = below(random_, 40);
        }
        stream->watched = {random_selectors(random_), options.filter, options.overflow, 0,
                           options.from.kind() == kw::From::Kind::snapshot};
        const std::size_t kind = below(random_, 6);
        stream->what = "watch " + std::to_string(streams_.size()) + ", kind " +
                       std::to_string(kind) + ", policy " +
                       std::to_string(static_cast<int>(options.overflow)) + ", from " +
                       std::to_string(static_cast<int>(options.from.kind()));
        if (kind < 4) {
            stream->watcher =
                db_.watch(stream->watched.selectors, callback_of(stream, kind), options);
        } else {
            stream->pulled = db_.watch(stream->watched.selectors, options);
        }
        stream->watched.start = stream->position().revision;
        // Sometimes it starts later: what is committed in between is for it.
        if (below(random_, 4) == 0) {
            co_await commits_.commit(db_);
        }
        stream->job = co_await spawn(follow(stream));
        streams_.push_back(stream);
    }

    kw::From start()
    {
        switch (below(random_, 8)) {
        case 0:
            return kw::From::revision(below(random_, db_.head_revision() + 3));
        case 1:
            return kw::From::oldest();
        case 2:
        case 3:
            return kw::From::snapshot();
        case 4:
            return last_end_ ? kw::From::after(*last_end_) : kw::From::now();
        default:
            return kw::From::now();
        }
    }

    void end_one()
    {
        if (streams_.empty()) {
            return;
        }
        const SharedStream one = streams_[below(random_, streams_.size())];
        if (one->observed.ends != 0) {
            // A start yet to come is no place to go on after.
            if (one->position().revision <= db_.head_revision()) {
                last_end_ = one->position();
            }
        } else if (one->watcher && below(random_, 2) == 0) {
            one->job->cancel();
        } else if (below(random_, 3) == 0) {
            one->request_stop();
        }
    }

    void check(const Stream& stream)
    {
        BOOST_TEST_CONTEXT(stream.what)
        {
            if (!stream.unexpected.empty()) {
                BOOST_ERROR(stream.unexpected);
                ++problems_;
            }
            for (const std::string& each :
                 contract::check(commits_.history(), stream.watched, stream.observed)) {
                BOOST_ERROR(each);
                ++problems_;
            }
        }
    }

    const TemporaryDirectory directory_;
    Random random_;
    RandomCommits commits_;
    kw::Database db_;
    std::vector<SharedStream> streams_;
    std::optional<kw::Position> last_end_;
    std::size_t problems_ = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(test_random_pipeline, EventLoop)

BOOST_AUTO_TEST_CASE(every_watcher_is_given_what_it_was_promised)
{
    const char* const given = std::getenv("KEYWATCH_SEED");
    const std::uint64_t first =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::size_t problems = 0;
    // The first one is enough.
    for (std::uint64_t seed = first; problems == 0 && seed < first + (given ? 1 : schedules);
         ++seed) {
        BOOST_TEST_CONTEXT("KEYWATCH_SEED=" << seed)
        {
            Schedule schedule(seed);
            run([&]() -> Task { co_await schedule.run(); });
            problems = schedule.problems();
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
