// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "contract_checker.hpp"
#include "support/loop/event_loop.hpp"
#include "support/model/random_commits.hpp"

#include <keywatch/keywatch.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keywatch::test {

/// A watch of a random kind that records its options and what it delivers, for the contract
/// checker.
///
/// The records belong to the executor on which `follow` is awaited, which is one thread or a
/// strand.
class CheckedWatch {
public:
    /// Chooses selectors, filter, policy, buffers and kind of consumer at random, suited to what
    /// RandomCommits writes. The consumer may be slow, stop by itself, or throw.
    CheckedWatch(const Database& db, Random& random, const From& from);
    CheckedWatch(const CheckedWatch&) = delete;
    CheckedWatch& operator=(const CheckedWatch&) = delete;
    ~CheckedWatch() = default;

    /// Runs the watch to its end. The object must be kept alive until then.
    Task follow();

    Position position() const;
    void request_stop() const;
    bool ended() const { return observed_.ends != 0; }
    bool is_pulled() const { return pulled_.has_value(); }
    /// Records the current position.
    void sample();
    /// Records that a close has begun, which ends the watch if nothing else does. Everything up to
    /// `head` was committed before.
    void closes(Revision head) { observed_.closed_at = head; }

    /// Returns a description of the watch.
    const std::string& what() const { return what_; }
    /// Returns one line for each broken promise.
    std::vector<std::string> problems(const std::vector<contract::Made>& history) const;

private:
    WatchCallback callback_of(std::size_t kind);
    Task pull();
    Task pause() const;
    void take(const Message& message);
    bool is_expected(const boost::system::system_error& error) const;

    contract::Watched watched_;
    contract::Observed observed_;
    std::string what_;
    std::string unexpected_;
    /// Number of turns of the loop that a coroutine or a consumer takes for a message.
    std::size_t turns_ = 0;
    /// Number of the message at which the callback throws.
    std::size_t throws_at_ = SIZE_MAX;
    bool stops_itself_ = false;
    std::optional<Watcher> watcher_;
    std::optional<PullWatcher> pulled_;
};

using SharedCheckedWatch = std::shared_ptr<CheckedWatch>;

/// Keeps the watch alive and follows it.
Task follow(SharedCheckedWatch watch);

}  // namespace keywatch::test
