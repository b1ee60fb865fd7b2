// SPDX-License-Identifier: BSL-1.0
#include "waiter.hpp"

#include <algorithm>
#include <iterator>

namespace keywatch::async {

void Waiter::complete(std::exception_ptr error)
{
    const std::shared_ptr<Suspended> suspended = std::move(suspended_);
    const auto hold = ContextLife::Hold(suspended->life);
    if (!hold || !suspended->life->unpark(*suspended)) {
        return;
    }
    // From here on the post owns the coroutine: whichever way that ends, it ends on its executor.
    struct Resume {
        std::shared_ptr<Suspended> suspended;
        std::exception_ptr error;

        Resume(std::shared_ptr<Suspended> suspended_, std::exception_ptr error_)
            : suspended(std::move(suspended_)), error(std::move(error_))
        {
        }
        Resume(Resume&&) noexcept = default;
        Resume& operator=(Resume&&) = delete;
        ~Resume()
        {
            if (suspended) {
                suspended->drop();
            }
        }
        void operator()() { std::exchange(suspended, nullptr)->resume(std::move(error)); }
    };
    post(suspended->executor, Resume(suspended, std::move(error)));
}

bool Waiter::resume(std::exception_ptr error)
{
    const std::shared_ptr<Suspended> suspended = std::move(suspended_);
    {
        const auto hold = ContextLife::Hold(suspended->life);
        if (!hold || !suspended->life->unpark(*suspended)) {
            return false;
        }
    }
    suspended->resume(std::move(error));
    return true;
}

void Waiter::destroy() noexcept
{
    const auto hold = ContextLife::Hold(suspended_->life);
    if (hold && suspended_->life->unpark(*suspended_)) {
        suspended_->drop();
    }
}

namespace {

constexpr std::size_t slice = 256;

/// On the executor of those that are left, from `begin` on.
void complete_slice(std::vector<Waiter> run, std::size_t begin, const std::exception_ptr& error)
{
    const std::size_t end = std::min(begin + slice, run.size());
    for (std::size_t i = begin; i < end; ++i) {
        run[i].complete(error);
    }
    if (end < run.size()) {
        const HeldExecutor held = run[end].held_executor();
        if (held) {  // else they are destroyed with their context
            post(held.executor(), [error, end, run = std::move(run)]() mutable {
                complete_slice(std::move(run), end, error);
            });
        }
    }
}

}  // namespace

void complete_all(std::vector<Waiter> waiters, const std::exception_ptr& error)
{
    for (auto begin = waiters.begin(); begin != waiters.end();) {
        const HeldExecutor held = begin->held_executor();
        if (!held) {
            ++begin;  // it is destroyed with its context
            continue;
        }
        const auto end = std::find_if(begin, waiters.end(),
                                      [&](const Waiter& each) { return !each.runs_on(held); });
        auto complete = [error, run = std::vector<Waiter>(std::make_move_iterator(begin),
                                                          std::make_move_iterator(end))]() mutable {
            complete_slice(std::move(run), 0, error);
        };
        post(held.executor(), std::move(complete));
        begin = end;
    }
}

}  // namespace keywatch::async
