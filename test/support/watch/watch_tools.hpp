// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/loop/event_loop.hpp"

#include <keywatch/keywatch.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Tools for tests of the public interface.
namespace keywatch::test {

/// Opens a database. The only place that determines the engine on which the contract is checked.
asio::awaitable<Database> open_database(Options options);

/// Returns options of a database in memory whose commits can be watched; its contents are lost when
/// it closes.
Options watched_options(std::string location = "memory:");
/// Opens such a database with this BTree bucket, which is commit 1.
asio::awaitable<Database> open_with(std::string bucket);
asio::awaitable<Database> open_with(Options options, std::string bucket);

asio::awaitable<Revision> create(Database db, std::string bucket,
                                 Structure structure = Structure::btree);
asio::awaitable<Revision> drop(Database db, std::string bucket,
                               Structure structure = Structure::btree);
asio::awaitable<Revision> put(Database db, std::string bucket, std::string key, std::string value);
asio::awaitable<Revision> erase(Database db, std::string bucket, std::string key);
asio::awaitable<std::optional<std::string>> get(Database db, std::string bucket, std::string key);

/// Makes `count` commits, one after another, with key `k<i>` and value `<i>`, from i = first.
/// Returns the last revision.
asio::awaitable<Revision> put_many(Database db, std::string bucket, int count, int first = 0);

/// A callback that records messages. Copies share their records.
class Recorder {
public:
    void operator()(const Message& message) const { messages_->emplace_back(message); }

    const std::vector<OwnedMessage>& messages() const { return *messages_; }
    std::size_t size() const { return messages_->size(); }
    /// Returns `<revision>.<index> <operation> <key>=<value>` for each message.
    std::vector<std::string> lines() const;
    std::vector<Revision> revisions() const;
    std::vector<std::string> keys() const;

private:
    std::shared_ptr<std::vector<OwnedMessage>> messages_ =
        std::make_shared<std::vector<OwnedMessage>>();
};

std::string line_of(const Message& message);

/// Returns what a watch from `from` receives up to the newest commit.
asio::awaitable<std::vector<std::string>> history_of(Database db, std::string bucket,
                                                     Selector selector, From from);

/// Takes commits until the watch ends.
Task take_all(PullWatcher watcher, Recorder recorder);

WatchOptions watch_from(From from);

/// A watcher whose run() was started concurrently with the test.
class Run {
public:
    explicit Run(const asio::any_io_executor& executor, Watcher watcher);

    bool done() const { return job_.done(); }
    /// Waits for the end of run(); rethrows its exception.
    asio::awaitable<WatchEnd> end(
        std::source_location where = std::source_location::current()) const;
    /// Waits for run() to throw, and returns the error. Fails if it returns.
    asio::awaitable<boost::system::error_code> error(
        std::source_location where = std::source_location::current()) const;
    void cancel(asio::cancellation_type type = asio::cancellation_type::terminal) const
    {
        job_.cancel(type);
    }

private:
    using Result = std::shared_ptr<std::optional<WatchEnd>>;
    static Task run(Watcher watcher, Result result);

    Result result_ = std::make_shared<std::optional<WatchEnd>>();
    Job job_;
};

/// Starts run() and waits until the watch follows the database.
asio::awaitable<Run> start(Watcher watcher);

}  // namespace keywatch::test
