// SPDX-License-Identifier: BSL-1.0
#include <keywatch/error.hpp>

#include <string>

namespace [[gnu::visibility("default")]] keywatch {

namespace {

const char* describe(Error error) noexcept
{
    switch (error) {
    case Error::not_a_database:
        return "not a keywatch database: choose an empty or new directory";
    case Error::format_too_new:
        return "the database was written by a newer keywatch: upgrade this program";
    case Error::locked:
        return "the database is open already, here or in another process: close it first";
    case Error::read_only:
        return "the database cannot be written: check the permissions, or open it with "
               "Options::read_only and only read";
    case Error::damaged:
        return "the database is damaged: restore it from a backup";
    case Error::open_failed:
        return "the database could not be opened";
    case Error::closed:
        return "the database is closed";
    case Error::storage_failed:
        return "the system refused to write or to read: after a failed write, open the database "
               "again to find out whether this transaction is stored";
    case Error::close_timeout:
        return "the database is closed, but a watch callback has not returned";
    case Error::bucket_not_found:
        return "no such bucket with this structure: create it first";
    case Error::bucket_exists:
        return "the bucket exists already with this structure";
    case Error::invalid_name:
        return "a name must have 1 to 65535 bytes";
    case Error::empty_key:
        return "a key must not be empty";
    case Error::not_a_number:
        return "the value is not a decimal number of 64 bits: put one first";
    case Error::number_overflow:
        return "the number would not fit into 64 bits: start a new count";
    case Error::invalid_ttl:
        return "a time to live must be positive, and at most 1000 years";
    case Error::invalid_score:
        return "a score must be a number";
    case Error::index_out_of_range:
        return "the list has no element at this index";
    case Error::invalid_pattern:
        return "the pattern is not well-formed: correct it";
    case Error::pattern_too_complex:
        return "the key is too long for this pattern: use a shorter one, with smaller repeats";
    case Error::transaction_too_large:
        return "the transaction exceeds max_transaction_bytes: split it";
    case Error::transaction_finished:
        return "the transaction's function has returned: its objects must no longer be used";
    case Error::watch_disabled:
        return "watching is disabled: open the database with Options::enable_watch = true";
    case Error::invalid_option:
        return "an option has an invalid value";
    case Error::foreign_position:
        return "the position belongs to another database: start this consumer anew";
    case Error::position_ahead:
        return "the position lies ahead of the database, which has lost commits: start this "
               "consumer anew";
    case Error::compacted:
        return "history from the requested revision on has been trimmed";
    case Error::already_running:
        return "the watcher is running or has run, or another wait() is pending: call watch() "
               "again";
    case Error::callback_timeout:
        return "a watch callback took longer than callback_timeout";
    case Error::ready_timeout:
        return "the watcher was not ready in time: is run() being awaited?";
    case Error::watch_ended:
        return "the watch ended before it reached the revision";
    case Error::would_deadlock:
        return "this call waits for the callback that makes it: await it in another coroutine";
    case Error::backup_failed:
        return "the backup, or the restored database, could not be written";
    case Error::bulk_writer_in_use:
        return "another call of this bulk writer is being awaited: await one at a time";
    case Error::overflow:
        return "the watcher was slower than the commits, and its inbox is full";
    case Error::cursor_not_found:
        return "there is no cursor of this name";
    }
    return "unknown keywatch error";
}

class Category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "keywatch"; }
    std::string message(int value) const override { return describe(static_cast<Error>(value)); }
};

}  // namespace

const boost::system::error_category& error_category() noexcept
{
    static const Category category;
    return category;
}

boost::system::error_code make_error_code(Error error) noexcept
{
    return {static_cast<int>(error), error_category()};
}

Compacted::Compacted(Revision requested, Revision oldest)
    : system_error(make_error_code(Error::compacted), "revision " + std::to_string(requested) +
                                                          " requested, " + std::to_string(oldest) +
                                                          " is the oldest"),
      requested_(requested),
      oldest_(oldest)
{
}

}  // namespace keywatch
