// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "embedded/embedded_engine.hpp"
#include "support/loop/event_loop.hpp"
#include "support/storage/held_env.hpp"

#include <keywatch/transaction.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace keywatch::test {

/// A sink that records what the pipeline would receive.
class Sink final : public engine::CommitSink {
public:
    void durable(std::shared_ptr<const CommitRecord> commit) noexcept override
    {
        const std::lock_guard lock(mutex_);
        revisions_.push_back(commit->revision);
    }
    void durable_unseen(Revision revision) noexcept override
    {
        const std::lock_guard lock(mutex_);
        unseen_.push_back(revision);
    }
    bool wants_commits() const noexcept override { return wants_; }

    void want(bool wants) { wants_ = wants; }
    std::vector<Revision> unseen() const
    {
        const std::lock_guard lock(mutex_);
        return unseen_;
    }
    std::vector<Revision> revisions() const
    {
        const std::lock_guard lock(mutex_);
        return revisions_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<Revision> revisions_;
    std::vector<Revision> unseen_;
    std::atomic<bool> wants_{true};
};

inline Options options_in_memory()
{
    Options options("memory:");
    options.enable_watch = true;
    return options;
}

/// An engine on files whose syncs can be held, and helpers for tests with it.
struct Engines : EventLoop {
    HeldEnv env;
    Options options = options_in_memory();
    std::shared_ptr<embedded::EmbeddedEngine> engine;
    std::shared_ptr<Sink> sink = std::make_shared<Sink>();
    int functions = 0;

    ~Engines() { env.release(); }

    /// Opens the engine, and creates bucket "b": commit 1.
    Task open()
    {
        engine = co_await embedded::EmbeddedEngine::open(options, &env);
        engine->set_sink(sink);
        const engine::TransactionFunction create = [](Transaction& tx) {
            tx.create_bucket(Structure::btree, "b");
        };
        co_await engine->commit(create);
    }

    Task put(std::string key, std::size_t bytes = 1)
    {
        const engine::TransactionFunction put = [&](Transaction& tx) {
            ++functions;
            tx.btree("b").put(key, std::string(bytes, 'v'));
        };
        co_await engine->commit(put);
    }

    Task create(std::string bucket)
    {
        const engine::TransactionFunction create = [&](Transaction& tx) {
            tx.create_bucket(Structure::btree, bucket);
        };
        co_await engine->commit(create);
    }

    asio::awaitable<bool> sees(std::string key)
    {
        bool there = false;
        const engine::SnapshotFunction look = [&](const Snapshot& snapshot) {
            there = snapshot.btree("b").contains(key);
        };
        co_await engine->read(look);
        co_return there;
    }

    asio::awaitable<std::vector<Job>> start_puts(int count, std::size_t bytes = 1)
    {
        std::vector<Job> jobs;
        for (int i = 0; i < count; ++i) {
            jobs.push_back(co_await spawn(put("k" + std::to_string(i), bytes)));
        }
        co_return jobs;
    }

    static Task join(std::vector<Job> jobs)
    {
        for (const Job& each : jobs) {
            co_await each.join();
        }
    }

    Task close()
    {
        co_await engine->drain();
        co_await engine->close();
    }
};

}  // namespace keywatch::test
