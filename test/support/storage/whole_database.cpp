// SPDX-License-Identifier: BSL-1.0
#include "whole_database.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>

namespace keywatch::test {

namespace {

Contents copy(const Snapshot& snapshot)
{
    Contents contents;
    for (const Bucket& bucket : snapshot.buckets()) {
        auto& entries = contents[bucket.name];
        for (const auto [key, value] : snapshot.btree(bucket.name).scan()) {
            entries.emplace(key, value);
        }
    }
    for (const Cursor& cursor : snapshot.cursors()) {
        contents[place_of_cursors][cursor.name] = std::to_string(cursor.position.revision);
    }
    return contents;
}

asio::awaitable<std::vector<SeenCommit>> read_history(Database database, Revision from, Revision to)
{
    std::vector<SeenCommit> seen;
    WatchOptions options;
    options.from = From::revision(from);
    Watcher watcher = database.watch(
        "data", all(),
        [&seen](const Commit& commit) {
            SeenCommit& last = seen.emplace_back(SeenCommit{commit.revision(), {}});
            for (const Message& message : commit) {
                last.changes.push_back(change_of(message));
            }
        },
        options);
    // Errors are reported by reached().
    asio::co_spawn(co_await asio::this_coro::executor, watcher.run(),
                   [](std::exception_ptr, const WatchEnd&) {});
    co_await watcher.reached(to);
    co_await watcher.stop();
    co_return seen;
}

}  // namespace

asio::awaitable<Contents> read_contents(Database database)
{
    co_return co_await database.view(copy);
}

asio::awaitable<WholeDatabase> read_whole(Database database)
{
    WholeDatabase whole;
    whole.head = database.head_revision();
    whole.oldest = database.oldest_revision();
    whole.contents = co_await database.view(copy);
    if (whole.oldest <= whole.head) {
        whole.history = co_await read_history(database, whole.oldest, whole.head);
    }
    co_return whole;
}

std::string wrong_with(const Contents& contents, const Workload& workload, Revision head)
{
    Model model(workload);
    while (model.revision() < head) {
        model.next();
    }
    if (contents == model.contents()) {
        return {};
    }
    for (const auto& [bucket, entries] : model.contents()) {
        const auto found = contents.find(bucket);
        if (found == contents.end()) {
            return "bucket " + bucket + " is missing";
        }
        for (const auto& [key, value] : entries) {
            const auto at = found->second.find(key);
            if (at == found->second.end() || at->second != value) {
                return key + " should be " + value.substr(0, value.find(':')) + ", not " +
                       (at == found->second.end() ? "missing"
                                                  : at->second.substr(0, at->second.find(':')));
            }
        }
    }
    return "there is more than there should be";
}

std::string wrong_with(const WholeDatabase& found, const Workload& workload)
{
    const std::string at_head = " (head " + std::to_string(found.head) + ")";
    if (std::string wrong = wrong_with(found.contents, workload, found.head); !wrong.empty()) {
        return "data: " + wrong + at_head;
    }
    const Revision after = found.oldest == 0 ? 0 : found.oldest - 1;
    if (std::string wrong = wrong_with(found.history, workload, after, found.head);
        !wrong.empty()) {
        return "history: " + wrong + at_head;
    }
    return {};
}

}  // namespace keywatch::test
