// SPDX-License-Identifier: BSL-1.0
#include "watch_tools.hpp"

#include "support/called_at.hpp"

#include <boost/asio/this_coro.hpp>

#include <sstream>
#include <stdexcept>

namespace keywatch::test {

asio::awaitable<Database> open_database(Options options)
{
    return Database::open(std::move(options));
}

Options watched_options(std::string location)
{
    Options options(std::move(location));
    options.enable_watch = true;
    return options;
}

asio::awaitable<Database> open_with(std::string bucket)
{
    return open_with(watched_options(), std::move(bucket));
}

asio::awaitable<Database> open_with(Options options, std::string bucket)
{
    Database db = co_await open_database(std::move(options));
    co_await create(db, bucket);
    co_return db;
}

asio::awaitable<Revision> create(Database db, std::string bucket, Structure structure)
{
    co_return co_await db.update([&](Transaction& tx) { tx.create_bucket(structure, bucket); });
}

asio::awaitable<Revision> drop(Database db, std::string bucket, Structure structure)
{
    co_return co_await db.update([&](Transaction& tx) { tx.delete_bucket(structure, bucket); });
}

asio::awaitable<Revision> put(Database db, std::string bucket, std::string key, std::string value)
{
    co_return co_await db.update([&](Transaction& tx) { tx.btree(bucket).put(key, value); });
}

asio::awaitable<Revision> erase(Database db, std::string bucket, std::string key)
{
    co_return co_await db.update([&](Transaction& tx) { tx.btree(bucket).erase(key); });
}

asio::awaitable<std::optional<std::string>> get(Database db, std::string bucket, std::string key)
{
    co_return co_await db.view(
        [&](const Snapshot& snapshot) { return snapshot.btree(bucket).get(key); });
}

asio::awaitable<Revision> put_many(Database db, std::string bucket, int count, int first)
{
    Revision revision = 0;
    for (int i = first; i < first + count; ++i) {
        revision = co_await put(db, bucket, "k" + std::to_string(i), std::to_string(i));
    }
    co_return revision;
}

std::string line_of(const Message& message)
{
    std::ostringstream out;
    out << message.revision << '.' << message.index << ' ' << message.operation;
    if (!message.key.empty()) {
        out << ' ' << message.key << '=' << message.value;
    }
    return out.str();
}

std::vector<std::string> Recorder::lines() const
{
    std::vector<std::string> lines;
    for (const OwnedMessage& each : *messages_) {
        lines.push_back(line_of(*each));
    }
    return lines;
}

std::vector<Revision> Recorder::revisions() const
{
    std::vector<Revision> revisions;
    for (const OwnedMessage& each : *messages_) {
        revisions.push_back(each->revision);
    }
    return revisions;
}

std::vector<std::string> Recorder::keys() const
{
    std::vector<std::string> keys;
    for (const OwnedMessage& each : *messages_) {
        keys.emplace_back(each->key);
    }
    return keys;
}

Task take_all(PullWatcher watcher, Recorder recorder)
{
    while (co_await watcher.wait()) {
        while (const auto commit = watcher.try_next()) {
            for (const Message& each : *commit) {
                recorder(each);
            }
        }
    }
}

WatchOptions watch_from(From from)
{
    WatchOptions options;
    options.from = from;
    return options;
}

asio::awaitable<std::vector<std::string>> history_of(Database db, std::string bucket,
                                                     Selector selector, From from)
{
    Recorder recorder;
    Watcher watcher = db.watch(bucket, std::move(selector), recorder, watch_from(from));
    const Run run = co_await start(watcher);
    co_await watcher.reached(db.head_revision());
    co_await watcher.stop();
    co_await run.end();
    co_return recorder.lines();
}

Run::Run(const asio::any_io_executor& executor, Watcher watcher)
    : job_(executor, run(std::move(watcher), result_))
{
}

Task Run::run(Watcher watcher, Result result)
{
    *result = co_await watcher.run();
}

asio::awaitable<WatchEnd> Run::end(std::source_location where) const
{
    const Result result = result_;
    co_await job_.join(where);
    co_return result->value();
}

asio::awaitable<boost::system::error_code> Run::error(std::source_location where) const
{
    const auto error = co_await failure_of(job_.join(where));
    if (!error) {
        throw std::runtime_error("run() returned; it should have thrown, " + called_at(where));
    }
    co_return error;
}

asio::awaitable<Run> start(Watcher watcher)
{
    Run run(co_await asio::this_coro::executor, watcher);
    co_await watcher.wait_ready(patience);
    co_return run;
}

}  // namespace keywatch::test
