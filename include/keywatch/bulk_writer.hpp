// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <keywatch/position.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace keywatch {
class BulkWriterImpl;
}

namespace [[gnu::visibility("default")]] keywatch {

namespace asio = boost::asio;

/// The parameters of a `BulkWriter`. Zero values are refused with `Error::invalid_option`.
struct BulkWriterOptions {
    /// Makes this type a non-aggregate: see `Options`.
    BulkWriterOptions() {}

    /// The size in bytes of keys and values at which a transaction is full. Each write counts 64
    /// bytes more, and an erase counts the bytes that it erases. A single larger write becomes a
    /// transaction of its own. Never more than a fifth of `Options::max_transaction_bytes`.
    std::size_t transaction_bytes = std::size_t{512} << 10;

    /// Number of transactions that may be queued or being committed while the next one is gathered.
    /// When this many are in flight, `put` and `erase` wait.
    std::size_t in_flight = 2;

    /// The origin of the commits: see `Transaction::set_origin`.
    std::string origin;
};

/// A writer for bulk loading: an unbounded sequence of writes, gathered into transactions.
/// Transactions are committed one after the other while the next one is gathered. Created by
/// `Database::bulk_writer`.
///
/// Every transaction is a commit with its own revision, so readers see the load in parts.
/// Transactions are committed in the order of the calls: at any time a prefix of the writes is
/// stored, and `committed()` returns its length. Memory use is bounded by `transaction_bytes` times
/// `in_flight` + 1, plus a single write.
///
/// If a transaction fails, none of its writes and no later writes are stored, and nothing more is
/// committed. `put` and `erase` then throw its error until `flush()` has thrown it and discarded
/// what was gathered. After that the bulk writer can be used again, starting with the write after
/// the first `committed()` ones. (After `storage_failed`, only reopening the database shows whether
/// the failed transaction is stored.)
///
/// The destructor discards everything that is not being committed, as `cancel()` does.
///
/// Thread safety: distinct objects may be used concurrently. One object may be used from several
/// threads, but only one call at a time; a call ends when its result has been awaited (otherwise
/// `bulk_writer_in_use`). Lifetime: a bulk writer counts as a handle to the database. If the
/// execution context of a call is destroyed while the writes that it handed over are being
/// committed, the next call on another context fails with `operation_aborted`.
class BulkWriter {
public:
    /// @cond internal
    explicit BulkWriter(std::shared_ptr<BulkWriterImpl> impl);
    /// @endcond
    /// Moves from another bulk writer, which can afterwards only be destroyed or assigned to.
    BulkWriter(BulkWriter&& other) noexcept;
    /// Same as the constructor. Discards what was gathered in this one.
    BulkWriter& operator=(BulkWriter&& other) noexcept;
    ~BulkWriter();

    /// Adds a write immediately: the bytes are copied before this returns. The result must be
    /// awaited before the next call. Awaiting it waits until there is room for more, usually
    /// without suspending.
    ///
    /// Errors: `empty_key`; `invalid_name`; `transaction_too_large` if no transaction can hold the
    /// write (the write is not added, and the bulk writer remains usable); the error of an earlier
    /// transaction; `bulk_writer_in_use`. Cancellation: terminal, while it waits; the write has
    /// been added even so.
    [[nodiscard]] asio::awaitable<void> put(std::string_view bucket, std::string_view key,
                                            std::string_view value);
    /// Same as above, and sets the time to live of the key, counted from the transaction that
    /// contains the write. Also fails with `invalid_ttl`, as `BTree::put` does.
    [[nodiscard]] asio::awaitable<void> put(std::string_view bucket, std::string_view key,
                                            std::string_view value, std::chrono::milliseconds ttl);
    /// Same as `put`. Erasing an absent key writes nothing.
    [[nodiscard]] asio::awaitable<void> erase(std::string_view bucket, std::string_view key);

    /// Commits what was gathered and waits until everything is committed. Returns the revision of
    /// the last transaction, or 0 if there was none.
    ///
    /// Errors: the error of the first transaction that failed (`bucket_not_found`, `closed`,
    /// `storage_failed`, `transaction_too_large`); `bulk_writer_in_use`. Cancellation: terminal;
    /// what was gathered is kept, and `flush()` can be called again.
    asio::awaitable<Revision> flush();

    /// Discards what was gathered and what is queued, and clears the error of a failed transaction.
    /// A transaction that is being committed is completed. Errors: `bulk_writer_in_use`.
    void cancel();

    /// Returns how many of all puts and erases so far are durable, counted in the order of the
    /// calls.
    std::uint64_t committed() const;

private:
    BulkWriterImpl& impl() const;

    std::shared_ptr<BulkWriterImpl> impl_;
};

}  // namespace keywatch
