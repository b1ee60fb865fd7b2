// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "engine/engine.hpp"
#include "watch/hub.hpp"

#include <memory>
#include <utility>

namespace keywatch::pipeline {

class Pipeline;

/// The door from the engine into the pipeline: durable commits go into the hub, and the collector
/// is woken by a post, unless one is on its way already.
class Feed final : public engine::CommitSink {
public:
    explicit Feed(watch::Budget budget) : hub_(budget) {}

    void attach(std::weak_ptr<Pipeline> pipeline) { pipeline_ = std::move(pipeline); }
    watch::Hub& hub() noexcept { return hub_; }
    const watch::Hub& hub() const noexcept { return hub_; }

    void durable(std::shared_ptr<const CommitRecord> commit) noexcept override;

private:
    watch::Hub hub_;
    std::weak_ptr<Pipeline> pipeline_;
};

}  // namespace keywatch::pipeline
