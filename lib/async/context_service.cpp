// SPDX-License-Identifier: BSL-1.0
#include "context_service.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/strand.hpp>

#include <utility>

namespace keywatch::async {

asio::execution_context::id ContextService::id;

void ContextService::add(const asio::any_io_executor& executor, std::weak_ptr<ContextUser> user)
{
    // Services shut down in the reverse order of their making. That of strands must be there before
    // this one, or it goes first, while other threads still post to strands.
    asio::make_strand(executor);
    asio::execution_context& context = asio::query(executor, asio::execution::context);
    auto& service = asio::use_service<ContextService>(context);
    const std::lock_guard lock(service.mutex_);
    std::erase_if(service.users_, [](const auto& each) { return each.expired(); });
    service.users_.push_back(std::move(user));
}

void ContextService::shutdown()
{
    std::vector<std::weak_ptr<ContextUser>> users;
    {
        const std::lock_guard lock(mutex_);
        users.swap(users_);
    }
    for (const auto& each : users) {
        if (const auto user = each.lock()) {
            user->context_shutdown();
        }
    }
}

}  // namespace keywatch::async
