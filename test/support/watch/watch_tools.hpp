// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/loop/event_loop.hpp"

#include <keywatch/keywatch.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// For tests against the public face.
namespace keywatch::test {

/// The one place that says which engine the contract is checked on.
asio::awaitable<Database> open_database(Options options);

/// A database in memory whose commits can be watched; nothing of it survives its closing.
Options watched_options(std::string location = "memory:");
/// Opens that, with this BTree bucket, which is commit 1.
asio::awaitable<Database> open_with(std::string bucket);
asio::awaitable<Database> open_with(Options options, std::string bucket);

asio::awaitable<Revision> create(Database db, std::string bucket,
                                 Structure structure = Structure::btree);
asio::awaitable<Revision> drop(Database db, std::string bucket,
                               Structure structure = Structure::btree);
asio::awaitable<Revision> put(Database db, std::string bucket, std::string key, std::string value);
asio::awaitable<Revision> erase(Database db, std::string bucket, std::string key);
asio::awaitable<std::optional<std::string>> get(Database db, std::string bucket, std::string key);

/// `count` commits, one after the other: key `k<i>`, value `<i>`, from i = first. The last
/// revision.
asio::awaitable<Revision> put_many(Database db, std::string bucket, int count, int first = 0);

/// Remembers messages. Copies share what they have.
class Recorder {
public:
    void operator()(const Message& message) const { messages_->emplace_back(message); }

    const std::vector<OwnedMessage>& messages() const { return *messages_; }
    std::size_t size() const { return messages_->size(); }
    /// `<revision>.<index> <operation> <key>=<value>` of each.
    std::vector<std::string> lines() const;
    std::vector<Revision> revisions() const;
    std::vector<std::string> keys() const;

private:
    std::shared_ptr<std::vector<OwnedMessage>> messages_ =
        std::make_shared<std::vector<OwnedMessage>>();
};

std::string line_of(const Message& message);

/// All that a watch from `from` to the present is given.
asio::awaitable<std::vector<std::string>> history_of(Database db, std::string bucket,
                                                     Selector selector, From from);

/// Pulls until the watch ends.
Task take_all(PullWatcher watcher, Recorder recorder);

WatchOptions watch_from(From from);

/// A watcher whose run() was started beside the test.
class Run {
public:
    explicit Run(const asio::any_io_executor& executor, Watcher watcher);

    bool done() const { return job_.done(); }
    /// Waits for the end of run(); throws what it threw.
    asio::awaitable<WatchEnd> end() const;
    /// Waits for run() to throw; gives the error. It is a failure if it returns.
    asio::awaitable<boost::system::error_code> error() const;
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

/// Starts run() and waits until it follows the database.
asio::awaitable<Run> start(Watcher watcher);

}  // namespace keywatch::test
