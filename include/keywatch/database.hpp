// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/cursor.hpp>
#include <keywatch/options.hpp>
#include <keywatch/pull_watcher.hpp>
#include <keywatch/selector.hpp>
#include <keywatch/stats.hpp>
#include <keywatch/transaction.hpp>
#include <keywatch/transaction_function.hpp>
#include <keywatch/watcher.hpp>
#include <keywatch/watcher_info.hpp>
#include <keywatch/write_batch.hpp>

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

/// A completion handler for `co_spawn` that lets an exception out of the event loop's `run()`. A
/// lost error is a lost watcher: prefer it to `asio::detached`.
struct Rethrow {
    /// Throws the exception, if there is one.
    void operator()(std::exception_ptr error) const
    {
        if (error) {
            std::rethrow_exception(error);
        }
    }
    /// The same, for coroutines that return something.
    template <class T>
    void operator()(std::exception_ptr error, T&&) const
    {
        (*this)(std::move(error));
    }
};
/// The one to pass to `co_spawn`.
inline constexpr Rethrow rethrow{};

/// What `update()` gives for a function that returns a value.
template <class T>
struct Committed {
    /// As `update()` gives it for functions that return nothing.
    Revision revision = 0;
    /// What the function returned.
    T value;
};

/// A handle to an open database. Copies are handles to the same database; when the last one goes
/// away, and no call of it is under way, the database closes as `close()` does, without waiting.
///
/// Thread safety: all members may be called from any thread. Lifetime: a handle may be destroyed
/// while a call made on it is under way. If the execution context of a caller is destroyed, what is
/// suspended on it is destroyed with it, and a watch that runs on it ends; the database goes on for
/// other callers. The context that it was opened on must outlive all use from other threads. Not
/// usable after `fork()`.
class Database {
public:
    /// Opens a database; its pipeline lives on the executor that this is awaited on.
    ///
    /// A relative location counts from the process's directory at the time of this call.
    ///
    /// Errors: `not_a_database`, `format_too_new`, `locked`, `read_only`, `damaged`, `open_failed`
    /// (the directory is left as it was), `invalid_option`. Cancellation: none.
    static asio::awaitable<Database> open(Options options);

    /// The same, for programs that open before their event loop runs; blocks the caller.
    static Database open_blocking(asio::any_io_executor executor, Options options);

    /// A handle to nothing: every use fails with `Error::closed`.
    Database() = default;
    /// @cond no part of the interface
    explicit Database(std::shared_ptr<DatabaseState> state);
    /// @endcond

    /// Runs `fn(Transaction&)` as one transaction and commits what it did.
    ///
    /// `fn` runs on the caller's executor, one transaction at a time, in the order of the calls. A
    /// caller whose executor is blocked by other code for more than a millisecond is overtaken; an
    /// `fn` that blocks holds up all commits. `fn` may be run more than once (an engine with other
    /// writers does), so it must have no effect but on the transaction and on what it assigns. If
    /// it throws, nothing is committed, and the exception comes out of here. It must not be a
    /// coroutine, and what it returns must own its bytes: no views, ranges or iterators; both are
    /// refused at compile time.
    ///
    /// Gives the revision, or `Committed<T>{revision, value}` if `fn` returns a T; when it is
    /// given, the commit is durable (see `Durability`). A transaction that changed nothing makes no
    /// commit, and gives the revision that it read.
    ///
    /// Every call completes through the event loop, also when it throws, so a loop of commits
    /// starves nobody; when too much waits for the disk (`Options::max_pending_bytes`), it suspends
    /// longer.
    ///
    /// Errors: `closed`, `storage_failed`, `read_only` (see `Options::read_only`),
    /// `transaction_too_large`; what `fn` throws. Cancellation:
    /// terminal, while it waits for its turn (`fn` is not run); ignored once `fn` has started.
    ///
    /// On g++ 12 a temporary lambda that owns what it captured is refused at compile time: that
    /// compiler would destroy it twice. `[&]` is safe here, as the caller waits; or name the
    /// lambda.
    template <class Function>
    auto update(Function&& fn);

    /// Runs `fn(const Snapshot&)` on the newest durable state and gives what it returns.
    ///
    /// `fn` runs at once, on the caller's executor, and blocks it, also while blocks are read from
    /// disk: keep it short. There is no suspension, so a loop of views is to make one itself. `fn`
    /// sees one revision throughout. What it must not be or return is as of `update`.
    ///
    /// Errors: `closed`, once the database has closed; what `fn` throws. Cancellation: none.
    template <class Function>
    auto view(Function&& fn) const;

    // One operation on a BTree bucket: a `view`, or an `update`, of its own, with their errors and
    // those of the operation. What is given is copied when they are called.

    /// The value, if the key is there.
    asio::awaitable<std::optional<std::string>> get(std::string_view bucket,
                                                    std::string_view key) const;
    /// Sets the value of a key. Gives the revision.
    asio::awaitable<Revision> put(std::string_view bucket, std::string_view key,
                                  std::string_view value);
    /// The same, and the key has this time to live from the transaction on.
    asio::awaitable<Revision> put(std::string_view bucket, std::string_view key,
                                  std::string_view value, std::chrono::milliseconds ttl);
    /// Removes a key, and tells whether it was there.
    asio::awaitable<Committed<bool>> erase(std::string_view bucket, std::string_view key);
    /// Adds to the number that the value is, as `BTree::increment` does. Gives the result.
    asio::awaitable<Committed<std::int64_t>> increment(std::string_view bucket,
                                                       std::string_view key, std::int64_t by = 1);

    /// Makes a batch, for writes that are too many for one transaction: see `WriteBatch`.
    ///
    /// Errors, thrown here: `closed`, `invalid_option`, `invalid_name` of an origin.
    WriteBatch write_batch(WriteBatchOptions options = {}) const;

    /// Makes a watch of a bucket (which need not exist yet) for `Watcher::run`.
    ///
    /// The callback takes `const Message&` or `const Commit&`, and returns void, `Flow`, or an
    /// `asio::awaitable` of either. What it throws ends the watch and comes out of `run()`. It must
    /// be copyable, and is kept until `run()` has ended; if that is never called, until the last
    /// handle is gone or the database closes. So it may own a handle of its own watch.
    ///
    /// On g++ 12 do not call this within an expression that has a `co_await` if the callback is a
    /// temporary that owns what it captured: that compiler destroys it twice, and nothing can
    /// refuse that. Give the watcher a name first.
    ///
    /// Without `run()` nothing is delivered or held back. Where the watch starts is settled here.
    ///
    /// Errors, thrown here: `watch_disabled`, `closed`, `invalid_name`, `empty_key`,
    /// `invalid_pattern`, `invalid_option`, `foreign_position`, `position_ahead`,
    /// `cursor_not_found`; `damaged`, if a cursor cannot be read.
    Watcher watch(std::string_view bucket, Selector selector, WatchCallback callback,
                  WatchOptions options = {}) const;

    /// The same of any number of selectors, in several buckets, or of the whole database.
    Watcher watch(const Selectors& selectors, WatchCallback callback,
                  WatchOptions options = {}) const;

    /// The same without a callback: commits are asked for, see `PullWatcher`. There is nothing that
    /// `WatchOptions::callback_timeout` would apply to.
    PullWatcher watch(std::string_view bucket, Selector selector, WatchOptions options = {}) const;
    /// The same of any number of selectors.
    PullWatcher watch(const Selectors& selectors, WatchOptions options = {}) const;

    /// Closes: `watch` and `run` called from now on fail with `closed`; queued transactions finish;
    /// every running watcher is given all that was committed, then its `run()` returns
    /// `database_closed`. Until all have it, `update` works as before, so callbacks may commit what
    /// they make of what they are given; such commits are durable, but need not be delivered. Then
    /// `update` fails with `closed`, and `view` once the database is closed.
    ///
    /// A consumer of a pulled watch that has taken everything is not waited for, except for a
    /// moment (at most 50 ms) in which it may begin to commit what it makes of the last commit.
    ///
    /// Watchers that are not done after `timeout` are cancelled; if a callback does not return
    /// within half a second even then, this throws `Error::close_timeout`. The database is closed
    /// in any case. Transactions that still wait at `timeout` because their executors are blocked
    /// fail with `closed`. If the event loop of `open` itself is blocked or stopped for a second
    /// then, this throws `close_timeout`, on a loop that runs. A function of `update` or `view`
    /// that has begun is waited for without a limit. Further calls wait for the first one, whose
    /// timeout counts. Awaited inside a callback, it does not wait for that one.
    /// `Error::invalid_option` for a negative timeout; `Error::storage_failed`, though it is
    /// closed, if the directory was moved or replaced: what was committed is where it was moved to.
    /// Cancellation: any; it closes all the same.
    asio::awaitable<void> close(std::chrono::milliseconds timeout = std::chrono::seconds{10});

    /// Copies the database, with its history, while commits go on, and gives the one revision that
    /// the copy holds: everything that was durable when this was called, or more. It has the same
    /// history id, so consumers resume on it where they were; do not go on with both.
    ///
    /// To a directory that is empty or does not exist (its parent must): a database, to be opened.
    /// Or to a stream, for `restore_blocking` (keywatch/backup.hpp). The bytes of files are copied
    /// as they are, on a thread of the database's own, a backup after the other.
    ///
    /// Lifetime: the stream until this has returned, and it must not block for ever. Cancellation:
    /// terminal. Errors: `closed`, also when the database closes meanwhile; `storage_failed`, if a
    /// write had failed; `backup_failed`; `damaged`; `invalid_option`, of a directory without a
    /// name or with a NUL byte in it; what the stream throws. Nothing is left of a directory then,
    /// but of a stream there is what was written, which `restore_blocking` refuses.
    asio::awaitable<Revision> backup(std::string directory) const;
    /// The same, to a stream.
    asio::awaitable<Revision> backup(std::ostream& out) const;

    /// All cursors, by name, and how far each of them is behind: so a consumer that nobody runs any
    /// more, and for which history is kept, is seen by its age and lag. Delete its cursor then.
    ///
    /// All of it is of one durable revision. A cursor costs about one read of a key, on the
    /// database's thread that reads history. Cancellation: none. Errors: `closed`, `damaged`.
    asio::awaitable<std::vector<CursorLag>> cursors() const;

    // These also work when the database is closed; `Error::closed` of a handle to nothing.

    /// The newest durable revision; 0 if there is none.
    Revision head_revision() const;

    /// The oldest revision that history has; `head_revision() + 1` if it has none.
    Revision oldest_revision() const;

    /// The position of the newest durable revision.
    Position head_position() const;

    /// Figures about the database since it was opened. Cheap; each is right by itself, but they
    /// are not all of the same moment.
    Stats stats() const;

    /// All watches that are running, or to which there is a handle, in the order in which they were
    /// made. It takes time in proportion to their number, and a read or two of history for each
    /// that is behind; it delays neither commits nor deliveries.
    std::vector<WatcherInfo> watchers() const;

    /// The running watches that a change of this key would be delivered to, as far as their
    /// selectors tell: filters may leave it out. In time as `watchers`.
    std::vector<WatcherInfo> explain(std::string_view bucket, std::string_view key) const;

private:
    std::shared_ptr<DatabaseState> state_;
};

// What follows is no part of the interface.

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
