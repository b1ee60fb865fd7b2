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

/// A commit that was pulled: what its messages point into stays as long as this or a copy of it.
///
/// Copies share the bytes. As one matching message keeps the whole commit in memory, whoever
/// collects many copies what it needs into an `OwnedMessage` instead. Iterators and `Commit`s taken
/// from it must not outlive the object itself, and one that was moved from is only to be destroyed
/// or assigned to.
class PulledCommit : public Commit {
public:
    /// @cond no part of the interface
    PulledCommit(std::shared_ptr<const CommitRecord> record, std::vector<std::uint32_t> selected,
                 std::vector<Revision> since, std::uint32_t seen = 0);
    /// @endcond

    /// Shares the bytes.
    PulledCommit(const PulledCommit& other);
    /// What is moved from can only be destroyed or assigned to.
    PulledCommit(PulledCommit&& other) noexcept;
    /// As the constructors.
    PulledCommit& operator=(PulledCommit other) noexcept;
    ~PulledCommit() = default;

private:
    std::shared_ptr<const CommitRecord> record_;
    std::vector<std::uint32_t> selected_;
    std::vector<Revision> since_;
};

/// A handle to a watch without a callback, made by `Database::watch`: its owner asks for commits.
///
///     while (co_await watcher.wait()) {
///         while (const auto commit = watcher.try_next()) {
///             for (const Message& message : *commit) ...
///         }
///     }
///
/// It promises what a watch with a callback promises: commits come in order, whole, once, and only
/// when they are durable. Who does not ask for long falls behind, and catches up from history. A
/// commit counts as delivered when the next one is asked for, by `try_next()` or `wait()`. The
/// watch begins with the first `wait()`; before that it costs nothing but its own small object.
///
/// Thread safety: all members may be called from any thread, but there is one consumer:
/// `try_next()` and `wait()` must not be called at the same time by two.
///
/// Lifetime: copies are handles to the same watch. It ends when the last one goes away, as by
/// `request_stop()`.
class PullWatcher {
public:
    /// @cond no part of the interface
    explicit PullWatcher(const std::shared_ptr<pipeline::WatcherCore>& core);
    /// @endcond

    /// Waits until there is something to take, which is true; or until the watch has ended in an
    /// expected way, which is false, then and whenever it is called again. `ended()` tells which
    /// way it was. It does not suspend if there is something already.
    ///
    /// Throws what `Watcher::run` throws: `Compacted`, `Error::overflow`, `Error::damaged`, what
    /// the predicate of its filter threw; `Error::closed` if the database was closed before the
    /// first call; and `Error::already_running` while another call waits.
    ///
    /// Cancellation: any, of this call only: it fails with `operation_aborted`, and the watch goes
    /// on. Nothing is lost by that, so it may be one of several in an expression with `||`.
    ///
    /// Not available on a temporary: that would be the last handle.
    asio::awaitable<bool> wait() &;
    /// @cond
    asio::awaitable<bool> wait() && = delete;
    /// @endcond

    /// The next commit, with those of its messages that match; nothing if none is at hand, which
    /// is when to `wait()`. Never waits.
    std::optional<PulledCommit> try_next();

    /// How the watch ended, if it has ended in an expected way; never `EndReason::cancelled`.
    std::optional<WatchEnd> ended() const;

    /// Waits until `wait()` was called and the watch has begun; as `Watcher::wait_ready`.
    asio::awaitable<void> wait_ready(std::chrono::milliseconds timeout) const;

    /// Ends the watch, and waits for that; at once if it was not begun. What was not taken is not
    /// given any more. It does not wait for the consumer, who may still be busy with the commit
    /// that it has. Cancellation: any; the watch still stops.
    asio::awaitable<void> stop() const;

    /// As `stop()`, without waiting.
    void request_stop() const;

    /// Ends the watch when its consumer has taken everything that was committed before the call,
    /// and waits for that; as `Watcher::drain`. Awaited by the consumer itself, who has yet to take
    /// something, it would wait for ever: `request_drain()`, and go on until `wait()` is false.
    asio::awaitable<void> drain() const;

    /// As `drain()`, without waiting.
    void request_drain() const;

    /// Waits until everything that matches, up to and including `revision`, has been delivered.
    /// Awaited by the consumer itself it would wait for ever. Otherwise as `Watcher::reached`.
    asio::awaitable<void> reached(Revision revision) const;

    /// The last commit that was delivered, or that did not match: not yet the one that was taken
    /// last. So a consumer that stores it whenever it has asked and been given nothing resumes
    /// without gap or repeat.
    Position position() const;

    /// As that of `Watcher`.
    WatcherInfo info() const;
    /// As that of `Watcher`.
    std::uint64_t id() const noexcept;
    /// As that of `Watcher`.
    const std::string& name() const noexcept;

private:
    /// Its last copy stops the watch.
    std::shared_ptr<pipeline::WatcherCore> core_;
};

}  // namespace keywatch
