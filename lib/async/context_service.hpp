// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "context_life.hpp"

#include "values/mutex.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace keywatch::async {

namespace asio = boost::asio;

/// An object that must release threads, suspended coroutines and strands before the execution
/// context that they belong to is destroyed.
class ContextUser {
public:
    virtual ~ContextUser() = default;

    /// Called at most once, while the context is being destroyed. Nothing runs on the context from
    /// then on.
    virtual void context_shutdown() noexcept = 0;
};

/// The service that this library adds to an execution context of the program. It ensures that
/// nothing in the library uses a context after its end. When the context is destroyed,
///
/// 1. the service waits for the threads that hold the context, and nothing new is posted to it
///    (ContextLife);
/// 2. the users of the context, whose threads and strands belong to it, are notified;
/// 3. the coroutines that wait on it are destroyed, with no lock held: their frames may own
///    anything.
class ContextService : public asio::execution_context::service {
public:
    using key_type = ContextService;
    static asio::execution_context::id id;

    explicit ContextService(asio::execution_context& context);

    /// Adds a user to the context that this executor belongs to.
    static void add(const asio::any_io_executor& executor, std::weak_ptr<ContextUser> user);
    /// Returns the life of the context that this executor belongs to. Precondition: the context is
    /// not being destroyed.
    static std::shared_ptr<ContextLife> life(const asio::any_io_executor& executor);

private:
    static ContextService& of(const asio::any_io_executor& executor);
    void shutdown() override;

    const std::shared_ptr<ContextLife> life_ = std::make_shared<ContextLife>();
    Mutex mutex_;
    std::vector<std::weak_ptr<ContextUser>> users_ KEYWATCH_GUARDED_BY(mutex_);
};

}  // namespace keywatch::async
