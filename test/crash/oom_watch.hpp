// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "oom_loop.hpp"

#include "support/contract/contract_checker.hpp"

#include <keywatch/keywatch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keywatch::test::oom {

enum class Consumer : std::uint8_t {
    plain_message,
    plain_commit,
    coroutine_message,
    coroutine_commit,
    pulled,
};

enum class Start : std::uint8_t { now, oldest, revision, snapshot, cursor };

/// The properties of a watch.
struct Kind {
    Consumer consumer = Consumer::plain_message;
    Overflow overflow = Overflow::catch_up;
    Start start = Start::now;
    /// The size of its inbox in messages.
    std::size_t buffer = 1024;
    /// Number of turns of the event loop that a coroutine or a consumer takes for a message.
    std::size_t turns = 0;
    std::chrono::milliseconds progress{0};
    std::chrono::milliseconds interval{0};
    /// True if the callback of each commit saves a cursor (`coroutine_commit`).
    bool saves = false;
};

inline From from_of(Start start)
{
    switch (start) {
    case Start::now:
        return From::now();
    case Start::oldest:
        return From::oldest();
    case Start::revision:
        return From::revision(1);
    case Start::cursor:
        return From::cursor("c");
    case Start::snapshot:
        break;
    }
    return From::snapshot();
}

/// A watch and everything that it delivers, for the contract checker.
class Watch {
public:
    Watch(const char* name, Loop& loop, Findings& findings, const Kind& kind, Selectors selectors)
        : name_(name), loop_(loop), findings_(findings), kind_(kind)
    {
        watched_.selectors = std::move(selectors);
        watched_.overflow = kind.overflow;
        watched_.snapshot = kind.start == Start::snapshot;
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Creates the watch and runs it on this executor. Returns false if it cannot be created.
    bool open(const Database& database, const asio::any_io_executor& on)
    {
        if (!loop_.call("watch()", {}, [&] { make(database); })) {
            return false;
        }
        if (kind_.saves) {
            database_ = database;
        }
        watched_.start = position().revision;
        watched_.seen_of_next = position().seen_of_next;
        outcome_ = loop_.begin(name_, kind_.consumer == Consumer::pulled ? pull() : run(), on);
        return true;
    }

    bool made() const { return outcome_ != nullptr; }
    bool over() const { return !outcome_ || outcome_->over(); }
    bool failed() const { return error_ != nullptr; }
    const SharedOutcome& outcome() const { return outcome_; }
    std::size_t given() const { return observed_.messages.size(); }
    const std::vector<OwnedMessage>& messages() const { return observed_.messages; }
    std::size_t count_of(Operation operation) const
    {
        return static_cast<std::size_t>(std::ranges::count_if(
            observed_.messages, [&](const auto& each) { return each->operation == operation; }));
    }
    std::optional<EndReason> reason() const { return observed_.reason; }
    const Kind& kind() const { return kind_; }
    const char* name() const { return name_; }
    const std::exception_ptr& error() const { return error_; }

    /// Returns true if `run()`, or `wait()`, has begun the watch.
    bool begun() const
    {
        const Spared spared;
        return made() && info().state != WatcherState::created;
    }

    Position position() const { return watcher_ ? watcher_->position() : pulled_->position(); }

    // Each of these calls the function of the same name.
    Task wait_ready(std::chrono::milliseconds timeout)
    {
        if (watcher_) {
            co_await watcher_->wait_ready(timeout);
        } else {
            co_await pulled_->wait_ready(timeout);
        }
    }
    Task reached(Revision revision)
    {
        if (watcher_) {
            co_await watcher_->reached(revision);
        } else {
            co_await pulled_->reached(revision);
        }
        if (position().revision < revision) {
            const Spared spared;
            findings_.add("lost", std::string(name_) + ": reached() returned before its time");
        }
    }
    Task stop()
    {
        if (watcher_) {
            co_await watcher_->stop();
        } else {
            co_await pulled_->stop();
        }
    }
    void request_stop() { watcher_ ? watcher_->request_stop() : pulled_->request_stop(); }
    Task drain()
    {
        if (watcher_) {
            co_await watcher_->drain();
        } else {
            co_await pulled_->drain();
        }
    }

    /// Records that the database closes, and that everything up to `head` was committed before.
    void closes(Revision head)
    {
        if (!over()) {
            observed_.closed_at = head;
        }
    }
    /// Checks that `drain()`, which has returned, has delivered everything up to `head`.
    void was_drained_to(Revision head)
    {
        if (!error_ && position().revision < head) {
            findings_.add("lost", std::string(name_) + ": drain() left something");
        }
    }

    /// Compares what the watch has delivered with what was committed. Precondition: the watch has
    /// ended. If the pipeline has failed (not `served`), the watch must have failed, too.
    void judge(const std::vector<contract::Made>& history, bool served)
    {
        if (!made()) {
            return;
        }
        findings_.watch_failed |= failed();
        if (!served) {
            if (!failed() && observed_.reason == EndReason::database_closed) {
                findings_.add("lost", std::string(name_) + ": not served, and not told");
            }
            return;
        }
        if (kind_.overflow == Overflow::stop) {
            loop_.check(name_, error_, {Error::overflow});
        } else if (kind_.saves) {
            loop_.check(name_, error_, {Error::storage_failed, Error::closed});
        } else {
            loop_.check(name_, error_, {});
        }
        if (outcome_->destroyed) {
            return;  // finish() has reported it
        }
        observed_.end_position = position().revision + (position().seen_of_next == 0 ? 0 : 1);
        observed_.end_seen = position().seen_of_next;
        for (const std::string& each : contract::check(history, watched_, observed_)) {
            findings_.add(kind_of(each), std::string(name_) + ": " + each);
        }
    }

private:
    WatcherInfo info() const { return watcher_ ? watcher_->info() : pulled_->info(); }

    static const char* kind_of(const std::string& problem)
    {
        if (problem.starts_with("W2")) {
            return "twice";
        }
        return problem.starts_with("W3") || problem.starts_with("W13") ? "lost" : "promise";
    }

    void make(const Database& database)
    {
        const WatchOptions options = options_of();
        if (kind_.consumer == Consumer::pulled) {
            pulled_ = database.watch(watched_.selectors, options);
        } else {
            watcher_ = database.watch(watched_.selectors, callback(), options);
        }
    }

    WatchOptions options_of() const
    {
        const Spared spared;
        WatchOptions options;
        options.from = from_of(kind_.start);
        options.callback_timeout = std::chrono::minutes(10);
        options.buffer_messages = kind_.buffer;
        options.overflow = kind_.overflow;
        options.progress_interval = kind_.progress;
        options.min_interval = kind_.interval;
        return options;
    }

    WatchCallback callback()
    {
        const Spared spared;
        switch (kind_.consumer) {
        case Consumer::plain_message:
            return [this](const Message& message) { take(message); };
        case Consumer::plain_commit:
            return [this](const Commit& commit) { take(commit); };
        case Consumer::coroutine_message:
            return [this](const Message& message) {
                take(message);
                return pause();
            };
        default:
            return [this](const Commit& commit) {
                take(commit);
                const Spared spared_too;
                return kind_.saves ? save(commit.revision()) : pause();
            };
        }
    }

    Task save(Revision revision)
    {
        const auto fn = [revision](Transaction& tx) { tx.save_cursor("own", revision); };
        co_await database_.update(fn);
    }

    void take(const Message& message)
    {
        const Spared spared;
        if (over()) {
            findings_.add("promise", std::string(name_) + ": W12: a callback after the end");
        }
        observed_.messages.emplace_back(message);
        const Position now = position();
        observed_.positions.push_back(
            {observed_.messages.size(), now.revision + (now.seen_of_next == 0 ? 0 : 1)});
        loop_.context().stop();  // so that conditions are checked
    }

    void take(const Commit& commit)
    {
        for (std::size_t at = 0; at < commit.size(); ++at) {
            take(commit[at]);
        }
    }

    /// Takes this watch's turns. The frame belongs to the test.
    Task pause() const
    {
        const Spared spared;
        return take_turns(kind_.turns);
    }
    static Task take_turns(std::size_t turns)
    {
        for (std::size_t i = 0; i < turns; ++i) {
            co_await turn();
        }
    }

    Task run()
    {
        try {
            const WatchEnd end = co_await watcher_->run();
            observed_.reason = end.reason;
        } catch (...) {
            error_ = std::current_exception();
        }
        ++observed_.ends;
    }

    Task pull()
    {
        while (true) {
            std::exception_ptr failure;
            bool there = false;
            try {
                there = co_await pulled_->wait();
            } catch (...) {
                failure = std::current_exception();
            }
            if (failure && has_ended(failure)) {
                error_ = failure;
                break;
            }
            if (failure) {
                co_await turn();
                continue;
            }
            if (!there) {
                break;
            }
            while (take_next()) {
                co_await pause();
            }
        }
        const Spared spared;
        if (const auto end = pulled_->ended(); end && !error_) {
            observed_.reason = end->reason;
        }
        ++observed_.ends;
    }

    /// Takes a commit, if there is one. Tries again if that fails.
    bool take_next()
    {
        while (true) {
            try {
                const std::optional<PulledCommit> commit = pulled_->try_next();
                if (commit) {
                    take(*commit);
                }
                return commit.has_value();
            } catch (const std::bad_alloc&) {
                if (has_ended(std::current_exception())) {
                    return false;  // wait() reports it
                }
            }
        }
    }

    /// Returns true if the watch has ended with this error, not only a call.
    bool has_ended(const std::exception_ptr& failure) const
    {
        const Spared spared;
        return !is_one_of(failure, {}) || info().state == WatcherState::ended;
    }

    const char* const name_;
    Loop& loop_;
    Findings& findings_;
    const Kind kind_;
    contract::Watched watched_;
    contract::Observed observed_;
    Database database_;
    std::optional<Watcher> watcher_;
    std::optional<PullWatcher> pulled_;
    SharedOutcome outcome_;
    std::exception_ptr error_;
};

}  // namespace keywatch::test::oom
