// SPDX-License-Identifier: BSL-1.0
#include "strand_executor.hpp"

#include "context_service.hpp"
#include "post.hpp"

#include <boost/asio/require.hpp>

namespace keywatch::async {

StrandExecutor StrandExecutor::on(const asio::any_io_executor& inner)
{
    return {std::make_shared<Room>(inner), false};
}

StrandExecutor::Room::Room(const asio::any_io_executor& executor)
    : inner(asio::require(executor, asio::execution::blocking.never)),
      life(ContextService::life(executor))
{
}

void StrandExecutor::send(const std::shared_ptr<Room>& room) noexcept
{
    if (!try_post(room->inner, room)) {
        room->keep = room;
        Undelivered::add(*room);
    }
}

bool StrandExecutor::Room::deliver() noexcept
{
    const std::shared_ptr<Room> self = std::exchange(keep, nullptr);
    const ContextLife::Hold hold(life);
    if (!hold) {
        lost();
        return true;
    }
    if (try_post(inner, self)) {
        return true;
    }
    keep = self;
    return false;
}

}  // namespace keywatch::async
