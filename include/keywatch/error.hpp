// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <type_traits>

namespace [[gnu::visibility("default")]] keywatch {

/// All failures reported by keywatch itself, as error codes in `error_category()`.
///
/// Failures are thrown as `boost::system::system_error`. Exceptions thrown by functions and
/// callbacks of the program are passed through unchanged. Cancelled operations fail with
/// `asio::error::operation_aborted`.
enum class Error {
    // Opening.
    /// The directory holds something that keywatch did not write. Choose an empty or new directory.
    not_a_database = 1,
    /// A newer keywatch wrote this database. Upgrade the program; nothing was changed.
    format_too_new,
    /// Another process, or another handle in this process, has the database open. Close it first.
    locked,
    /// The directory or its files cannot be written. Check permissions and mount options, or open
    /// the database with `Options::read_only`. Also thrown by writes to a database opened with
    /// `Options::read_only`.
    read_only,
    /// Files are missing, or their content is not what was written. Restore from a backup. Thrown
    /// by any operation that finds the damage; also by commits, once the background work has found
    /// it.
    damaged,
    /// The operating system refused an operation (a path that cannot be created, a full disk, too
    /// many open files, a thread that cannot be started). The message of the exception says which;
    /// nothing was changed.
    open_failed,

    // Use of a database.
    /// The database is closed or closing. Open it again.
    closed,
    /// The operating system refused to write or to read. The message of the exception contains its
    /// reason. After a failed write all further writes are refused, with the first reason, until
    /// the database is reopened; only then is it known whether the transactions that failed with
    /// this error are stored. After a failed read (too many open files, a disk error) nothing is
    /// stored, and a repeated call may succeed.
    storage_failed,
    /// A callback did not return within the timeout of `close()`, or the event loop of `open` is
    /// blocked or stopped. The database is closed nevertheless. Make the callback return and the
    /// loop run, or pass a longer timeout to `close()`.
    close_timeout,

    // Transactions.
    /// The bucket does not exist, or not with this structure, or the transaction has deleted it.
    /// Create it first.
    bucket_not_found,
    /// The bucket already exists with this structure.
    bucket_exists,
    /// The name of a bucket or cursor is empty or longer than 65535 bytes, or an origin is longer
    /// than 65535 bytes.
    invalid_name,
    /// A key is empty where a non-empty one is required.
    empty_key,
    /// `increment` or `decrement` read a value that is not a number in the form in which they write
    /// it: decimal digits without leading zeros, a minus sign before a negative number, within 64
    /// bits. Put a number first.
    not_a_number,
    /// The new number would not fit into 64 bits; the value is unchanged. Begin a new count.
    number_overflow,
    /// A time to live is zero, negative, or longer than 1000 years.
    invalid_ttl,
    /// A score is NaN, or would become NaN: infinity minus infinity.
    invalid_score,
    /// A list has no element at this index. Check its size first.
    index_out_of_range,
    /// A pattern for keys or bucket names is malformed. Correct it; the message of the exception
    /// says what is wrong.
    invalid_pattern,
    /// A key is too long to be searched with this pattern: the product of both sizes is limited,
    /// see `KeyPattern`. Use a shorter pattern, with smaller repetition counts.
    pattern_too_complex,
    /// The transaction writes more than `Options::max_transaction_bytes`. Split it.
    transaction_too_large,
    /// A transaction, or one of its views or iterators, was used after its function had returned.
    transaction_finished,

    // Watching.
    /// The database was opened without `Options::enable_watch`. Set it and reopen the database.
    watch_disabled,
    /// An option or timeout has an invalid value, such as a zero buffer size. For options, the
    /// message of the exception names the option.
    invalid_option,
    /// The position belongs to another database. Restart that consumer from scratch.
    foreign_position,
    /// The position is ahead of this database, which has lost commits: by a power cut with
    /// `Durability::buffered`, or because an older backup was restored. Restart that consumer from
    /// scratch.
    position_ahead,
    /// History from the requested position on is no longer kept. See `Compacted`.
    compacted,
    /// `run()` was called on a watcher that is running or has run: call `watch()` again. Or
    /// `wait()` was called while another call on the same watcher waits: there is one consumer.
    already_running,
    /// A callback took longer than `WatchOptions::callback_timeout`. Increase the timeout, or let
    /// the callback pass its work to another coroutine. The watch can be resumed from its position.
    callback_timeout,
    /// The watcher was not ready within the timeout of `wait_ready`. Check that `run()` is awaited.
    ready_timeout,
    /// The watch ended, in an expected way, before it was ready or reached the awaited revision.
    watch_ended,
    /// The call would wait for the callback that makes it. Await it in another coroutine.
    would_deadlock,

    // Backups.
    /// A backup or a restored database could not be written: the directory is not empty or cannot
    /// be created, the disk is full, or the stream failed. The message of the exception says which.
    /// The database is not affected, and nothing is left of the incomplete backup.
    backup_failed,

    // Bulk loading.
    /// A `BulkWriter` was used while an earlier call was still being awaited, or after it was moved
    /// from. Await one call before making the next.
    bulk_writer_in_use,

    // Watching, continued.
    /// A watch with `Overflow::stop` was too slow: its inbox was full, or its lag grew too much
    /// while it read history. Use a larger inbox or another policy. The watch can be resumed from
    /// its position.
    overflow,
    /// There is no cursor of this name.
    cursor_not_found,
};

/// Returns the error category of `Error`. Its name is "keywatch".
const boost::system::error_category& error_category() noexcept;

/// Returns the code of an `Error`, so that `code == keywatch::Error::closed` compiles.
boost::system::error_code make_error_code(Error error) noexcept;

/// The exception thrown when a watch or `Transaction::save_cursor` needs history that has been
/// trimmed (`Error::compacted`).
class Compacted : public boost::system::system_error {
public:
    /// Constructs the exception. Called by the library.
    Compacted(Revision requested, Revision oldest);

    /// Returns the first revision that was needed.
    Revision requested() const noexcept { return requested_; }

    /// Returns the oldest revision still in history.
    Revision oldest() const noexcept { return oldest_; }

private:
    Revision requested_;
    Revision oldest_;
};

}  // namespace keywatch

/// @cond internal

// Required by Boost.System.
template <>
struct boost::system::is_error_code_enum<keywatch::Error> : std::true_type {};
/// @endcond
