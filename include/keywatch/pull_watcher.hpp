// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/message.hpp>
#include <keywatch/watcher.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace [[gnu::visibility("default")]] keywatch {

/// A commit that was pulled. Everything its messages point to exists as long as this object or a
/// copy of it.
///
/// Copies share the bytes. One matching message keeps the whole commit in memory: a consumer that
/// collects many should copy what it needs into an `OwnedMessage` instead. Iterators and `Commit`s
/// taken from an object must not outlive it. An object that was moved from can only be destroyed or
/// assigned to.
class PulledCommit : public Commit {
public:
    /// @cond internal
    PulledCommit(std::shared_ptr<const CommitRecord> record, std::vector<std::uint32_t> selected,
                 std::vector<Revision> since, std::uint32_t seen = 0);
    /// @endcond

    /// Copies the commit. Both objects share the bytes.
    PulledCommit(const PulledCommit& other);
    /// Moves from another commit, which can afterwards only be destroyed or assigned to.
    PulledCommit(PulledCommit&& other) noexcept;
    /// Same as the constructors.
    PulledCommit& operator=(PulledCommit other) noexcept;
    ~PulledCommit() = default;

private:
    std::shared_ptr<const CommitRecord> record_;
    std::vector<std::uint32_t> selected_;
    std::vector<Revision> since_;
};

/// A handle to a watch without a callback, created by `Database::watch`: the consumer asks for
/// commits.
///
///     while (co_await watcher.wait()) {
///         while (const auto commit = watcher.try_next()) {
///             for (const Message& message : *commit) ...
///         }
///     }
///
/// It has the guarantees of a watch with a callback: commits are received in order, whole, once,
/// and only when they are durable. A consumer that does not call `wait` or `try_next` for long
/// falls behind and catches up from history. A commit counts as delivered when the next one is
/// asked for, by `try_next()` or `wait()`. The watch begins with the first `wait()`. Before that it
/// costs only its own small object.
///
/// Thread safety: all members may be called from any thread, but there is one consumer:
/// `try_next()` and `wait()` must not be called concurrently.
///
/// Lifetime: copies are handles to the same watch. When the last handle is destroyed, the watch
/// ends as by `request_stop()`.
class PullWatcher {
public:
    /// @cond internal
    explicit PullWatcher(const std::shared_ptr<delivery::PulledWatcher>& core);
    /// @endcond

    /// Waits until there is a commit to take and returns true, or until the watch has ended in an
    /// expected way and returns false. After the end, every further call returns false. `ended()`
    /// returns how the watch ended. Does not suspend if there is a commit already.
    ///
    /// Throws what `Watcher::run` throws: `Compacted`, `Error::overflow`, `Error::damaged`, an
    /// exception of the filter's predicate; `Error::closed` if the database was closed before the
    /// first call; `Error::already_running` while another call waits.
    ///
    /// Cancellation: any. It affects only this call, which fails with `operation_aborted`; the
    /// watch continues. Nothing is lost, so the call may be one operand of an `||` expression.
    ///
    /// Not available on a temporary, which would be the last handle.
    asio::awaitable<bool> wait() &;
    /// @cond internal
    asio::awaitable<bool> wait() && = delete;
    /// @endcond

    /// Returns the next commit with its matching messages, or nothing if no commit is available;
    /// then call `wait()`. Never waits.
    std::optional<PulledCommit> try_next();

    /// Returns how the watch ended, if it ended in an expected way. Never `EndReason::cancelled`.
    std::optional<WatchEnd> ended() const;

    /// Waits until `wait()` was called and the watch has begun. Otherwise same as
    /// `Watcher::wait_ready`.
    asio::awaitable<void> wait_ready(std::chrono::milliseconds timeout) const;

    /// Ends the watch and waits until it has ended. Returns immediately if the watch has not begun.
    /// Commits that were not taken are no longer available. Does not wait for the consumer, which
    /// may still be processing the commit that it has taken. Cancellation: any; the watch still
    /// stops.
    asio::awaitable<void> stop() const;

    /// Same as `stop()`, without waiting.
    void request_stop() const;

    /// Ends the watch when its consumer has taken everything that was committed before the call,
    /// and waits for that. Otherwise same as `Watcher::drain`. If awaited by the consumer itself
    /// before it has taken everything, this would wait forever: call `request_drain()` and continue
    /// until `wait()` returns false.
    asio::awaitable<void> drain() const;

    /// Same as `drain()`, without waiting.
    void request_drain() const;

    /// Waits until everything that matches, up to and including `revision`, has been delivered. If
    /// awaited by the consumer itself, this would wait forever. Otherwise same as
    /// `Watcher::reached`.
    asio::awaitable<void> reached(Revision revision) const;

    /// Returns the position of the last commit that was delivered or did not match; not that of the
    /// commit taken last. If a consumer stores it whenever `try_next` has returned nothing, it
    /// resumes without gaps and without repetition.
    Position position() const;

    /// Same as `Watcher::info`.
    WatcherInfo info() const;
    /// Same as `Watcher::id`.
    std::uint64_t id() const noexcept;
    /// Same as `Watcher::name`.
    const std::string& name() const noexcept;

private:
    /// Stops the watch when its last copy is destroyed.
    std::shared_ptr<delivery::PulledWatcher> core_;
};

}  // namespace keywatch
