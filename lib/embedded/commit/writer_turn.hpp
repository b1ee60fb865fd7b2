// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/waiter.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace keywatch::engine {

namespace asio = boost::asio;

/// The right to execute a transaction: one holder at a time, in the order of the calls. A mutex
/// whose waiters are suspended coroutines.
///
/// The turn is taken, not given. When it becomes free, a *claim* is posted to the executor of the
/// first waiter. The claim takes the turn on that executor when it runs. So a waiter whose executor
/// is blocked by other code holds up nobody for longer than `patience`: then it is *doubtful*, and
/// claims are posted for those behind it. When its claim runs after all, it is in doubt no more,
/// and has its old place.
///
/// 1. The turn is held from the moment it is taken, on the executor of the holder.
/// 2. While paused, it is taken by nobody.
/// 3. A claim takes the turn only if no waiter before it is free of doubt. So waiters that are not
///    in doubt have their turns in the order of their calls.
/// 4. If the turn is free and not paused, the first waiter without doubt has a claim on its way.
///    Every doubtful waiter has one.
///
/// Thread safety: all members, from any thread.
class WriterTurn : public std::enable_shared_from_this<WriterTurn> {
public:
    using Clock = std::chrono::steady_clock;

    /// So long a claim may take to run.
    static constexpr std::chrono::milliseconds patience{1};
    /// When claims take longer, at most so many of those behind are posted at a time.
    static constexpr std::size_t most_claims = 64;

    /// `now`: the clock, for tests.
    explicit WriterTurn(std::function<Clock::time_point()> now = Clock::now);

    /// Once, before the first use. `waits` is called when a waiter was added: `look` is to be
    /// called from then on.
    void set_lookout(std::function<void()> waits) { waits_ = std::move(waits); }

    /// Takes it if it is free and nothing waits for it.
    bool try_acquire();
    /// Waits for it. Cancellation: terminal, while waiting. Fails with what `refuse` or `shut` was
    /// given.
    asio::awaitable<void> acquire();
    void release();

    void pause();
    void resume();

    /// How many wait for it.
    std::size_t waiting() const;

    /// Passes over waiters whose executors do not run. To be called once in `patience` while this
    /// gives true.
    bool look();

    /// Fails all that wait, and all that come.
    void refuse(std::exception_ptr reason);

    /// Fails all that come; those that wait have their turns. `idle` is called when nothing holds
    /// the turn or waits for it: then, and at each `tell_if_idle`.
    void shut(std::exception_ptr reason, std::function<void()> idle);
    void tell_if_idle();
    bool is_idle() const;
    /// From now on doubtful waiters fail with this.
    void give_up_doubtful(std::exception_ptr reason);

private:
    using Id = std::uint64_t;
    struct Waiting {
        async::Waiter waiter;
        /// When the claim was posted that is on its way.
        std::optional<Clock::time_point> claimed;
    };
    using Queue = std::map<Id, Waiting>;
    class Claim;
    struct Call {
        Id id;
        async::HeldExecutor executor;
    };
    /// Claims that have yet to be posted. Nearly always it is one.
    struct Calls {
        std::optional<Call> first;
        std::vector<Call> others;
        /// Who waits no more, and has to be told why.
        std::vector<async::Waiter> failed;
        std::exception_ptr reason;
        std::function<void()> idle;
    };

    void enqueue(async::Waiter waiter);
    void cancel(Id id);
    void claim_runs(Id id);
    void claim_is_lost(Id id);
    void carry_out(Calls calls);

    // With the mutex held.
    void listen(const async::Waiter& waiter, Id id);
    Calls advance() { return advance(doubt()); }
    Calls advance(bool late);
    bool doubt();
    std::optional<Call> call(Queue::iterator& at);
    async::Waiter take_out(Id id);
    std::vector<async::Waiter> take_all();
    std::function<void()> told_if_idle() const;

    // Constant after construction, or before the first use.
    const std::function<Clock::time_point()> now_;
    std::function<void()> waits_;

    // Of the mutex.
    mutable std::mutex mutex_;
    Queue queue_;     ///< those whose executors are believed to run
    Queue doubtful_;  ///< the others
    Id next_id_ = 0;
    bool held_ = false;
    bool paused_ = false;
    std::exception_ptr refused_;           ///< those that come
    std::exception_ptr doubtful_refused_;  ///< those in doubt
    std::function<void()> idle_;
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
