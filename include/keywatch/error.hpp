// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <type_traits>

namespace [[gnu::visibility("default")]] keywatch {

/// Every failure keywatch itself reports, as an error code in `error_category()`.
///
/// Failures are thrown as `boost::system::system_error`; what a user's own function or callback
/// throws comes out unchanged. Cancelled operations fail with `asio::error::operation_aborted`.
enum class Error {
    // Opening.
    /// The directory holds something that keywatch did not write. Choose an empty or new one.
    not_a_database = 1,
    /// A newer keywatch wrote this database. Upgrade the program; nothing was changed.
    format_too_new,
    /// Another process, or another handle of this one, has the database open. Close it first.
    locked,
    /// The directory or its files cannot be written: check permissions and mount options, or open
    /// it
    /// with `Options::read_only`. Or, of a write, it was opened so.
    read_only,
    /// Files are missing or their content is not what was written. Restore from a backup. Thrown by
    /// whatever meets it; from then on commits too, once the background work has met it.
    damaged,
    /// The operating system refused an operation (a path that cannot be made, a full disk, too many
    /// open files, no further thread). The message of the exception says which; nothing was
    /// changed.
    open_failed,

    // Use of a database.
    /// The database is closed or closing. Open it again.
    closed,
    /// The operating system refused to write or to read; the message of the exception has its
    /// reason. After a failed write all further ones are refused, with the first reason, until the
    /// database is opened again; whether the transactions that failed with this error are stored is
    /// not known until then. After a failed read (too many open files, an error of the disk)
    /// nothing is stored, and the same may succeed later.
    storage_failed,
    /// `close()` did not see every callback return within its timeout. The database is closed all
    /// the same; make the callback return, or give `close()` longer.
    close_timeout,

    // Transactions.
    /// The bucket does not exist, or not with this structure, or the transaction itself has deleted
    /// it. Create it first.
    bucket_not_found,
    /// The bucket exists with this structure already.
    bucket_exists,
    /// The name of a bucket or of a cursor is empty or longer than 65535 bytes, or an origin is
    /// longer than that.
    invalid_name,
    /// A key is empty where one is needed.
    empty_key,
    /// `increment` or `decrement` met a value that is no number as they write it: decimal digits
    /// without needless zeros, a minus sign before a negative one, within 64 bits. Put one first.
    not_a_number,
    /// The new number would not fit into 64 bits; the value is as it was. Begin a new count.
    number_overflow,
    /// A time to live is zero, negative, or longer than 1000 years.
    invalid_ttl,
    /// A score is no number (NaN), or would be none: infinity minus infinity.
    invalid_score,
    /// A list has no element at this index. Look at its size first.
    index_out_of_range,
    /// A pattern for keys or for bucket names is not well-formed. Correct it; the message of the
    /// exception says what is wrong with it.
    invalid_pattern,
    /// A key is too long to look for this pattern in it: the product of both is limited, see
    /// `KeyPattern`. Give a shorter pattern, with smaller repeats.
    pattern_too_complex,
    /// The transaction writes more than `Options::max_transaction_bytes`. Split it.
    transaction_too_large,
    /// A transaction, or a view or iterator of it, was used after its function had returned.
    transaction_finished,

    // Watching.
    /// The database was opened without `Options::enable_watch`. Set it, and open again.
    watch_disabled,
    /// An option or a timeout has a value that makes no sense (a zero buffer). Of options the
    /// exception's message tells which.
    invalid_option,
    /// The position was taken from another database. Start that consumer anew.
    foreign_position,
    /// The position lies ahead of this database, which has lost commits: a power cut with
    /// `Durability::buffered`, or an older backup restored. Start that consumer anew.
    position_ahead,
    /// History from the requested position on is no longer kept. See `Compacted`.
    compacted,
    /// `run()` was called on a watcher that is running or has run: call `watch()` again. Or
    /// `wait()`, while another one of the same watcher waits: there is one consumer.
    already_running,
    /// A callback took longer than `WatchOptions::callback_timeout`. Give it longer, or let it hand
    /// its work to another coroutine; the watch can be resumed from its position.
    callback_timeout,
    /// The watcher was not ready in the time that `wait_ready` was given. Is `run()` awaited?
    ready_timeout,
    /// The watcher ended, in an expected way, before it was ready or reached the awaited revision.
    watch_ended,
    /// The call waits for the callback that makes it. Await it in another coroutine.
    would_deadlock,

    // Backups.
    /// A backup could not be written, or a restored database: the directory is not empty or cannot
    /// be made, the disk is full, the stream takes no more. The message of the exception says
    /// which; the database goes on as before, and nothing is left of what was begun.
    backup_failed,

    // Bulk loading.
    /// A `WriteBatch` was used while an earlier call of it was being awaited, or after it had been
    /// moved from. Await one call before the next.
    batch_in_use,

    // More of watching.
    /// The watcher's inbox was full, and its policy is `Overflow::stop`. Give it a larger one, or
    /// another policy; it can be resumed from its position.
    overflow,
    /// There is no cursor of this name.
    cursor_not_found,
};

/// The category of `Error`; its name is "keywatch".
const boost::system::error_category& error_category() noexcept;

/// The code of an `Error`; so `code == keywatch::Error::closed` compiles.
boost::system::error_code make_error_code(Error error) noexcept;

/// Thrown when a watch asks for history that has been trimmed (`Error::compacted`).
class Compacted : public boost::system::system_error {
public:
    /// As the library throws it.
    Compacted(Revision requested, Revision oldest);

    /// The first revision that the watch needed.
    Revision requested() const noexcept { return requested_; }

    /// The oldest revision that history still has.
    Revision oldest() const noexcept { return oldest_; }

private:
    Revision requested_;
    Revision oldest_;
};

}  // namespace keywatch

/// @cond what Boost.System asks for
template <>
struct boost::system::is_error_code_enum<keywatch::Error> : std::true_type {};
/// @endcond
