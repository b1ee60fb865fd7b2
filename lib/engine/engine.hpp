// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/cursor.hpp>
#include <keywatch/lag.hpp>
#include <keywatch/message.hpp>
#include <keywatch/position.hpp>
#include <keywatch/selector.hpp>
#include <keywatch/stats.hpp>
#include <keywatch/transaction.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keywatch::engine {

namespace asio = boost::asio;

using TransactionFunction = std::function<void(Transaction&)>;
using SnapshotFunction = std::function<void(const Snapshot&)>;

/// Commits (after, reached] of history, or the news that some of them are trimmed.
struct HistorySlice {
    std::vector<std::shared_ptr<const CommitRecord>> commits;
    /// Through which revision the slice is complete.
    Revision reached = 0;
    /// If set, history begins here, behind what was asked for; there are no commits then.
    std::optional<Revision> compacted;
};

struct SliceLimits {
    std::size_t messages = 1024;
    std::size_t bytes = std::size_t{4} << 20;
    /// The commits of the slice will be let go together.
    bool together = false;
};

/// The state of a database at one revision, as it is streamed.
///
/// May be let go of at any time, by any thread, but not while it is read.
class StateStream {
public:
    virtual ~StateStream() = default;

    /// Everything up to here is in it, and nothing of later.
    virtual Revision revision() const noexcept = 0;
    /// The time of that commit.
    virtual Time time() const noexcept = 0;

    /// The next messages of it, as many as the limits allow, but at least one, as a commit of that
    /// revision; null once there are none. One call at a time. Works until Engine::close().
    ///
    /// `used`, a part that nobody has but the caller, gives its memory to the next one.
    virtual asio::awaitable<std::shared_ptr<const CommitRecord>> next(
        SliceLimits limits, std::shared_ptr<const CommitRecord> used) = 0;
    asio::awaitable<std::shared_ptr<const CommitRecord>> next(SliceLimits limits)
    {
        return next(limits, nullptr);
    }
};

/// Where a backup goes to: a directory, or a stream.
struct BackupPlace {
    explicit BackupPlace(std::string directory_) : directory(std::move(directory_)) {}
    explicit BackupPlace(std::ostream& stream_) : stream(&stream_) {}

    std::string directory;
    std::ostream* stream = nullptr;
};

/// Where an engine delivers its durable commits: all of them, from every writer, in the order of
/// their revisions, separately from the acknowledgement of one's own.
class CommitSink {
public:
    virtual ~CommitSink() = default;

    /// Any thread, one call at a time. The commit's effects are visible to reads already, and the
    /// engine's durable_head() was moved to it before, in the single order of sequentially
    /// consistent operations.
    virtual void durable(std::shared_ptr<const CommitRecord> commit) noexcept = 0;
    /// The same of a commit that was made while `wants_commits` was false: history has it.
    virtual void durable_unseen(Revision revision) noexcept = 0;

    /// Whether it is worth while to give it commits. Any thread.
    virtual bool wants_commits() const noexcept = 0;
};

/// What executes transactions, makes them durable and keeps their history.
///
/// The layers above assume neither that reads are local, nor that revisions are contiguous (what
/// follows a commit is told by `previous`), nor that this process is the only writer.
///
/// Thread safety: all members, from any thread. Awaitable ones are to be awaited at once; they
/// keep the engine alive while they run.
class Engine {
public:
    virtual ~Engine() = default;

    /// As Database::update.
    virtual asio::awaitable<Revision> commit(TransactionFunction fn) = 0;
    /// As Database::view.
    virtual asio::awaitable<void> read(SnapshotFunction fn) = 0;
    /// The commits after `after`, up to `up_to` as far as the limits allow, but at least one if
    /// there is one. Works until close().
    ///
    /// `used`, a slice that is not needed any more, is destroyed where the next one is made: memory
    /// that one thread allocates while another one frees what it allocated before is slow.
    virtual asio::awaitable<HistorySlice> read_history(Revision after, Revision up_to,
                                                       SliceLimits limits, HistorySlice used) = 0;
    asio::awaitable<HistorySlice> read_history(Revision after, Revision up_to, SliceLimits limits)
    {
        return read_history(after, up_to, limits, {});
    }

    /// The newest durable state of what these select: the messages that would make it, and some
    /// that the selectors do not match. Nothing is held back for it but what the state itself
    /// consists of. Works until close().
    virtual asio::awaitable<std::shared_ptr<StateStream>> open_state(Selectors selectors) = 0;

    /// As Database::backup. What is under way at close() fails with `closed`.
    virtual asio::awaitable<Revision> backup(BackupPlace place) = 0;

    /// The durable position of a cursor, if there is one. Works until close().
    virtual std::optional<Position> cursor(std::string_view name) const = 0;
    /// As Database::cursors.
    virtual asio::awaitable<std::vector<CursorLag>> cursors() = 0;

    /// Whether commits are recorded in history and given to the sink.
    virtual bool keeps_history() const noexcept = 0;
    /// Whether messages tell what they replaced also where that takes a read.
    virtual bool records_previous() const noexcept = 0;
    /// As Options::max_transaction_bytes, or less.
    virtual std::size_t max_transaction_bytes() const noexcept = 0;
    virtual const HistoryId& history_id() const noexcept = 0;
    /// The time of the database: never before that of a commit.
    virtual Time now() const = 0;
    virtual Revision durable_head() const noexcept = 0;
    /// No less than any revision that a read may have shown: that can be ahead of durable_head(),
    /// for a moment.
    virtual Revision highest_readable() const noexcept = 0;
    virtual Revision oldest() const noexcept = 0;
    /// How far somebody who has seen everything through this revision is behind the durable head.
    virtual Lag lag(Revision seen) const = 0;
    virtual Stats::Engine stats() const = 0;
    virtual Stats::History history_stats() const = 0;

    /// Calls a function on a thread of the engine, once this time is over. Not after close().
    virtual void call_after(std::chrono::milliseconds time, std::function<void()> function) = 0;

    /// From now on commit fails with `closed`; returns once those that were queued are durable or
    /// have failed, even if the executors of their callers do not run.
    virtual asio::awaitable<void> drain() = 0;
    /// From now on commits fail with `closed` whose turn has come and whose executors do not run.
    virtual void give_up_doubtful() = 0;
    /// After drain(): ends the threads and closes the storage; reads fail with `closed` from then
    /// on.
    virtual asio::awaitable<void> close() = 0;
    /// drain() and close(), for a program whose event loop does not run: with give_up_doubtful().
    /// Calls `closed` when the storage is closed, on a thread of the engine; not if it was before.
    virtual void close_without_loop(std::function<void()> closed) = 0;
};

}  // namespace keywatch::engine
