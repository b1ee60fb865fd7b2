// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/require.hpp>

#include <memory>
#include <utility>

namespace keywatch::async {

/// Same as `asio::post`, for a function that has no executor or allocator of its own. `asio::post`
/// asks a type-erased executor for three properties, each of which copies it. This function asks
/// only for the one that matters.
template <class Function>
void post(const boost::asio::any_io_executor& executor, Function&& function)
{
    boost::asio::require(executor, boost::asio::execution::blocking.never)
        .execute(std::forward<Function>(function));
}

/// The function object that `try_post` posts. Calls `run()` of its owner, or `lost()` if it is
/// destroyed without having been called, for example at the end of its context. Calls neither if it
/// could not be posted.
template <class Owner>
class Posted {
public:
    explicit Posted(std::shared_ptr<Owner> owner) : owner_(std::move(owner)) {}
    Posted(Posted&&) noexcept = default;
    Posted& operator=(Posted&&) = delete;
    ~Posted()
    {
        if (owner_ && owner_.get() != being_posted) {
            owner_->lost();
        }
    }

    void operator()() { std::exchange(owner_, nullptr)->run(); }

    /// The owner that this thread is posting for.
    static inline thread_local constinit const Owner* being_posted = nullptr;

private:
    std::shared_ptr<Owner> owner_;
};

/// Posts a call of `run()` of the owner. Returns false if there is no memory for the post.
template <class Owner>
bool try_post(const boost::asio::any_io_executor& executor,
              const std::shared_ptr<Owner>& owner) noexcept
{
    struct Mark {
        explicit Mark(const Owner* owner) { Posted<Owner>::being_posted = owner; }
        ~Mark() { Posted<Owner>::being_posted = nullptr; }
    } const mark(owner.get());
    try {
        post(executor, Posted<Owner>(owner));
        return true;
    } catch (...) {
        return false;
    }
}

}  // namespace keywatch::async
