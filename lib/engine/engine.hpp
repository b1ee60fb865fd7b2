// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "values/history_slice.hpp"

#include <keywatch/cursor.hpp>
#include <keywatch/lag.hpp>
#include <keywatch/message.hpp>
#include <keywatch/position.hpp>
#include <keywatch/selector.hpp>
#include <keywatch/stats.hpp>
#include <keywatch/time.hpp>

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

namespace keywatch {
class Snapshot;
class Transaction;
}  // namespace keywatch

namespace keywatch::engine {

namespace asio = boost::asio;

using TransactionFunction = std::function<void(Transaction&)>;
using SnapshotFunction = std::function<void(const Snapshot&)>;

using keywatch::HistorySlice;
using keywatch::SliceLimits;

/// The state of a database at one revision, as it is streamed.
///
/// May be destroyed at any time, by any thread, except while it is being read.
class StateStream {
public:
    virtual ~StateStream() = default;

    /// Returns the revision of the state. It contains every commit up to this one, and none after
    /// it.
    virtual Revision revision() const noexcept = 0;
    /// Returns the time of that commit.
    virtual Time time() const noexcept = 0;

    /// Returns the next messages of the state as a commit of that revision: as many as the limits
    /// allow, but at least one. Returns null once there are none. One call at a time. Works until
    /// Engine::close().
    ///
    /// The memory of `used`, a part that only the caller owns, is reused for the next part.
    virtual asio::awaitable<SharedCommit> next(SliceLimits limits, SharedCommit used) = 0;
    asio::awaitable<SharedCommit> next(SliceLimits limits) { return next(limits, nullptr); }
};

/// The target of a backup: a directory or a stream.
struct BackupPlace {
    explicit BackupPlace(std::string directory_) : directory(std::move(directory_)) {}
    explicit BackupPlace(std::ostream& stream_) : stream(&stream_) {}

    std::string directory;
    std::ostream* stream = nullptr;
};

/// The receiver of an engine's durable commits: all of them, from every writer, in the order of
/// their revisions, independently of the acknowledgements that the writers receive.
class CommitSink {
public:
    virtual ~CommitSink() = default;

    /// Receives a durable commit. Called from any thread, one call at a time. The commit's effects
    /// are already visible to reads, and the engine's durable_head() was moved to it before, in the
    /// single order of sequentially consistent operations.
    virtual void durable(SharedCommit commit) noexcept = 0;
    /// Same as `durable`, for a commit executed while `wants_commits` was false: history contains
    /// it.
    virtual void durable_unseen(Revision revision) noexcept = 0;

    /// Returns true if the sink has a use for the content of commits. May be called from any
    /// thread.
    virtual bool wants_commits() const noexcept = 0;
};

/// The interface of an engine, which executes transactions, makes them durable and keeps their
/// history.
///
/// The layers above assume neither that reads are local, nor that revisions are contiguous
/// (`previous` tells which commit precedes another), nor that this process is the only writer.
///
/// Thread safety: all members may be called from any thread. Awaitable members must be awaited at
/// once. They keep the engine alive while they run.
class Engine {
public:
    virtual ~Engine() = default;

    /// Same as Database::update.
    virtual asio::awaitable<Revision> commit(TransactionFunction fn) = 0;
    /// Same as Database::view.
    virtual asio::awaitable<void> read(SnapshotFunction fn) = 0;
    /// Returns the commits after `after`, up to `up_to`, as far as the limits allow, but at least
    /// one if there is one. Works until close().
    ///
    /// `used`, a slice that is no longer needed, is destroyed where the next one is created: it is
    /// slow if one thread allocates memory while another one frees what the first has allocated
    /// before.
    virtual asio::awaitable<HistorySlice> read_history(Revision after, Revision up_to,
                                                       SliceLimits limits, HistorySlice used) = 0;
    asio::awaitable<HistorySlice> read_history(Revision after, Revision up_to, SliceLimits limits)
    {
        return read_history(after, up_to, limits, {});
    }

    /// Opens the newest durable state of what these select: the messages that would create it, and
    /// some that the selectors do not match. Only what the state itself consists of is retained for
    /// it. Works until close().
    virtual asio::awaitable<std::shared_ptr<StateStream>> open_state(Selectors selectors) = 0;

    /// Same as Database::backup. A backup in progress at close() fails with `closed`.
    virtual asio::awaitable<Revision> backup(BackupPlace place) = 0;

    /// Returns the durable position of a cursor, if the cursor exists. Works until close(). Reads
    /// the storage on the calling thread.
    virtual std::optional<Position> cursor(std::string_view name) const = 0;
    /// Same as Database::cursors.
    virtual asio::awaitable<std::vector<CursorLag>> cursors() = 0;

    /// Returns true if commits are recorded in history and passed to the sink.
    virtual bool keeps_history() const noexcept = 0;
    /// Returns true if messages contain what they replaced even where that takes a read.
    virtual bool records_previous() const noexcept = 0;
    /// Returns Options::max_transaction_bytes, or less.
    virtual std::size_t max_transaction_bytes() const noexcept = 0;
    virtual const HistoryId& history_id() const noexcept = 0;
    /// Returns the time of the database, which is never before that of a commit.
    virtual Time now() const = 0;
    virtual Revision durable_head() const noexcept = 0;
    /// Returns a revision no lower than any that a read may have shown. It can be ahead of
    /// durable_head() for a moment.
    virtual Revision highest_readable() const noexcept = 0;
    virtual Revision oldest() const noexcept = 0;
    /// Returns how far a reader that has seen everything through this revision lags the durable
    /// head. Reads the storage on the calling thread.
    virtual Lag lag(Revision seen) const = 0;
    virtual Stats::Engine stats() const = 0;
    virtual Stats::History history_stats() const = 0;

    /// Calls a function on a thread of the engine after this time, unless the engine is closed
    /// before.
    virtual void call_after(std::chrono::milliseconds time, std::function<void()> function) = 0;

    /// Makes commits fail with `closed` from now on. Returns once all queued commits are durable or
    /// have failed, even if the executors of their callers do not run.
    virtual asio::awaitable<void> drain() = 0;
    /// From now on, commits whose turn has come but whose executors do not run fail with `closed`.
    virtual void give_up_doubtful() = 0;
    /// Ends the threads and closes the storage. Reads fail with `closed` from then on.
    /// Precondition: drain() has returned.
    virtual asio::awaitable<void> close() = 0;
    /// Same as drain() and close(), with give_up_doubtful(), for a program whose event loop does
    /// not run. Calls `closed` on a thread of the engine when the storage is closed. If the storage
    /// was closed before, then `closed` is not called.
    virtual void close_without_loop(std::function<void()> closed) = 0;
};

}  // namespace keywatch::engine
