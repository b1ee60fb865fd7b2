// SPDX-License-Identifier: BSL-1.0
#include "waiter.hpp"

#include <algorithm>
#include <iterator>

namespace keywatch::async {

void complete_all(std::vector<Waiter> waiters, const std::exception_ptr& error)
{
    for (auto begin = waiters.begin(); begin != waiters.end();) {
        const asio::any_io_executor executor = begin->executor();
        const auto end = std::find_if(
            begin, waiters.end(), [&](const Waiter& each) { return each.executor() != executor; });
        auto complete = [error, run = std::vector<Waiter>(std::make_move_iterator(begin),
                                                          std::make_move_iterator(end))]() mutable {
            for (Waiter& each : run) {
                each.complete(error);
            }
        };
        post(executor, std::move(complete));
        begin = end;
    }
}

}  // namespace keywatch::async
