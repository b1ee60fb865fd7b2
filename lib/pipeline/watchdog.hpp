// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "loop_turn.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace keywatch::pipeline {

namespace asio = boost::asio;

/// One wakefulness of a watcher's worker: the signal by which it can be cancelled, and the watch
/// over the time its coroutine callbacks take.
///
/// The timer is armed only once a callback has outlived a turn of the event loop, and then as
/// seldom as possible. When the time is over, the callback gets one more turn before it is
/// cancelled: so an event loop that was blocked does not end every watch.
///
/// Everything is used on the watcher's strand only.
class Watchdog : public std::enable_shared_from_this<Watchdog> {
public:
    Watchdog(const asio::any_io_executor& strand, std::chrono::milliseconds timeout);

    /// The worker's.
    LoopTurn& turn() noexcept { return turn_; }

    asio::cancellation_slot slot() noexcept { return signal_.slot(); }
    /// Cancels what the worker waits for, if it is still there.
    void cancel();
    /// The worker has begun.
    void begin() noexcept { begun_ = true; }
    bool has_begun() const noexcept { return begun_; }
    /// The worker has ended; the signal must not be used any more.
    void end() noexcept;

    /// Spawning the worker has returned: it waits for something, or has ended. So a callback that
    /// never waits costs no turn of the loop.
    void spawned();
    void callback_begins();
    void callback_ended() noexcept { running_ = false; }
    /// Whether a callback was cancelled because its time was over.
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
    LoopTurn turn_;
    std::optional<asio::steady_timer> timer_;  ///< made when it is first needed
    Clock::time_point began_;
    std::uint64_t callback_ = 0;
    bool running_ = false;
    bool looking_ = true;  ///< somebody will look: at first who spawned it
    bool timed_out_ = false;
    bool begun_ = false;
    bool ended_ = false;
};

}  // namespace keywatch::pipeline
