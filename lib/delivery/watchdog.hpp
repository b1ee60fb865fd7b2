// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "async/loop_turn.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace keywatch::delivery {

namespace asio = boost::asio;

/// Owns the cancellation signal of one run of a watcher's worker, and enforces the timeout of its
/// coroutine callbacks.
///
/// The timer is armed only once a callback has outlived a turn of the event loop, and then as
/// rarely as possible. When the time is over, the callback gets one more turn before it is
/// cancelled, so that an event loop that was blocked does not end every watch.
///
/// The public members are used only on the watcher's strand, once the worker has been spawned.
class Watchdog : public std::enable_shared_from_this<Watchdog> {
public:
    Watchdog(const asio::any_io_executor& strand, std::chrono::milliseconds timeout);

    /// Returns the worker's turn of the event loop.
    async::LoopTurn& turn() noexcept { return turn_; }

    asio::cancellation_slot slot() noexcept { return signal_.slot(); }
    /// Cancels what the worker waits for, unless the worker has ended.
    void cancel();
    /// Notes that the worker has begun.
    void begin() noexcept { begun_ = true; }
    bool has_begun() const noexcept { return begun_; }
    /// Notes that the worker has ended. The signal is not used from then on.
    void end() noexcept;

    /// Notes that spawning the worker has returned: the worker waits for something, or has ended.
    /// Callbacks are checked only from then on, so one that has returned by then costs no turn of
    /// the loop.
    void spawned();
    void callback_begins();
    void callback_ended() noexcept { running_ = false; }
    /// Returns true if a callback was cancelled because its time was over.
    bool timed_out() const noexcept { return timed_out_; }

private:
    using Clock = std::chrono::steady_clock;

    void look_later() noexcept;
    void look() noexcept;
    void arm();
    void post_time_is_over() noexcept;
    void time_is_over();
    void give_last_turn();
    void time_out();

    const asio::any_io_executor strand_;
    const std::chrono::milliseconds timeout_;
    asio::cancellation_signal signal_;
    async::LoopTurn turn_;
    std::optional<asio::steady_timer> timer_;  ///< created when first needed
    Clock::time_point began_;
    std::uint64_t callback_ = 0;
    bool running_ = false;
    bool looking_ = true;  ///< true if a check will follow: at first by `spawned`
    bool timed_out_ = false;
    bool begun_ = false;
    bool ended_ = false;
};

}  // namespace keywatch::delivery
