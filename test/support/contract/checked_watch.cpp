// SPDX-License-Identifier: BSL-1.0
#include "checked_watch.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

namespace keywatch::test {

namespace {

struct GivenUp : std::runtime_error {
    GivenUp() : runtime_error("a callback that has had enough") {}
};

WatchOptions random_options(Random& random, const From& from)
{
    WatchOptions options;
    options.callback_timeout = 10 * patience;
    options.buffer_messages = 1 + below(random, 12);
    options.buffer_bytes = below(random, 3) == 0 ? 1 : std::size_t{1} << 20;
    options.overflow = static_cast<Overflow>(below(random, 4));
    options.filter = random_filter(random);
    options.from = from;
    if (below(random, 6) == 0) {
        options.progress_interval = std::chrono::milliseconds(1);
    }
    if (options.overflow == Overflow::latest && below(random, 4) == 0) {
        options.min_interval = std::chrono::milliseconds(1);
    }
    return options;
}

/// Returns the last commit of which something has been seen. Revisions are consecutive in these
/// tests.
Revision last_commit(const Position& position)
{
    return position.revision + (position.seen_of_next == 0 ? 0 : 1);
}

}  // namespace

CheckedWatch::CheckedWatch(const Database& db, Random& random, const From& from)
{
    const WatchOptions options = random_options(random, from);
    turns_ = below(random, 2) == 0 ? 0 : below(random, 20);
    stops_itself_ = below(random, 30) == 0;
    if (below(random, 20) == 0) {
        throws_at_ = below(random, 40);
    }
    watched_ = {random_selectors(random), options.filter, options.overflow, 0,
                from.kind() == From::Kind::snapshot};
    const std::size_t kind = below(random, 6);
    what_ = "kind " + std::to_string(kind) + ", policy " +
            std::to_string(static_cast<int>(options.overflow)) + ", from " +
            std::to_string(static_cast<int>(from.kind()));
    if (kind < 4) {
        watcher_ = db.watch(watched_.selectors, callback_of(kind), options);
    } else {
        pulled_ = db.watch(watched_.selectors, options);
    }
    watched_.start = position().revision;
    watched_.seen_of_next = position().seen_of_next;
}

Position CheckedWatch::position() const
{
    return watcher_ ? watcher_->position() : pulled_->position();
}

void CheckedWatch::request_stop() const
{
    watcher_ ? watcher_->request_stop() : pulled_->request_stop();
}

void CheckedWatch::sample()
{
    const Position now = position();
    observed_.positions.push_back({observed_.messages.size(), last_commit(now), now.seen_of_next});
}

void CheckedWatch::take(const Message& message)
{
    if (ended()) {
        unexpected_ = "W12: a callback after the end";
    }
    if (observed_.messages.size() >= throws_at_) {
        throw GivenUp();
    }
    observed_.messages.emplace_back(message);
    sample();
}

Task CheckedWatch::pause() const
{
    for (std::size_t turn = 0; turn < turns_; ++turn) {
        co_await yield();
    }
}

WatchCallback CheckedWatch::callback_of(std::size_t kind)
{
    switch (kind) {
    case 0:
        return [this](const Message& message) { take(message); };
    case 1:
        return [this](const Commit& commit) {
            for (const Message& each : commit) {
                take(each);
            }
        };
    case 2:
        return [this](const Message& message) -> asio::awaitable<Flow> {
            take(message);
            co_await pause();
            co_return stops_itself_ ? Flow::stop : Flow::go_on;
        };
    default:
        return [this](const Commit& commit) -> Task {
            for (std::size_t at = 0; at < commit.size(); ++at) {
                take(commit[at]);
                co_await pause();
            }
        };
    }
}

Task CheckedWatch::pull()
{
    while (true) {
        const bool there = co_await pulled_->wait();
        if (!there) {
            break;
        }
        while (const auto commit = pulled_->try_next()) {
            for (const Message& each : *commit) {
                take(each);
            }
            co_await pause();
        }
    }
    observed_.reason = pulled_->ended()->reason;
}

Task CheckedWatch::follow()
{
    bool given_up = false;
    try {
        if (pulled_) {
            co_await pull();
        } else {
            const WatchEnd end = co_await watcher_->run();
            observed_.reason = end.reason;
        }
    } catch (const GivenUp&) {
        given_up = true;
    } catch (const boost::system::system_error& error) {
        unexpected_ = is_expected(error) ? "" : error.what();
    }
    if (given_up && pulled_) {
        co_await pulled_->stop();
    }
    ++observed_.ends;
    observed_.end_position = last_commit(position());
    observed_.end_seen = position().seen_of_next;
}

bool CheckedWatch::is_expected(const boost::system::system_error& error) const
{
    return error.code() == code(Error::compacted) || error.code() == code(Error::closed) ||
           (error.code() == code(Error::overflow) && watched_.overflow == Overflow::stop);
}

std::vector<std::string> CheckedWatch::problems(const std::vector<contract::Made>& history) const
{
    std::vector<std::string> problems = contract::check(history, watched_, observed_);
    if (!unexpected_.empty()) {
        problems.push_back(unexpected_);
    }
    return problems;
}

Task follow(SharedCheckedWatch watch)
{
    co_await watch->follow();
}

}  // namespace keywatch::test
