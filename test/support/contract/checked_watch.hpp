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

/// A watch of a random kind, what was asked of it, and what came of it, for the contract checker.
///
/// What it writes down belongs to the executor that `follow` is awaited on, which is one thread or
/// a strand.
class CheckedWatch {
public:
    /// Of a random kind, of what RandomCommits writes: selectors, filter, policy, buffers, kind of
    /// consumer. It may be slow, and stop by itself or throw.
    CheckedWatch(const Database& db, Random& random, const From& from);
    CheckedWatch(const CheckedWatch&) = delete;
    CheckedWatch& operator=(const CheckedWatch&) = delete;
    ~CheckedWatch() = default;

    /// Runs it to its end. Who awaits it keeps the object.
    Task follow();

    Position position() const;
    void request_stop() const;
    bool ended() const { return observed_.ends != 0; }
    bool is_pulled() const { return pulled_.has_value(); }
    /// Writes down the position as it is now.
    void sample();
    /// A close has begun that ends it, if nothing else does; everything up to here was committed.
    void closes(Revision head) { observed_.closed_at = head; }

    /// What it was, in words.
    const std::string& what() const { return what_; }
    /// What was wrong; a line for each.
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
    /// How many turns of the loop a coroutine or a consumer takes for a message.
    std::size_t turns_ = 0;
    /// It fails with that message.
    std::size_t throws_at_ = SIZE_MAX;
    bool stops_itself_ = false;
    std::optional<Watcher> watcher_;
    std::optional<PullWatcher> pulled_;
};

using SharedCheckedWatch = std::shared_ptr<CheckedWatch>;

/// A coroutine that keeps the watch and follows it.
Task follow(SharedCheckedWatch watch);

}  // namespace keywatch::test
