// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "engine/engine.hpp"
#include "watch/hub.hpp"

#include <atomic>
#include <memory>
#include <utility>

namespace keywatch::pipeline {

class Router;

/// The sink that receives the engine's durable commits for the pipeline. It puts them into the hub
/// and wakes the collector by a post, unless one is already on its way.
///
/// While no watch runs, the feed is paused (`paused_`) and drops commits. After `resume()`, it
/// passes on every commit that is after the durable head read after that call. The engine moves its
/// head before it calls durable(), and all threads see both in one order (sequentially consistent).
/// A commit that finds the feed paused is therefore at or before the head that is read after
/// `resume()`.
class Feed final : public engine::CommitSink {
public:
    explicit Feed(Budget budget) : hub_(budget) {}

    /// Sets the router whose collector is woken. Called once, before the first commit.
    void attach(std::weak_ptr<Router> router) { router_ = std::move(router); }
    watch::Hub& hub() noexcept { return hub_; }
    const watch::Hub& hub() const noexcept { return hub_; }

    void resume() noexcept { paused_.store(false); }
    void pause() noexcept { paused_.store(true); }

    void durable(std::shared_ptr<const CommitRecord> commit) noexcept override;
    void durable_unseen(Revision revision) noexcept override;
    bool wants_commits() const noexcept override { return !paused_.load(); }

private:
    void wake_collector() noexcept;

    std::atomic<bool> paused_{true};
    watch::Hub hub_;
    std::weak_ptr<Router> router_;
};

}  // namespace keywatch::pipeline
