// SPDX-License-Identifier: BSL-1.0
#include "context_service.hpp"

#include <boost/asio/detail/strand_executor_service.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

#include <utility>

namespace keywatch::async {

asio::execution_context::id ContextService::id;

ContextService::ContextService(asio::execution_context& context) : service(context)
{
    // Services shut down in the reverse order of their creation. The strand service must be created
    // before this one. Otherwise it would shut down first, while other threads still post to
    // strands.
    asio::use_service<asio::detail::strand_executor_service>(context);
}

ContextService& ContextService::of(const asio::any_io_executor& executor)
{
    return asio::use_service<ContextService>(asio::query(executor, asio::execution::context));
}

void ContextService::add(const asio::any_io_executor& executor, std::weak_ptr<ContextUser> user)
{
    ContextService& service = of(executor);
    const MutexLock lock(service.mutex_);
    std::erase_if(service.users_, [](const auto& each) { return each.expired(); });
    service.users_.push_back(std::move(user));
}

std::shared_ptr<ContextLife> ContextService::life(const asio::any_io_executor& executor)
{
    return of(executor).life_;
}

void ContextService::shutdown()
{
    life_->end();
    std::vector<std::weak_ptr<ContextUser>> users;
    {
        const MutexLock lock(mutex_);
        users.swap(users_);
    }
    for (const auto& each : users) {
        if (const auto user = each.lock()) {
            user->context_shutdown();
        }
    }
    life_->drop_parked();
}

}  // namespace keywatch::async
