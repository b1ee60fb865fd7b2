// SPDX-License-Identifier: BSL-1.0
#include "mirror.hpp"

#include "bytes/glob.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace keywatch::test {

namespace {

void require(bool holds, const Message& message, const char* what)
{
    if (!holds) {
        throw std::logic_error(std::string(what) + ": " + std::to_string(message.revision) + '.' +
                               std::to_string(message.index) + ' ' +
                               std::string(to_string(message.operation)) + ' ' +
                               std::string(message.key));
    }
}

bool has_key(const ModelState& state, const Message& message)
{
    bool found = false;
    ModelState(state).each_structure([&](Structure structure, auto& buckets) {
        const auto at = buckets.find(std::string(message.bucket));
        found = found || (structure == message.structure && at != buckets.end() &&
                          at->second.contains(std::string(message.key)));
    });
    return found;
}

bool matches(const BucketSelector& selector, const std::string& bucket, const std::string& key)
{
    if (selector.is_whole_database()) {
        return true;
    }
    const Selector& keys = selector.selector();
    if (selector.bucket() != bucket) {
        return false;
    }
    switch (keys.kind()) {
    case Selector::Kind::key:
        return key == keys.key();
    case Selector::Kind::prefix:
        return key.starts_with(keys.key());
    case Selector::Kind::range:
        return key >= keys.key() && (keys.end().empty() || key < keys.end());
    case Selector::Kind::glob:
        return bytes::Glob(keys.key()).matches(key);
    case Selector::Kind::all:
        break;
    }
    return true;
}

Task take_turns(int turns)
{
    for (int i = 0; i < turns; ++i) {
        co_await yield();
    }
}

WatchCallback callback_of(Way way, const Mirror& mirror, int turns)
{
    switch (way) {
    case Way::commit:
        return [mirror](const Commit& commit) { std::ranges::for_each(commit, mirror); };
    case Way::coroutine:
        return [mirror, turns](const Message& message) -> Task {
            mirror(message);
            co_await take_turns(turns);
        };
    case Way::commit_coroutine:
        return [mirror, turns](const Commit& commit) -> Task {
            for (const Message& message : commit) {
                mirror(message);
            }
            co_await take_turns(turns);
        };
    case Way::message:
    case Way::pull:
        break;
    }
    return [mirror](const Message& message) { mirror(message); };
}

}  // namespace

Task fill_every_structure(Database db, std::string bucket)
{
    co_await db.update([&](Transaction& tx) {
        for (const auto structure :
             {Structure::btree, Structure::list, Structure::set, Structure::sorted_set}) {
            tx.create_bucket(structure, bucket);
        }
        for (const char* const key : {"b", "ab", "a"}) {
            const std::string last(key);
            tx.btree(bucket).put(key, "value of " + last);
            tx.list(bucket).push_back(key, "2");
            tx.list(bucket).push_front(key, "1");
            tx.list(bucket).push_back(key, "3" + last);
            tx.set(bucket).add(key, "y" + last);
            tx.set(bucket).add(key, "x");
            tx.sorted_set(bucket).add(key, "low", -1.5);
            tx.sorted_set(bucket).add(key, "high" + last, 7);
            tx.sorted_set(bucket).add(key, "also low", -1.5);
        }
    });
}

void Mirror::operator()(const Message& message) const
{
    check_place(message);
    if (message.operation == Operation::synced) {
        require(!data_->synced, message, "a second marker");
        require(!data_->revision || message.revision == *data_->revision, message,
                "a marker of another revision");
        data_->synced = data_->revision = message.revision;
        return;
    }
    require(message.snapshot == !data_->synced, message, "the state ends with the marker");
    data_->synced ? ++data_->changes : ++data_->state_messages;
    take(message);
}

void Mirror::check_place(const Message& message) const
{
    if (data_->synced) {
        require(message.revision > *data_->synced, message, "part of the state comes again");
    }
    if (message.operation != Operation::synced && data_->revision) {
        const bool same = message.revision == *data_->revision;
        require(same || (data_->synced && message.revision > *data_->revision), message,
                "another revision");
        require(!same || !data_->index || message.index > *data_->index, message, "out of order");
    }
    if (message.operation != Operation::synced) {
        data_->revision = message.revision;
        data_->index = message.index;
    }
}

void Mirror::take(const Message& message) const
{
    ModelState& state = data_->state;
    if (message.operation == Operation::erase && message.cause == Cause::expired &&
        !has_key(state, message)) {
        return;  // it expired before the snapshot, which therefore does not contain it
    }
    if (message.operation != Operation::bucket_created) {
        state.each_structure([&](Structure structure, auto& buckets) {
            if (structure == message.structure) {
                // Watches of keys do not receive bucket_created.
                buckets[std::string(message.bucket)];
            }
        });
    }
    apply(state, message);
    if (message.ends_bucket) {
        data_->ended.emplace(message.bucket);
    }
}

ModelState selected(ModelState state, const Selectors& selectors)
{
    state.each_structure([&](Structure, auto& buckets) {
        for (auto& [bucket, keys] : buckets) {
            std::erase_if(keys, [&, name = bucket](const auto& entry) {
                return std::ranges::none_of(selectors.list(), [&](const BucketSelector& each) {
                    return matches(each, name, entry.first);
                });
            });
        }
        std::erase_if(buckets, [](const auto& bucket) { return bucket.second.empty(); });
    });
    return state;
}

Mirrored::Mirrored(const asio::any_io_executor& executor, const Database& db,
                   const Selectors& selectors, WatchOptions options, Way way, int turns)
{
    options.from = From::snapshot();
    if (way == Way::pull) {
        puller_.emplace(db.watch(selectors, options));
        job_.emplace(executor, pull(*puller_, mirror_, turns, end_));
    } else {
        watcher_.emplace(db.watch(selectors, callback_of(way, mirror_, turns), options));
        job_.emplace(executor, run(*watcher_, end_));
    }
}

Task Mirrored::run(Watcher watcher, std::shared_ptr<std::optional<WatchEnd>> end)
{
    *end = co_await watcher.run();
}

Task Mirrored::pull(PullWatcher watcher, Mirror mirror, int turns,
                    std::shared_ptr<std::optional<WatchEnd>> end)
{
    while (co_await watcher.wait()) {
        while (const auto commit = watcher.try_next()) {
            std::ranges::for_each(*commit, mirror);
            co_await take_turns(turns);
        }
    }
    *end = watcher.ended();
}

Position Mirrored::position() const
{
    return watcher_ ? watcher_->position() : puller_->position();
}

void Mirrored::request_stop() const
{
    watcher_ ? watcher_->request_stop() : puller_->request_stop();
}

Task Mirrored::reached(Revision revision) const
{
    return watcher_ ? watcher_->reached(revision) : puller_->reached(revision);
}

asio::awaitable<WatchEnd> Mirrored::end() const
{
    co_await job_->join();
    co_return end_->value();
}

}  // namespace keywatch::test
