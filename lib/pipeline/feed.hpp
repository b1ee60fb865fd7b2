// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "engine/engine.hpp"
#include "watch/hub.hpp"

#include <atomic>
#include <memory>
#include <utility>

namespace keywatch::pipeline {

class Pipeline;

/// The door from the engine into the pipeline: durable commits go into the hub, and the collector
/// is woken by a post, unless one is on its way already.
///
/// While nobody watches it is asleep, and passes nothing on. After rouse() everything is, that the
/// engine's durable head does not show yet: the engine moves its head before it calls durable(),
/// both in one order that all threads see (sequentially consistent), so a commit that finds the
/// feed asleep is in the head that is read after rouse().
class Feed final : public engine::CommitSink {
public:
    explicit Feed(watch::Budget budget) : hub_(budget) {}

    void attach(std::weak_ptr<Pipeline> pipeline) { pipeline_ = std::move(pipeline); }
    watch::Hub& hub() noexcept { return hub_; }
    const watch::Hub& hub() const noexcept { return hub_; }

    void rouse() noexcept { asleep_.store(false); }
    void sleep() noexcept { asleep_.store(true); }

    void durable(std::shared_ptr<const CommitRecord> commit) noexcept override;
    void durable_unseen(Revision revision) noexcept override;
    bool wants_commits() const noexcept override { return !asleep_.load(); }

private:
    void wake_collector() noexcept;

    std::atomic<bool> asleep_{true};
    watch::Hub hub_;
    std::weak_ptr<Pipeline> pipeline_;
};

}  // namespace keywatch::pipeline
