// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "model_state.hpp"
#include "support/loop/event_loop.hpp"

#include <keywatch/database.hpp>
#include <keywatch/pull_watcher.hpp>
#include <keywatch/watcher.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace keywatch::test {

/// Creates buckets of this name with three keys, `a`, `ab` and `b`, in each structure: one commit.
Task fill_every_structure(Database db, std::string bucket);

/// The contents that a consumer builds from a watch with a snapshot. It checks each message as it
/// comes, and throws std::logic_error: the snapshot is of one revision, numbered upwards; then
/// comes one `synced` marker of it; then the changes after it, in order, each of which fits the
/// contents.
///
/// Copies share their data.
class Mirror {
public:
    void operator()(const Message& message) const;

    /// Returns the number of messages of the snapshot.
    std::size_t state_messages() const { return data_->state_messages; }
    /// Returns the revision of the marker, if it has come.
    std::optional<Revision> synced() const { return data_->synced; }
    /// Returns the number of messages after the marker.
    std::size_t changes() const { return data_->changes; }
    const ModelState& state() const { return data_->state; }
    /// Returns the buckets whose end was received.
    const std::set<std::string>& ended() const { return data_->ended; }

private:
    struct Data {
        ModelState state;
        std::size_t state_messages = 0;
        std::size_t changes = 0;
        std::set<std::string> ended;
        std::optional<Revision> synced;
        std::optional<Revision> revision;
        std::optional<std::uint32_t> index;
    };

    void check_place(const Message& message) const;
    void take(const Message& message) const;

    std::shared_ptr<Data> data_ = std::make_shared<Data>();
};

/// Returns what the selectors select of a state, without buckets in which they select nothing.
ModelState selected(ModelState state, const Selectors& selectors);

/// The ways in which a watch delivers.
enum class Way : std::uint8_t { message, commit, coroutine, commit_coroutine, pull };
inline constexpr Way all_ways[] = {Way::message, Way::commit, Way::coroutine, Way::commit_coroutine,
                                   Way::pull};

/// A watch that feeds a mirror in one of these ways, concurrently with the test.
class Mirrored {
public:
    /// `turns`: number of turns of the loop that a consumer that is a coroutine takes for a message
    /// or a commit.
    Mirrored(const asio::any_io_executor& executor, const Database& db, const Selectors& selectors,
             WatchOptions options, Way way, int turns = 0);

    const Mirror& mirror() const { return mirror_; }
    bool done() const { return job_->done(); }
    Position position() const;
    void request_stop() const;
    asio::awaitable<void> reached(Revision revision) const;
    /// Waits for the end of the watch; rethrows its exception.
    asio::awaitable<WatchEnd> end() const;

private:
    static asio::awaitable<void> run(Watcher watcher, std::shared_ptr<std::optional<WatchEnd>> end);
    static asio::awaitable<void> pull(PullWatcher watcher, Mirror mirror, int turns,
                                      std::shared_ptr<std::optional<WatchEnd>> end);

    Mirror mirror_;
    std::optional<Watcher> watcher_;
    std::optional<PullWatcher> puller_;
    std::shared_ptr<std::optional<WatchEnd>> end_ = std::make_shared<std::optional<WatchEnd>>();
    std::optional<Job> job_;
};

}  // namespace keywatch::test
