// SPDX-License-Identifier: BSL-1.0
#include "waiter.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

namespace keywatch::async {

thread_local constinit const Waiter::Suspended* Waiter::being_stored = nullptr;

void Waiter::complete(std::exception_ptr error) noexcept
{
    const std::shared_ptr<Suspended> suspended = std::move(suspended_);
    const auto hold = ContextLife::Hold(suspended->life);
    if (!hold || !suspended->life->unpark(*suspended)) {
        return;
    }
    // From here on the post owns the coroutine. However the post ends, it does so on the executor.
    suspended->result = std::move(error);
    if (!try_post(asio::any_io_executor(suspended->executor), suspended)) {
        suspended->keep = suspended;
        suspended->life->park(suspended);
        Undelivered::add(*suspended);
    }
}

bool Waiter::Suspended::deliver() noexcept
{
    const std::shared_ptr<Suspended> self = std::exchange(keep, nullptr);
    const auto hold = ContextLife::Hold(life);
    if (!hold || !life->unpark(*this) || try_post(asio::any_io_executor(executor), self)) {
        return true;
    }
    keep = self;
    life->park(self);
    return false;
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
    if (suspended_.get() == being_stored) {
        suspended_->refused = true;  // initiate resumes or destroys it
        return;
    }
    const auto hold = ContextLife::Hold(suspended_->life);
    if (hold && suspended_->life->unpark(*suspended_)) {
        suspended_->drop();
    }
}

namespace {

constexpr std::size_t slice = 256;

using Run = std::vector<Waiter>;

/// Completes up to `slice` waiters from `begin` on, then posts itself for the remaining ones. Runs
/// on the executor of these waiters.
void complete_slice(const std::shared_ptr<Run>& run, std::size_t begin,
                    const std::exception_ptr& error) noexcept
{
    std::size_t end = std::min(begin + slice, run->size());
    for (std::size_t i = begin; i < end; ++i) {
        (*run)[i].complete(error);
    }
    if (end == run->size()) {
        return;
    }
    const HeldExecutor held = (*run)[end].held_executor();
    if (!held) {
        return;  // the remaining ones are destroyed with their context
    }
    try {
        post(held.executor(), [error, end, run] { complete_slice(run, end, error); });
    } catch (...) {
        for (; end < run->size(); ++end) {
            (*run)[end].complete(error);
        }
    }
}

/// Passes these waiters, which all run on the executor `held`, to that executor.
void complete_run(Run::iterator begin, Run::iterator end, const HeldExecutor& held,
                  const std::exception_ptr& error) noexcept
{
    std::shared_ptr<Run> run;
    try {
        run = std::make_shared<Run>();
        run->reserve(static_cast<std::size_t>(end - begin));
    } catch (...) {
        std::for_each(begin, end, [&](Waiter& each) { each.complete(error); });
        return;
    }
    std::move(begin, end, std::back_inserter(*run));
    try {
        post(held.executor(), [error, run] { complete_slice(run, 0, error); });
    } catch (...) {
        for (Waiter& each : *run) {
            each.complete(error);
        }
    }
}

/// A handler that resumes a yielding coroutine. If it could not be posted, it is returned to
/// `place`.
template <class Handler>
class Yielding {
public:
    explicit Yielding(Handler handler) : handler_(std::move(handler)) {}
    Yielding(Yielding&& other) noexcept : handler_(std::exchange(other.handler_, std::nullopt)) {}
    Yielding& operator=(Yielding&&) = delete;
    ~Yielding()
    {
        if (handler_ && place != nullptr) {
            place->emplace(std::move(*handler_));
        }
    }

    void operator()() { (*std::exchange(handler_, std::nullopt))(std::exception_ptr()); }

    /// Receives the handler that this thread is posting, if that fails.
    static inline thread_local constinit std::optional<Handler>* place = nullptr;

private:
    std::optional<Handler> handler_;
};

template <class Handler>
void take_turn(Handler handler)
{
    std::optional<Handler> back;
    std::exception_ptr error;
    Yielding<Handler>::place = &back;
    try {
        const asio::any_io_executor executor = asio::get_associated_executor(handler);
        Yielding<Handler> yielding(std::move(handler));
        post(executor, std::move(yielding));
    } catch (...) {
        error = std::current_exception();
    }
    Yielding<Handler>::place = nullptr;
    if (back) {
        (*std::exchange(back, std::nullopt))(std::move(error));
    }
}

}  // namespace

void complete_all(std::vector<Waiter> waiters, const std::exception_ptr& error) noexcept
{
    for (auto begin = waiters.begin(); begin != waiters.end();) {
        const HeldExecutor held = begin->held_executor();
        if (!held) {
            ++begin;  // it is destroyed with its context
            continue;
        }
        const auto end = std::find_if(begin, waiters.end(),
                                      [&](const Waiter& each) { return !each.runs_on(held); });
        complete_run(begin, end, held, error);
        begin = end;
    }
}

asio::awaitable<void> yield()
{
    auto initiate = [](auto handler) { take_turn(std::move(handler)); };
    return asio::async_initiate<const asio::use_awaitable_t<>&, void(std::exception_ptr)>(
        initiate, asio::use_awaitable);
}

}  // namespace keywatch::async
