// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/context_life.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <memory>
#include <utility>

namespace keywatch::pipeline {

namespace asio = boost::asio;

/// The strand that the parts of a pipeline share, on the executor of the database, and the life of
/// that executor's context.
///
/// 1. What is posted or spawned here owns the pipeline, of which the parts are members: see
///    `share`.
/// 2. Nothing is posted once the context is being destroyed. The strand does not outlive it.
///
/// Thread safety: all members may be called from any thread, except `set_owner` and `release`.
class PipelineStrand {
public:
    explicit PipelineStrand(const asio::any_io_executor& executor);

    /// Sets the object of which the parts are members. Called once, before anything is posted.
    void set_owner(std::weak_ptr<void> owner) noexcept { owner_ = std::move(owner); }
    /// Returns a pointer to a part that keeps the whole pipeline alive. Precondition: the pipeline
    /// is not being destroyed.
    template <class Part>
    std::shared_ptr<Part> share(Part* part) const
    {
        return {std::shared_ptr<void>(owner_), part};
    }
    /// Same as `share`, for callers that the end of the pipeline may overtake. Null if it has.
    template <class Part>
    static std::shared_ptr<Part> lock(const std::weak_ptr<void>& owner, Part* part)
    {
        auto locked = owner.lock();
        return locked ? std::shared_ptr<Part>(std::move(locked), part) : nullptr;
    }
    const std::weak_ptr<void>& owner() const noexcept { return owner_; }

    /// Calls `function` on the strand. If the context is being destroyed, does nothing.
    template <class Function>
    void post(Function function)
    {
        if (!is_gone()) {
            asio::post(strand_, std::move(function));
        }
    }

    const asio::any_io_executor& executor() const noexcept { return strand_; }
    /// Returns the executor of the stages: the strand, without the outstanding work that would keep
    /// the event loop from ending while a stage waits.
    const asio::any_io_executor& stage_executor() const noexcept { return stage_executor_; }
    /// Returns the executor that the database was opened on.
    const asio::any_io_executor& database_executor() const noexcept { return database_executor_; }
    const std::shared_ptr<async::ContextLife>& life() const noexcept { return life_; }

    /// Returns true once the context is being destroyed.
    bool is_gone() const noexcept { return gone_; }
    void set_gone() noexcept { gone_ = true; }
    /// Releases the strand and the executors. Called while the context is being destroyed.
    void release() noexcept;

private:
    const std::shared_ptr<async::ContextLife> life_;
    std::weak_ptr<void> owner_;
    std::atomic<bool> gone_{false};
    asio::any_io_executor database_executor_;
    asio::any_io_executor strand_;
    asio::any_io_executor stage_executor_;
};

}  // namespace keywatch::pipeline
