// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/bulk_writer.hpp>
#include <keywatch/cursor.hpp>
#include <keywatch/options.hpp>
#include <keywatch/pull_watcher.hpp>
#include <keywatch/selector.hpp>
#include <keywatch/stats.hpp>
#include <keywatch/transaction.hpp>
#include <keywatch/transaction_function.hpp>
#include <keywatch/watcher.hpp>
#include <keywatch/watcher_info.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace keywatch {
class DatabaseState;
}

namespace [[gnu::visibility("default")]] keywatch {

namespace asio = boost::asio;

/// A completion handler for `co_spawn` that rethrows an exception out of the event loop's `run()`.
/// Prefer it to `asio::detached`: a lost error is a lost watcher.
struct Rethrow {
    /// Rethrows the exception, if there is one.
    void operator()(std::exception_ptr error) const
    {
        if (error) {
            std::rethrow_exception(error);
        }
    }
    /// Same as above, for coroutines that return a value.
    template <class T>
    void operator()(std::exception_ptr error, T&&) const
    {
        (*this)(std::move(error));
    }
};
/// The object to pass to `co_spawn`.
inline constexpr Rethrow rethrow{};

/// The result of `update()` for a function that returns a value.
template <class T>
struct Committed {
    /// The revision, as `update()` returns it for functions that return nothing.
    Revision revision = 0;
    /// The value returned by the function.
    T value;
};

/// A handle to an open database. Copies are handles to the same database. When the last handle is
/// destroyed and no call made on it is in progress, the database closes as `close()` does, without
/// waiting.
///
/// Thread safety: all members may be called from any thread. Lifetime: a handle may be destroyed
/// while a call made on it is in progress. If the execution context of a caller is destroyed,
/// everything suspended on it is destroyed with it, and a watch that runs on it ends; other callers
/// can continue to use the database. The context on which the database was opened must outlive all
/// use from other threads. A database cannot be used after `fork()`.
class Database {
public:
    /// Opens a database. Its pipeline runs on the executor on which this is awaited.
    ///
    /// A relative location is resolved against the working directory of the process at the time of
    /// this call.
    ///
    /// Errors: `not_a_database`, `format_too_new`, `locked`, `read_only`, `damaged`, `open_failed`
    /// (the directory is left unchanged), `invalid_option`. Cancellation: none.
    static asio::awaitable<Database> open(Options options);

    /// Same as `open`, for programs that open before their event loop runs. Blocks the caller.
    static Database open_blocking(asio::any_io_executor executor, Options options);

    /// Creates a handle to no database: every use fails with `Error::closed`.
    Database() = default;
    /// @cond internal
    explicit Database(std::shared_ptr<DatabaseState> state);
    /// @endcond

    /// Runs `fn(Transaction&)` as one transaction and commits its changes.
    ///
    /// `fn` runs on the caller's executor. Transactions run one at a time, in the order of the
    /// calls. A caller whose executor is blocked by other code for more than a millisecond is
    /// overtaken. An `fn` that blocks holds up all commits. `fn` may be run more than once (an
    /// engine with other writers does so), so it must have no effects except on the transaction and
    /// on the variables that it assigns. If it throws, nothing is committed, and the exception is
    /// thrown from here. `fn` must not be a coroutine, and its result must own its bytes: no views,
    /// ranges or iterators. Both are refused at compile time.
    ///
    /// Returns the revision, or `Committed<T>{revision, value}` if `fn` returns a `T`. When it
    /// returns, the commit is durable (see `Durability`). A transaction that changed nothing makes
    /// no commit and returns the revision that it read.
    ///
    /// Every call completes through the event loop, even if it throws, so a loop of commits does
    /// not starve other handlers. If too much data waits for the disk
    /// (`Options::max_pending_bytes`), the call stays suspended longer.
    ///
    /// Errors: `closed`, `storage_failed`, `read_only` (see `Options::read_only`),
    /// `transaction_too_large`; whatever `fn` throws. Cancellation: terminal, while the call waits
    /// for its turn (`fn` is not run); ignored once `fn` has started.
    ///
    /// With g++ 12, a temporary lambda that owns its captures is refused at compile time, because
    /// that compiler would destroy it twice. Capture by reference (`[&]`, safe here because the
    /// caller waits), or give the lambda a name.
    template <class Function>
    auto update(Function&& fn);

    /// Runs `fn(const Snapshot&)` on the newest durable state and returns its result.
    ///
    /// `fn` runs immediately on the caller's executor and blocks it, including while blocks are
    /// read from disk: keep it short. There is no suspension; a loop of views should suspend
    /// itself. `fn` sees one revision throughout. The requirements on `fn` and its result are those
    /// of `update`.
    ///
    /// Errors: `closed`, once the database has closed; whatever `fn` throws. Cancellation: none.
    template <class Function>
    auto view(Function&& fn) const;

    // Single operations on a BTree bucket. Each is a `view` or an `update` of its own, with the
    // errors of these and of the operation. The arguments are copied by the call.

    /// Returns the value, or nothing if the key does not exist.
    asio::awaitable<std::optional<std::string>> get(std::string_view bucket,
                                                    std::string_view key) const;
    /// Sets the value of a key. Returns the revision.
    asio::awaitable<Revision> put(std::string_view bucket, std::string_view key,
                                  std::string_view value);
    /// Same as above, and sets the time to live of the key, counted from the transaction.
    asio::awaitable<Revision> put(std::string_view bucket, std::string_view key,
                                  std::string_view value, std::chrono::milliseconds ttl);
    /// Removes a key. The value of the result is true if the key existed.
    asio::awaitable<Committed<bool>> erase(std::string_view bucket, std::string_view key);
    /// Adds to the number stored as the value, as `BTree::increment` does. The value of the result
    /// is the new number.
    asio::awaitable<Committed<std::int64_t>> increment(std::string_view bucket,
                                                       std::string_view key, std::int64_t by = 1);

    /// Creates a bulk writer, for more writes than fit into one transaction: see `BulkWriter`.
    ///
    /// Errors, thrown by the call itself: `closed`; `invalid_option`; `invalid_name` if the origin
    /// is too long.
    BulkWriter bulk_writer(BulkWriterOptions options = {}) const;

    /// Creates a watch of a bucket for `Watcher::run`. The bucket need not exist yet.
    ///
    /// The callback takes `const Message&` or `const Commit&` and returns void, `Flow`, or an
    /// `asio::awaitable` of either. An exception thrown by the callback ends the watch and is
    /// thrown from `run()`. The callback must be copyable. It is kept until `run()` has ended, or,
    /// if `run()` is never called, until the last handle of the watch is destroyed or the database
    /// closes. It may therefore own a handle of its own watch.
    ///
    /// With g++ 12, do not call this within an expression that contains a `co_await` if the
    /// callback is a temporary that owns its captures: that compiler destroys it twice, which
    /// cannot be detected. Give the watcher a name first.
    ///
    /// Until `run()` is called, nothing is delivered and no history is held. The start of the watch
    /// is determined by this call.
    ///
    /// Errors, thrown by the call itself: `watch_disabled`, `closed`, `invalid_name`, `empty_key`,
    /// `invalid_pattern`, `invalid_option`, `foreign_position`, `position_ahead`,
    /// `cursor_not_found`; `damaged` if a cursor cannot be read.
    Watcher watch(std::string_view bucket, Selector selector, WatchCallback callback,
                  WatchOptions options = {}) const;

    /// Same as above, for any number of selectors, in several buckets or of the whole database.
    Watcher watch(const Selectors& selectors, WatchCallback callback,
                  WatchOptions options = {}) const;

    /// Same as above, without a callback: the consumer asks for commits, see `PullWatcher`.
    /// `WatchOptions::callback_timeout` has no effect.
    PullWatcher watch(std::string_view bucket, Selector selector, WatchOptions options = {}) const;
    /// Same as above, for any number of selectors.
    PullWatcher watch(const Selectors& selectors, WatchOptions options = {}) const;

    /// Closes the database. From now on, `watch` and `run` fail with `closed`. Queued transactions
    /// finish. Every running watcher receives everything that was committed before, then its
    /// `run()` returns `database_closed`. Until all watchers have received it, `update` works as
    /// before, so callbacks may commit their results; such commits are durable, but are not
    /// necessarily delivered. After that `update` fails with `closed`, and so does `view` once the
    /// database is closed.
    ///
    /// If the consumer of a pulled watch has taken everything, it is not waited for, except for a
    /// moment (at most 50 ms) in which it may begin to commit its result for the last commit.
    ///
    /// Watchers that are not done after `timeout` are cancelled. If a callback does not return
    /// within another half second, this throws `Error::close_timeout`. The database is closed in
    /// any case. Transactions that still wait at `timeout` because their executors are blocked fail
    /// with `closed`. If the event loop of `open` itself is then blocked or stopped for a second,
    /// this throws `close_timeout` on a caller whose loop runs. A function of `update` or `view`
    /// that has begun is waited for without a limit. Further calls wait for the first one, whose
    /// timeout applies. If awaited inside a callback, this does not wait for that callback.
    ///
    /// Errors: `close_timeout`, see above; `invalid_option` if the timeout is negative;
    /// `storage_failed` if the directory was moved or replaced (the database is closed
    /// nevertheless, and what was committed is in the directory that was moved). Cancellation: any;
    /// the database closes nevertheless.
    asio::awaitable<void> close(std::chrono::milliseconds timeout = std::chrono::seconds{10});

    /// Copies the database with its history while commits continue, and returns the revision of the
    /// copy. The copy holds one revision: everything that was durable when this was called, or
    /// more. It has the same history id, so consumers can resume on it from their positions. Do not
    /// continue to use both databases.
    ///
    /// The target is a directory that is empty or does not exist (its parent must exist), which
    /// then holds a database that can be opened; or a stream, to be read by `restore_blocking`
    /// (keywatch/backup.hpp). The bytes of the files are copied as they are, on a thread of the
    /// database, one backup at a time.
    ///
    /// Lifetime: the stream must exist until this has returned, and it must not block forever.
    /// Cancellation: terminal. Errors: `closed`, even if the database closes only during the
    /// call; `storage_failed` if a write has failed, or if the directory of the database was moved
    /// or replaced; `backup_failed`; `damaged`; `invalid_option` if the target has no name or a NUL
    /// byte in its name; whatever the stream throws. After an error the target directory is as it
    /// was before the call. A stream contains what was written until then, which `restore_blocking`
    /// refuses.
    asio::awaitable<Revision> backup(std::string directory) const;
    /// Same as above, to a stream.
    asio::awaitable<Revision> backup(std::ostream& out) const;

    /// Returns all cursors, ordered by name, with their lags. The age and the lag reveal a consumer
    /// that is no longer run and for which history is retained. Delete the cursor of such a
    /// consumer.
    ///
    /// All results belong to one durable revision. Each cursor costs about one read of a key, on
    /// the reader thread of the database. Cancellation: none. Errors: `closed`, `damaged`.
    /// database's thread that reads history. Cancellation: none. Errors: `closed`, `damaged`.
    asio::awaitable<std::vector<CursorLag>> cursors() const;

    // The following also work when the database is closed. For a handle to no database they throw
    // `Error::closed`.

    /// Returns the newest durable revision, or 0 if there is none.
    Revision head_revision() const;

    /// Returns the oldest revision in history, or `head_revision() + 1` if history is empty.
    Revision oldest_revision() const;

    /// Returns the position of the newest durable revision.
    Position head_position() const;

    /// Returns figures about the database since it was opened. Cheap. Each figure is correct, but
    /// they may have been taken at slightly different moments.
    Stats stats() const;

    /// Returns all watchers that are running or to which a handle exists, in the order of their
    /// creation. Takes time in proportion to their number, and one or two reads of history for each
    /// one that lags. Delays neither commits nor deliveries.
    std::vector<WatcherInfo> watchers() const;

    /// Returns the running watches to which a change of this key would be delivered, as far as
    /// their selectors determine it: filters may still exclude it. Takes as long as `watchers`.
    std::vector<WatcherInfo> explain(std::string_view bucket, std::string_view key) const;

private:
    std::shared_ptr<DatabaseState> state_;
};

// Implementation details.

namespace detail {

using UpdateFunction = std::function<void(Transaction&)>;
using ViewFunction = std::function<void(const Snapshot&)>;

asio::awaitable<Revision> update(std::shared_ptr<DatabaseState> state, UpdateFunction fn);
asio::awaitable<void> view(std::shared_ptr<DatabaseState> state, ViewFunction fn);

template <class Function, class T>
asio::awaitable<Committed<T>> update_value(std::shared_ptr<DatabaseState> state, Function fn)
{
    std::optional<T> value;
    UpdateFunction run = [&](Transaction& transaction) { value.emplace(fn(transaction)); };
    const Revision revision = co_await update(std::move(state), std::move(run));
    co_return Committed<T>{revision, std::move(*value)};
}

template <class Function, class T>
asio::awaitable<T> view_value(std::shared_ptr<DatabaseState> state, Function fn)
{
    std::optional<T> value;
    ViewFunction run = [&](const Snapshot& snapshot) { value.emplace(fn(snapshot)); };
    co_await view(std::move(state), std::move(run));
    co_return std::move(*value);
}

}  // namespace detail

template <class Function>
auto Database::update(Function&& fn)
{
    using Stored = std::decay_t<Function>;
    static_assert(detail::safe_in_co_await<Function>(),
                  "g++ 12 destroys this temporary twice: capture by reference ([&]), or name the "
                  "lambda and pass the name");
    constexpr detail::Problem problem = detail::problem_of<Stored, Transaction&>();
    static_assert(problem != detail::Problem::argument,
                  "update() takes a function of keywatch::Transaction&");
    static_assert(problem != detail::Problem::copy,
                  "the function must be copyable: pass std::ref(fn)");
    static_assert(problem != detail::Problem::coroutine,
                  "update() takes a plain function: a coroutine would never run");
    static_assert(problem != detail::Problem::escape,
                  "what the function returns must own its bytes: not a view, range, iterator or "
                  "reference, which end with the transaction");
    if constexpr (problem != detail::Problem::none) {
        return asio::awaitable<Revision>();
    } else if constexpr (std::is_void_v<std::invoke_result_t<Stored&, Transaction&>>) {
        return detail::update(state_, detail::UpdateFunction(std::forward<Function>(fn)));
    } else {
        using T = std::invoke_result_t<Stored&, Transaction&>;
        return detail::update_value<Stored, T>(state_, std::forward<Function>(fn));
    }
}

template <class Function>
auto Database::view(Function&& fn) const
{
    using Stored = std::decay_t<Function>;
    static_assert(detail::safe_in_co_await<Function>(),
                  "g++ 12 destroys this temporary twice: capture by reference ([&]), or name the "
                  "lambda and pass the name");
    constexpr detail::Problem problem = detail::problem_of<Stored, const Snapshot&>();
    static_assert(problem != detail::Problem::argument,
                  "view() takes a function of const keywatch::Snapshot&");
    static_assert(problem != detail::Problem::copy,
                  "the function must be copyable: pass std::ref(fn)");
    static_assert(problem != detail::Problem::coroutine,
                  "view() takes a plain function: a coroutine would never run");
    static_assert(problem != detail::Problem::escape,
                  "what the function returns must own its bytes: not a view, range, iterator or "
                  "reference, which end with the snapshot");
    if constexpr (problem != detail::Problem::none) {
        return asio::awaitable<void>();
    } else if constexpr (std::is_void_v<std::invoke_result_t<Stored&, const Snapshot&>>) {
        return detail::view(state_, detail::ViewFunction(std::forward<Function>(fn)));
    } else {
        using T = std::invoke_result_t<Stored&, const Snapshot&>;
        return detail::view_value<Stored, T>(state_, std::forward<Function>(fn));
    }
}

}  // namespace keywatch
