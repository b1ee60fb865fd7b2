// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/waiter.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace keywatch::engine {

namespace asio = boost::asio;

/// Who may execute a transaction: one at a time, in the order of their calls. A mutex whose
/// waiters are suspended coroutines.
///
/// 1. It is held from the moment it is given, before its new holder runs.
/// 2. While paused, it is given to nobody.
///
/// Thread safety: all members, from any thread.
class WriterTurn : public std::enable_shared_from_this<WriterTurn> {
public:
    /// Takes it if it is free and nobody waits.
    bool try_acquire();
    /// Waits for it. Cancellation: terminal, while waiting. Fails with what `refuse` was given.
    asio::awaitable<void> acquire();
    void release();

    void pause();
    void resume();

    /// How many wait for it.
    std::size_t waiting() const;

    /// All who wait, and all who come, fail with this.
    void refuse(std::exception_ptr reason);
    /// Hands over those who wait, to be destroyed.
    std::vector<async::Waiter> abandon();

private:
    struct Waiting {
        std::uint64_t id;
        async::Waiter waiter;
    };

    void enqueue(async::Waiter waiter);
    void cancel(std::uint64_t id);
    /// The next holder, if it can be given now. With the mutex held.
    async::Waiter give();

    mutable std::mutex mutex_;
    std::list<Waiting> waiting_;
    std::uint64_t next_id_ = 0;
    bool held_ = false;
    bool paused_ = false;
    std::exception_ptr refused_;
};

/// The writer's turn, given back at the latest when this goes away.
class HeldTurn {
public:
    explicit HeldTurn(WriterTurn& turn) : turn_(&turn) {}
    HeldTurn(HeldTurn&& other) noexcept : turn_(std::exchange(other.turn_, nullptr)) {}
    HeldTurn& operator=(HeldTurn&&) = delete;
    ~HeldTurn() { release(); }

    void release()
    {
        if (WriterTurn* const turn = std::exchange(turn_, nullptr)) {
            turn->release();
        }
    }

private:
    WriterTurn* turn_;
};

}  // namespace keywatch::engine
