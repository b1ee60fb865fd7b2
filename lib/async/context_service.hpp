// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

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

/// Tells the users of a context that it is being destroyed.
class ContextService : public asio::execution_context::service {
public:
    using key_type = ContextService;
    static asio::execution_context::id id;

    explicit ContextService(asio::execution_context& context) : service(context) {}

    /// Adds a user to the context that this executor belongs to.
    static void add(const asio::any_io_executor& executor, std::weak_ptr<ContextUser> user);

private:
    void shutdown() override;

    std::mutex mutex_;
    std::vector<std::weak_ptr<ContextUser>> users_;
};

}  // namespace keywatch::async
