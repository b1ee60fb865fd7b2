// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "values/mutex.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace keywatch::async {

namespace asio = boost::asio;

/// The lifetime of an execution context, for threads that may use the context after its end, and
/// the list of what is suspended on the context, which is destroyed with it.
///
/// 1. A context that is being destroyed waits until no thread holds it. From then on, no thread can
///    hold it.
/// 2. Everything that is parked when the context ends is dropped by the thread that destroys the
///    context.
///
/// Thread safety: all members may be called from any thread.
class ContextLife {
public:
    /// A guard that keeps the context from being destroyed for a short time. Empty if its end has
    /// begun.
    class Hold {
    public:
        Hold() = default;
        explicit Hold(const std::shared_ptr<ContextLife>& life)
            : life_(life && life->enter() ? life : nullptr)
        {
        }
        Hold(Hold&& other) noexcept = default;
        Hold& operator=(Hold&& other) noexcept
        {
            life_.swap(other.life_);
            return *this;
        }
        ~Hold()
        {
            if (life_) {
                life_->leave();
            }
        }

        explicit operator bool() const noexcept { return life_ != nullptr; }
        const std::shared_ptr<ContextLife>& life() const noexcept { return life_; }

    private:
        std::shared_ptr<ContextLife> life_;
    };

    /// An object that is suspended on the context.
    class Parked {
    public:
        Parked() = default;
        Parked(const Parked&) = delete;
        Parked& operator=(const Parked&) = delete;
        virtual ~Parked() = default;

        /// Destroys what is suspended. The object itself may live on.
        virtual void drop() noexcept = 0;

    private:
        friend class ContextLife;
        std::shared_ptr<Parked> self_;  ///< itself, while it is in the list
        Parked* previous_ = nullptr;
        Parked* next_ = nullptr;
    };

    ContextLife() = default;
    ContextLife(const ContextLife&) = delete;
    ContextLife& operator=(const ContextLife&) = delete;
    ~ContextLife() = default;

    void park(std::shared_ptr<Parked> parked);
    /// Removes a parked object. Returns false if it was removed before. Precondition: the caller
    /// holds the context.
    bool unpark(Parked& parked);

    /// Returns true if the end has begun. A thread that holds the context should then hurry.
    bool is_ending() const noexcept { return (state_.load() & ending) != 0; }

    /// Blocks until no thread holds the context. Called when the context is being destroyed.
    void end() noexcept;
    /// Drops everything that is parked. Precondition: end() has returned.
    void drop_parked() noexcept;

private:
    static constexpr std::uint32_t ending = std::uint32_t{1} << 31;

    bool enter() noexcept;
    void leave() noexcept;
    std::shared_ptr<Parked> unlink(Parked& parked) noexcept KEYWATCH_REQUIRES(mutex_);

    /// The number of holders, plus the flag `ending`. Sequentially consistent: the subtraction in
    /// leave() pairs with the load in end(), so the context is destroyed after its last use, and
    /// the flag set in end() pairs with the addition in enter().
    std::atomic<std::uint32_t> state_{0};
    Mutex mutex_;
    Parked* first_ KEYWATCH_GUARDED_BY(mutex_) = nullptr;
};

/// An executor that can be used while this object exists. Empty if its context is being destroyed.
class HeldExecutor {
public:
    HeldExecutor() = default;
    HeldExecutor(const std::shared_ptr<ContextLife>& life, const asio::any_io_executor& executor)
        : hold_(life), executor_(hold_ ? executor : asio::any_io_executor())
    {
    }

    explicit operator bool() const noexcept { return static_cast<bool>(hold_); }
    const std::shared_ptr<ContextLife>& life() const noexcept { return hold_.life(); }
    const asio::any_io_executor& executor() const noexcept { return executor_; }

private:
    ContextLife::Hold hold_;  // destroyed last
    asio::any_io_executor executor_;
};

}  // namespace keywatch::async
