// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "context_life.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace keywatch::async {

namespace asio = boost::asio;

/// Something that must let go of threads, suspended coroutines and strands before the execution
/// context that they belong to is gone.
class ContextUser {
public:
    virtual ~ContextUser() = default;

    /// The context is being destroyed; nothing runs on it any more. Called once, if at all.
    virtual void context_shutdown() noexcept = 0;
};

/// What a context of the program has of ours: it sees to it that nothing of ours uses a context
/// that is gone. At the end of the context
///
/// 1. those that hold it are waited for, and nothing new is posted to it (ContextLife);
/// 2. its users are told, those whose threads and strands belong to it;
/// 3. the coroutines that wait on it are destroyed, with no lock held: their frames may own
///    anything.
class ContextService : public asio::execution_context::service {
public:
    using key_type = ContextService;
    static asio::execution_context::id id;

    explicit ContextService(asio::execution_context& context);

    /// Adds a user to the context that this executor belongs to.
    static void add(const asio::any_io_executor& executor, std::weak_ptr<ContextUser> user);
    /// The life of the context that this executor belongs to. To be called while that runs.
    static std::shared_ptr<ContextLife> life(const asio::any_io_executor& executor);

private:
    static ContextService& of(const asio::any_io_executor& executor);
    void shutdown() override;

    const std::shared_ptr<ContextLife> life_ = std::make_shared<ContextLife>();
    std::mutex mutex_;
    std::vector<std::weak_ptr<ContextUser>> users_;  ///< of the mutex
};

}  // namespace keywatch::async
